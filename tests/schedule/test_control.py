from __future__ import annotations

import math
import warnings
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stepwell.errors import ScheduleError
from stepwell.schedule import Greedy, Plateau, schedule, twins


@given(
    metrics=st.lists(st.sampled_from([0.1, 0.5, 0.99995, 1.0, 1.5, 3.0, math.nan, math.inf]), max_size=40),
    patience=st.integers(0, 3),
    cooldown=st.integers(0, 3),
    threshold=st.sampled_from([0.0, 1e-4, 0.2]),
    threshold_mode=st.sampled_from(["rel", "abs"]),
    mode=st.sampled_from(["min", "max"]),
)
def test_plateau_cuts_when_torch_does(
    metrics: list[float],
    patience: int,
    cooldown: int,
    threshold: float,
    threshold_mode: Literal["rel", "abs"],
    mode: Literal["min", "max"],
) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode, 0.5, patience, threshold, threshold_mode, cooldown, eps=0.0
    )
    ours = Plateau(0.5, patience, threshold, threshold_mode, cooldown, mode=mode)
    state = ours.init([1.0])
    for metric in metrics:
        if math.isinf(metric) and mode == "max":
            continue  # an infinite best metric cannot be improved on; torch compares with infinity times a factor
        state = ours.update(state, metric)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs.step(metric)
        assert state.factors[0] == optimizer.param_groups[0]["lr"]


def test_relative_improvement_is_right_for_negative_metrics() -> None:
    plateau = Plateau(cut=0.5, patience=0, threshold=0.1)
    state = plateau.update(plateau.init([1.0]), -1.0)
    assert plateau.update(state, -1.05).factors == (0.5,)  # 5% better is not 10% better
    assert plateau.update(state, -1.2).factors == (1.0,)


def test_the_factor_never_falls_below_its_floor() -> None:
    plateau = Plateau(cut=0.1, patience=0, floor=0.05)
    state = plateau.init([1.0, 1.0])
    for _ in range(5):
        state = plateau.update(state, 1.0)
    assert state.factors == (0.05, 0.05)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cut": 1.0}, "between 0 and 1, got x1"),
        ({"patience": -1}, "patience is a whole number"),
        ({"patience": 1.5}, "patience is a whole number"),
        ({"threshold": math.nan}, "threshold is a number of at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        Plateau(**settings)  # type: ignore[arg-type]  # a whole-number setting given as a float on purpose


def test_a_controller_alone_holds() -> None:
    twin = twins.reduce_lr_on_plateau(factor=0.5, patience=3)
    assert schedule(twin) == schedule("hold * plateau(x0.5, patience 3)")
    assert schedule(Greedy()) == schedule("hold * greedy(x0.95)")
    with pytest.raises(ScheduleError, match="a schedule is a text"):
        schedule(Plateau)  # type: ignore[arg-type]  # the class, without parentheses


def test_a_schedule_is_multiplied_by_a_controller() -> None:
    warm = "linear 0..1 for 5% | hold"
    assert schedule(warm) * Plateau(0.5, 3) == schedule(f"({warm}) * plateau(x0.5, patience 3)")
    both = schedule("momentum: linear 0.9..0.8; lr: hold") * Plateau()
    assert both["lr"].controller == Plateau()
    assert both["momentum"].controller is None
    with pytest.raises(ScheduleError, match="has one already; leave one away"):
        both * Greedy()
    with pytest.raises(ScheduleError, match="has none; add 'lr: hold'"):
        schedule("momentum: hold") * Plateau()
    with pytest.raises(TypeError):
        schedule("hold") * 2  # type: ignore[operator]  # a number belongs into the text
