"""What a user passes beside the model is looked at before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stepwell import find_lr
from stepwell.errors import OptionError, TaskError
from stepwell.find.subject import Given
from stepwell.find.trouble import check_loss


def loss(model: nn.Module, batch: Tensor, scale: float = 1.0) -> Tensor:
    value: Tensor = model(batch).square().mean() * scale
    return value


class Loss(nn.Module):
    def forward(self, model: nn.Module, batch: Tensor) -> Tensor:
        return loss(model, batch)


def given(function: Any) -> Given:
    return Given(function, [torch.ones(4, 2)], None, None, None, None, 4)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            lambda model: model,
            r"loss is called with the model and a batch, as loss\(model, batch\); yours takes \(model\)",
        ),
        (lambda model, inputs, targets: model, r"yours takes \(model, inputs, targets\)"),
        (torch.tensor(0.5), "yours takes nothing: it is a Tensor"),
    ],
)
def test_a_loss_that_cannot_take_a_model_and_a_batch_is_refused(wrong: object, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        given(wrong).need("a live model")


@pytest.mark.parametrize("right", [loss, partial(loss, scale=2.0), Loss(), lambda *batch: batch, max])
def test_one_that_can_is_not(right: Callable[..., Tensor]) -> None:
    assert given(right).need("a live model")[0] is right


def test_all_inputs_and_targets_are_no_batches() -> None:
    pair = torch.randn(40, 2), torch.zeros(40, dtype=torch.long)
    with pytest.raises(OptionError, match=r"this is a pair of tensors; pass a loader, such as DataLoader\("):
        Given(loss, pair, None, None, None, None, 4).need("a live model")
    batches = torch.randn(8, 2), torch.randn(8, 2)
    assert Given(loss, batches, None, None, None, None, 4).need("a live model")[1] is batches


def without_seed() -> nn.Module:
    return nn.Linear(2, 1)


def with_seed(seed: int) -> nn.Module:
    return nn.Linear(2, 1)


def test_a_function_that_makes_models_without_its_loss_is_told_from_a_task() -> None:
    with pytest.raises(
        OptionError, match=r"called with a seed, and without_seed takes \(\).*; a function that makes a"
    ):
        find_lr(without_seed, "sgd")
    with pytest.raises(TaskError, match=r"must return a Workload, got a Linear; a function that makes a model needs"):
        find_lr(with_seed, "sgd")


def test_how_is_a_how() -> None:
    wrong: Any = {"accumulate": 2}
    with pytest.raises(
        OptionError, match=r"how= is a stepwell.How, such as How\(accumulate=2\), got \{'accumulate': 2\}"
    ):
        find_lr(without_seed, "sgd", loss=loss, data=[torch.ones(4, 2)], how=wrong)


def test_a_complex_loss_is_refused() -> None:
    with pytest.raises(TaskError, match="single real number, got a complex one"):
        check_loss(torch.ones((), dtype=torch.complex64, requires_grad=True))
