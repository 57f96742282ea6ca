from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from stepwell import twins
from torch_twins import optimizer_of

metrics = st.lists(
    st.floats(0.5, 2.0) | st.sampled_from([1.0, 0.9999, 0.99, 1.0001, 0.0, math.nan, math.inf]),
    min_size=20,
    max_size=80,
)
arguments = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.floats(0.05, 0.95),
        "patience": st.integers(0, 5),
        "threshold": st.sampled_from([0.0, 1e-4, 0.01, 0.3]),
        "threshold_mode": st.sampled_from(["rel", "abs"]),
        "cooldown": st.integers(0, 4),
        "min_lr": st.sampled_from([0.0, 0.001, 0.02, 1.0]),
        "eps": st.sampled_from([0.0, 1e-8, 1e-3]),
    }
)


def rates(
    given_arguments: dict[str, Any], stream: list[float], bases: list[float]
) -> list[tuple[list[float], list[float]]]:
    """What torch and the twin set after each metric, group by group."""
    optimizer = optimizer_of(bases)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **given_arguments)
    controllers = [twins.reduce_lr_on_plateau(**given_arguments, base_lr=base) for base in bases]
    states = [one.init([base]) for one, base in zip(controllers, bases, strict=True)]
    seen = []
    for metric in stream:
        scheduler.step(metric)
        states = [one.update(state, metric) for one, state in zip(controllers, states, strict=True)]
        ours = [base * state.factors[0] for base, state in zip(bases, states, strict=True)]
        seen.append(([float(group["lr"]) for group in optimizer.param_groups], ours))
    return seen


@given(arguments, metrics, st.lists(st.sampled_from([0.3, 0.1, 0.015]), min_size=1, max_size=2))
@settings(max_examples=200)
def test_the_same_cuts_for_the_same_metrics(
    given_arguments: dict[str, Any], stream: list[float], bases: list[float]
) -> None:
    for theirs, ours in rates(given_arguments, stream, bases):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_negative_metric_is_judged_by_its_size() -> None:
    stream = [-1.0, -1.05, -1.1, -1.15]  # better every time, by far more than the threshold
    seen = rates({"patience": 0, "threshold": 0.01}, stream, [0.1])
    assert seen[-1] == ([0.1], [0.1])
    worse = [-1.0, -0.995, -0.990, -0.985]  # worse every time: torch takes it for better
    seen = rates({"patience": 0, "threshold": 0.01}, worse, [0.1])
    ours, theirs = seen[-1]
    assert ours == [0.1]
    assert theirs == pytest.approx([0.0001])


def test_a_floor_per_group_in_the_same_ratio() -> None:
    plateau = twins.reduce_lr_on_plateau(factor=0.5, patience=0, min_lr=[0.1, 0.02], base_lr=[0.5, 0.1], eps=0.0)
    assert plateau.floor == 0.2
