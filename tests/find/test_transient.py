"""The size of an optimizer's first updates, as torch's own optimizers make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import SGD, Adam, AdamW, NAdam, Optimizer, RMSprop

from stepwell.find.transient import mean_step, places_apart

MAKE: dict[str, Callable[[list[torch.nn.Parameter]], Optimizer]] = {
    "sgd": lambda weights: SGD(weights, lr=1e-3),
    "momentum": lambda weights: SGD(weights, lr=1e-3, momentum=0.9),
    "dampened": lambda weights: SGD(weights, lr=1e-3, momentum=0.8, dampening=0.3),
    "nesterov": lambda weights: SGD(weights, lr=1e-3, momentum=0.95, nesterov=True),
    "rmsprop": lambda weights: RMSprop(weights, lr=1e-3),
    "rmsprop, alpha and momentum": lambda weights: RMSprop(weights, lr=1e-3, alpha=0.9, momentum=0.7),
    "adam": lambda weights: Adam(weights, lr=1e-3),
    "adamw": lambda weights: AdamW(weights, lr=1e-3, weight_decay=0.0),
}


def steps_of(optimizer: Optimizer, count: int) -> list[float]:
    """How far each update goes with a gradient of 1."""
    (weight,) = optimizer.param_groups[0]["params"]
    steps = []
    for _ in range(count):
        before = weight.item()
        weight.grad = torch.ones_like(weight)
        optimizer.step()
        steps.append(before - weight.item())
    return steps


def weight() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("count", [1, 2, 16, 300])
def test_the_mean_step_is_that_of_torchs_own_updates(name: str, count: int) -> None:
    steps = steps_of(MAKE[name]([weight()]), 4000)
    assert mean_step(MAKE[name]([weight()]), np.ones(count)) == pytest.approx(
        sum(steps[:count]) / count / steps[-1], rel=1e-6
    )


@pytest.mark.parametrize("name", MAKE)
def test_an_optimizer_that_has_trained_has_its_beginning_behind_it(name: str) -> None:
    optimizer = MAKE[name]([weight()])
    steps_of(optimizer, 2000)
    assert mean_step(optimizer, np.ones(20)) == pytest.approx(1.0, abs=1e-6)


def test_of_a_short_past_only_what_is_left_counts() -> None:
    optimizer = MAKE["rmsprop"]([weight()])
    steps = steps_of(optimizer, 30)
    whole = 80 * mean_step(MAKE["rmsprop"]([weight()]), np.ones(80))
    assert 50 * mean_step(optimizer, np.ones(50)) == pytest.approx(whole - sum(steps) / 1e-3)


def test_an_update_counts_as_much_as_its_rate() -> None:
    steps = steps_of(MAKE["rmsprop"]([weight()]), 4000)
    rates = np.linspace(1.0, 0.0, 20)
    whole = float(rates @ np.array(steps[:20]) / rates.sum()) / steps[-1]
    assert mean_step(MAKE["rmsprop"]([weight()]), rates) == pytest.approx(whole, rel=1e-6)


def test_a_momentum_that_a_schedule_sets_is_the_one_that_counts() -> None:
    assert mean_step(MAKE["momentum"]([weight()]), np.ones(9), momentum=0.0) == 1.0
    expected = mean_step(SGD([weight()], lr=0.1, momentum=0.99), np.ones(9))
    assert mean_step(MAKE["sgd"]([weight()]), np.ones(9), momentum=0.99) == expected


class Own(SGD):
    def step(self, closure: Any = None) -> Any:
        return super().step(closure)


def test_nothing_is_said_of_optimizers_whose_beginning_is_not_known() -> None:
    assert mean_step(NAdam([weight()], lr=0.1), np.ones(10)) == 1.0
    assert mean_step(Own([weight()], lr=0.1, momentum=0.9), np.ones(10)) == 1.0
    assert mean_step(SGD([weight()], lr=0.1, momentum=0.9, dampening=1.0), np.ones(10)) == 1.0
    assert mean_step(SGD([weight()], lr=0.1, momentum=1.0), np.ones(10)) == 1.0  # never settles


def test_long_runs_have_no_beginning_to_speak_of() -> None:
    assert mean_step(MAKE["rmsprop"]([weight()]), np.ones(10**7)) == pytest.approx(1.0, abs=1e-4)


def test_places_rise_with_larger_first_steps_and_fall_with_smaller_ones() -> None:
    assert places_apart(short=10.0, long=1.0) == 4
    assert places_apart(short=1.0, long=10.0) == -4
    assert places_apart(short=1.0, long=1.3) == 0
