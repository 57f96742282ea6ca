"""Random schedules against a slow and simple reading of the language's description."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import slow_schedule
from stepwell.errors import ScheduleError
from stepwell.schedule import Horizon, Schedule, parse
from stepwell.schedule.lay import natural_length
from stepwell.schedule.layout import Layout
from stepwell.schedule.length import round_half_up
from stepwell.schedule.schedule import Entry, Expression
from strategies import fitting_expressions

BASE = 0.5
LOOKED_AT = 200  # updates of a run without end
QUIET = [HealthCheck.filter_too_much, HealthCheck.too_slow]


def horizon_of(expression: Expression, total: int | None) -> Horizon:
    """A run that the expression fills, if it has a length of its own in one of that length."""
    run = Horizon(total, steps_per_epoch=10, tokens_per_step=50.0)
    try:
        length = natural_length(expression, Layout(run, None))
    except ScheduleError:
        return run
    return run if length is None else Horizon(max(round_half_up(length), 1), 10, 50.0)


def check(expression: Expression, total: int | None) -> None:
    one = Schedule((Entry("lr", expression),))
    assert parse(str(one)) == one
    assert Schedule.from_json(json.loads(json.dumps(one.to_json(), allow_nan=False))) == one
    run = horizon_of(expression, total)
    try:
        curve = one.resolve(run, base_lr=BASE)
    except ScheduleError:
        assume(False)
    steps = np.arange((LOOKED_AT if curve.total_steps is None else curve.total_steps) + 1)
    values = curve(steps)
    slow = slow_schedule.read(expression, curve.horizon, steps.tolist(), base=BASE)
    np.testing.assert_allclose(values, slow, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose([curve(step) for step in steps.tolist()], values, rtol=1e-12, atol=1e-14)
    backwards = curve(steps[::-1])
    np.testing.assert_array_equal(backwards[::-1], values)


@settings(suppress_health_check=QUIET)
@given(expression=fitting_expressions(), total=st.none() | st.integers(5, 300))
def test_any_schedule_is_what_its_description_says(expression: Expression, total: int | None) -> None:
    check(expression, total)


@settings(suppress_health_check=QUIET)
@given(expression=fitting_expressions(length=True), total=st.integers(5, 300))
def test_any_schedule_with_a_length_of_its_own_is_too(expression: Expression, total: int) -> None:
    check(expression, total)


@pytest.mark.soak
@settings(suppress_health_check=QUIET, max_examples=2000)
@given(expression=fitting_expressions() | fitting_expressions(length=True), total=st.none() | st.integers(5, 600))
def test_many_schedules_are_what_their_description_says(expression: Expression, total: int | None) -> None:
    check(expression, total)
