from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.errors import OptionError, OverrunError, ScheduleError
from stepwell.schedule import Curve, Horizon, Schedule, schedule
from strategies import fitting, schedules


def curve(text: str, total: int | None) -> Curve:
    return schedule(text).resolve(Horizon(total, 10))


@given(fitting(), st.data())
def test_the_integral_is_the_sum_of_the_factors(case: tuple[Schedule, Horizon], data: st.DataObject) -> None:
    one, horizon = case
    laid = one.resolve(horizon)
    total = laid.total_steps
    assert total is not None
    first = data.draw(st.integers(0, total))
    middle = data.draw(st.integers(first, total))
    assert laid.integral() == math.fsum(laid(t) for t in range(total)) or laid.integral() == pytest.approx(
        math.fsum(laid(t) for t in range(total)), rel=1e-14
    )
    assert laid.integral(first, middle) + laid.integral(middle) == pytest.approx(laid.integral(first), rel=1e-12)
    assert laid.integral(first, first) == 0


def test_integrals_that_can_be_checked_by_hand() -> None:
    assert curve("linear 1..0", 4).integral() == 2.5
    assert curve("hold 0.1", 10).integral() == 1.0  # ten times 0.1, rounded once
    assert curve("hold 0.5", None).integral(10, 20) == 5
    assert schedule("lr: hold; momentum: hold 2").resolve(Horizon(3)).integral(entry="momentum") == 6
    assert curve("hold", 200_000).integral() == 200_000  # longer than a chunk
    assert curve("hold 1e308", 100).integral() == math.inf


def test_the_peak_is_the_first_of_the_largest() -> None:
    assert curve("linear 0..1 for 5 | hold", 20).peak() == (4, 1.0)
    assert curve("linear 1..0", 200_000).peak() == (0, 1.0)
    assert curve("linear 0..1 for 150000 | linear to 0", 200_000).peak() == (149_999, 1.0)


def test_breakpoints_are_where_phases_begin() -> None:
    assert curve("linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%", 100).breakpoints() == (0, 5, 80)
    assert curve("hold 1 for 3 | repeat (linear 0.1..1 for 2 | linear to 0.1 for 3)", 12).breakpoints() == (
        0,
        3,
        5,
        8,
        10,
    )
    assert curve("repeat (hold for 2.5)", 10).breakpoints() == (0, 3, 5, 8)
    assert curve("repeat (hold for 2) longer x2", 10).breakpoints() == (0, 2, 6)
    assert curve("repeat 2 (repeat 2 (hold for 1 | linear to 0 for 1))", 8).breakpoints() == tuple(range(8))
    assert curve("(hold for 5 | linear to 0) * (hold 0.5 for 3 | hold)", 9).breakpoints() == (0, 3, 5)
    assert curve("1 - (hold 0.1 for 4 | hold)", 9).breakpoints() == (0, 4)
    assert curve("(table(1 2) for 4 | hold) by 1ep", 9).breakpoints() == (0, 4)
    assert curve("max(cosine 1..0, 0.1)", 9).breakpoints() == (0,)


@given(schedules(), st.integers(1, 300))
@settings(max_examples=150)
def test_every_phase_lies_in_the_run(one: Schedule, total: int) -> None:
    try:
        laid = one.resolve(Horizon(total, 7, 1000.0), base_lr=0.1, momentum=0.9, weight_decay=0.01)
    except ScheduleError:
        return
    for entry in laid.entries:
        begins = laid.breakpoints(entry)
        assert begins[0] == 0
        assert all(0 <= begin < total for begin in begins)
        assert list(begins) == sorted(set(begins))


def test_the_difference_has_its_step() -> None:
    left, right = curve("cosine 1..0", 1000), curve("linear 1..0", 1000)
    apart = np.abs(left(np.arange(1000)) - right(np.arange(1000)))
    assert left.difference(right) == (int(apart.argmax()), apart.max())
    assert left.difference(right) == right.difference(left)
    assert left.difference(left) == (0, 0.0)
    assert curve("linear 1..0 for 150000 | hold 0.5", 200_000).difference(curve("hold", None)) == (
        149_999,
        1 - 1 / 150_000,
    )
    assert curve("hold", 100).difference(curve("hold 1 for 60 | hold 0", 80)) == (60, 1.0)


def test_what_has_no_end_is_not_measured_to_its_end() -> None:
    endless = curve("hold", None)
    for measure in (endless.integral, endless.peak, endless.breakpoints, lambda: endless.difference(endless)):
        with pytest.raises(
            OptionError, match=r"the run has no end; pass (stop|total_steps)=\.\.\., here or to resolve"
        ):
            measure()


@pytest.mark.parametrize(("first", "stop"), [(-1, 5), (5, 3), (0, 11)])
def test_updates_outside_the_run_are_refused(first: int, stop: int) -> None:
    with pytest.raises(OverrunError, match="are not in the run, which has 10 as its end"):
        curve("hold", 10).integral(first, stop)
