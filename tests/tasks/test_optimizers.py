import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from stepwell.errors import OptimizerError
from stepwell.tasks.optimizers import FAMILIES, base_momentum, make_optimizer, momentum_entry, rate_grid
from stepwell.tasks.task import Workload


def net() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def workload(model: nn.Module, groups: object) -> Workload:
    return Workload(
        model=model,
        loss=lambda model, batch: model(batch).square().mean(),
        train=lambda epoch: [torch.ones(2, 3)],
        steps_per_epoch=1,
        val=lambda: [torch.ones(2, 3)],
        metrics=lambda model, batch: {"loss": (model(batch).square().sum(), 2)},
        groups=groups,  # type: ignore[arg-type]  # a bad one is what some tests are about
    )


def after(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 5) -> list[torch.Tensor]:
    batches = torch.randn(steps, 8, 3, generator=torch.Generator().manual_seed(0))
    for batch in batches:
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()
    return [parameter.detach().clone() for parameter in model.parameters()]


PLAIN: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda params: torch.optim.SGD(params, lr=0.02),
    "momentum": lambda params: torch.optim.SGD(params, lr=0.02, momentum=0.9),
    "nesterov": lambda params: torch.optim.SGD(params, lr=0.02, momentum=0.9, nesterov=True),
    "adam": lambda params: torch.optim.Adam(params, lr=0.02),
    "adamw": lambda params: torch.optim.AdamW(params, lr=0.02),
    "rmsprop": lambda params: torch.optim.RMSprop(params, lr=0.02),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_defaults_are_the_fields(name: str) -> None:
    ours, theirs = net(), net()
    for a, b in zip(
        after(ours, make_optimizer(name, ours, 0.02)), after(theirs, PLAIN[name](theirs.parameters())), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_updates_bit_for_bit(name: str) -> None:
    first, second = net(), net()
    pairs = zip(
        after(first, make_optimizer(name, first, 0.1)), after(second, make_optimizer(name, second, 0.1)), strict=True
    )
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_saved_state_goes_on_bit_for_bit(name: str) -> None:
    straight = net()
    expected = after(straight, make_optimizer(name, straight, 0.02), steps=5)
    batches = torch.randn(5, 8, 3, generator=torch.Generator().manual_seed(0))
    model = net()
    optimizer = make_optimizer(name, model, 0.02)
    for number, batch in enumerate(batches):
        if number == 3:
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = make_optimizer(name, model, 0.02)
            optimizer.load_state_dict(saved)
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(expected, model.parameters(), strict=True))


def test_a_group_gives_its_rate_as_a_multiple() -> None:
    model = net()

    def groups(model: nn.Module) -> list[dict[str, object]]:
        return [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.1, "weight_decay": 0.5}]  # type: ignore[index]

    optimizer = make_optimizer("adamw", workload(model, groups), 0.2)
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, pytest.approx(0.02)]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.5]


def test_options_replace_defaults() -> None:
    (group,) = make_optimizer("adam", net(), 0.1, {"beta1": 0.5, "eps": 1e-4}).param_groups
    assert (group["betas"], group["eps"]) == ((0.5, 0.999), 1e-4)
    (group,) = make_optimizer("nesterov", net(), 0.1, {"momentum": 0.8}).param_groups
    assert (group["momentum"], group["nesterov"]) == (0.8, True)


def test_frozen_parameters_are_left_out() -> None:
    model = net()
    model[0].requires_grad_(False)  # type: ignore[index]
    (group,) = make_optimizer("sgd", model, 0.1).param_groups
    assert len(group["params"]) == 2


def test_sparse_gradients_train_too() -> None:
    model = nn.Embedding(5, 2, sparse=True)
    optimizer = make_optimizer("sgd", model, 0.1)
    before = model.weight.detach().clone()
    model(torch.tensor([1])).sum().backward()
    optimizer.step()
    torch.testing.assert_close(before[1] - model.weight[1], torch.full((2,), 0.1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("adm", 0.1, {}), "unknown optimizer 'adm', did you mean 'adam'"),
        (("xyz", 0.1, {}), "unknown optimizer 'xyz'; known optimizers: sgd, momentum"),
        (("adam", 0.1, {"beta": 0.9}), "unknown option 'beta' of optimizer 'adam', did you mean 'beta"),
        (("sgd", 0.1, {"momentum": 0.9}), "known options: weight_decay"),
        (
            ("momentum", 0.1, {"momentum": math.nan}),
            "option 'momentum' of optimizer 'momentum' must be a finite number, got nan",
        ),
        (("momentum", 0.1, {"momentum": "much"}), "got 'much'"),
        (("momentum", 0.1, {"momentum": -1.0}), "cannot be made: Invalid momentum value: -1.0"),
        (("nesterov", 0.1, {"momentum": 0.0}), "cannot be made"),
        (("sgd", 0.0, {}), "the base rate must be a finite number above 0, got 0.0"),
        (("sgd", -1.0, {}), "got -1.0"),
        (("sgd", math.inf, {}), "got inf"),
        (("sgd", "0.1", {}), "got '0.1'"),
    ],
)
def test_what_cannot_be_made_says_so(arguments: tuple[str, float, dict[str, float]], words: str) -> None:
    name, base_lr, options = arguments
    with pytest.raises(OptimizerError) as caught:
        make_optimizer(name, net(), base_lr, options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (lambda model: [{"params": list(model.parameters()), "lr": -1}], "parameter group 0 has lr -1"),
        (lambda model: [{"params": []}], "no trainable parameter"),
        (lambda model: list(model.parameters()), "must be a dict with 'params'"),
        (lambda model: [{"params": list(model.parameters())}] * 2, "more than one parameter group"),
    ],
)
def test_groups_that_contradict_themselves(groups: object, words: str) -> None:
    with pytest.raises(OptimizerError) as caught:
        make_optimizer("sgd", workload(net(), groups), 0.1)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_search_range_spans_decades(name: str) -> None:
    low, high = rate_grid(name)
    assert 0 < low < high / 1000
    assert momentum_entry(name) == (base_momentum(name) is not None) == (name not in ("sgd", "rmsprop"))
