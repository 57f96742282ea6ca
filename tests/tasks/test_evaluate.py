"""Sums that add up, modes that are restored, and metrics of the wrong form."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stepwell.errors import TaskError
from stepwell.tasks.evaluate import evaluate
from stepwell.tasks.parts import class_metrics, in_order

MODEL = nn.Linear(3, 4)
DATA = (torch.arange(30.0).reshape(10, 3) / 30, torch.arange(10) % 4)


def test_the_batch_size_does_not_matter() -> None:
    whole = evaluate(MODEL, in_order(DATA, 10)(), class_metrics, "val")
    assert set(whole) == {"val_loss", "val_accuracy"}
    for size in (1, 3, 7):
        parts = evaluate(MODEL, in_order(DATA, size)(), class_metrics, "val")
        assert parts == pytest.approx(whole, rel=1e-6)


def test_sums_are_float64() -> None:
    big = [torch.tensor(2.0**24), *[torch.tensor(1.0)] * 8]
    result = evaluate(MODEL, big, lambda _, number: {"loss": (number, 1)}, "val")
    assert result["val_loss"] == (2**24 + 8) / 9


@pytest.mark.parametrize("training", [True, False])
def test_every_module_keeps_its_mode_even_after_an_error(training: bool) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout())
    model.train(training)
    model[1].eval()
    seen = []

    def metrics(net: nn.Module, batch: Tensor) -> dict[str, tuple[Tensor, int]]:
        seen.append(any(module.training for module in net.modules()) or torch.is_grad_enabled())
        if batch is None:
            raise RuntimeError("stop")
        return {"loss": (net(batch).sum(), 1)}

    evaluate(model, [DATA[0]], metrics, "val")
    with pytest.raises(RuntimeError):
        evaluate(model, [None], metrics, "val")
    assert [module.training for module in model.modules()] == [training, training, False, training]
    assert seen == [False, False]


def test_a_diverged_model_is_a_figure_not_an_error() -> None:
    result = evaluate(MODEL, [0], lambda *_: {"loss": (torch.tensor(float("nan")), 1)}, "test")
    assert list(result) == ["test_loss"]
    assert result["test_loss"] != result["test_loss"]


def changing(_: nn.Module, batch: int) -> Mapping[str, tuple[Tensor, int]]:
    return {f"loss{batch}": (torch.tensor(1.0), 1)}


@pytest.mark.parametrize(
    ("metrics", "complaint"),
    [
        (lambda *_: torch.tensor(1.0), r"mapping such as {\"loss\": \(sum, count\)}, got a tensor of shape \(\)"),
        (lambda *_: {}, "mapping such as"),
        (lambda *_: None, "got None"),
        (lambda *_: {1: (1.0, 1)}, "name must be a text such as 'loss', got 1"),
        (lambda *_: {"loss": torch.tensor(1.0)}, r"'loss' must be a pair \(sum, count\)"),
        (lambda *_: {"loss": (1.0, 2, 3)}, "must be a pair"),
        (
            lambda *_: {"loss": (torch.ones(3), 3)},
            r"the sum must be a tensor with a single number, got a tensor of shape \(3,\)",
        ),
        (lambda *_: {"loss": ("1", 3)}, "the sum must be"),
        (lambda *_: {"loss": (torch.tensor(1.0), 2.5)}, "the count must be a whole number such as len"),
        (lambda *_: {"loss": (torch.tensor(1.0), torch.tensor(2.5))}, "the count must be a whole number"),
        (lambda *_: {"loss": (torch.tensor(1.0), -1)}, "the count must be a whole number"),
        (lambda *_: {"loss": (torch.tensor(0.0), 0)}, "metric 'loss' counted nothing over all val batches"),
        (changing, "the same names for every batch: val batch 0 gave loss0, batch 1 gave loss1"),
    ],
)
def test_metrics_of_the_wrong_form(metrics: Callable[..., Any], complaint: str) -> None:
    with pytest.raises(TaskError, match=complaint):
        evaluate(MODEL, [0, 1], metrics, "val")


def test_no_batches_is_an_error() -> None:
    with pytest.raises(TaskError, match=r"val\(\) gave no batches"):
        evaluate(MODEL, [], class_metrics, "val")


def test_numbers_and_tensors_are_taken_as_sums_and_counts() -> None:
    result = evaluate(MODEL, [0], lambda *_: {"loss": (3, torch.tensor(2)), "mae": (torch.tensor(3), 2)}, "val")
    assert result == {"val_loss": 1.5, "val_mae": 1.5}
