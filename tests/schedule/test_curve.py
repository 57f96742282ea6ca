from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.errors import HorizonError, OptionError, OverrunError, ScheduleError, StepwellError
from stepwell.schedule import RECIPES, Curve, Horizon, Schedule, schedule
from strategies import fitting, schedules

STEPS = 97


def curve(text: str, total: int | None = STEPS, **bases: float) -> Curve:
    return schedule(text).resolve(Horizon(total, steps_per_epoch=10, tokens_per_step=100), **bases)


def factors(text: str, total: int = STEPS) -> list[float]:
    return list(curve(text, total)(range(total)))


@given(fitting())
def test_phases_fill_the_run_exactly_and_scalars_agree_with_arrays(case: tuple[Schedule, Horizon]) -> None:
    one, horizon = case
    laid = one.resolve(horizon)
    total = horizon.total_steps
    assert laid.total_steps == total
    assert total is not None
    steps = np.arange(total + 1)
    values = laid(steps)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values, [laid(int(step)) for step in steps], rtol=1e-12)


@given(st.lists(st.floats(0, 2), min_size=2, max_size=5), st.integers(200, 5000))
def test_a_phase_that_continues_does_not_jump(ends: list[float], total: int) -> None:
    share = 90 // len(ends)
    text = " | ".join(f"linear to {end!r} for {share}%" for end in ends) + " | hold"
    values = curve(text, total)(range(total))
    fewest_steps = total * share // 100
    assert np.abs(np.diff(values)).max() <= 2 / (fewest_steps - 1)


@given(schedules(), st.integers(1, 400))
@settings(max_examples=300)
def test_what_is_wrong_is_said_before_step_0_and_never_later(one: Schedule, total: int) -> None:
    horizon = Horizon(total, steps_per_epoch=7, tokens_per_step=1000.0)
    try:
        laid = one.resolve(horizon, base_lr=0.1, momentum=0.9, weight_decay=0.01)
    except ScheduleError:
        return
    for entry in laid.entries:
        values = laid(np.arange(total + 1), entry)
        assert values.shape == (total + 1,)
        assert np.isfinite(values).all()
        assert values.min() >= -1e-9 * max(values.max(), 1)
        for step in (0, total // 2, total):
            assert laid(step, entry) == pytest.approx(values[step], rel=1e-9, abs=1e-12)


def test_the_numbers_of_a_small_schedule_can_be_checked_by_hand() -> None:
    assert factors("linear 0..1 for 2 | hold 1 | linear 1..0 for 40%", 10) == [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert factors("steps x0.5 every 2", 6) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert factors("steps x0.1 at 2 3", 5) == pytest.approx([1, 1, 0.1, 0.01, 0.01])
    assert factors("repeat (linear 1..0 for 2)", 5) == [1, 0.5, 1, 0.5, 1]
    assert factors("repeat (linear 1..0 for 1) longer x2", 7) == [1, 1, 0.5, 1, 0.75, 0.5, 0.25]
    assert factors("repeat (linear 1..0 for 2) lower x0.5", 6) == [1, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert factors("0.5 * (linear 1..0) + 1", 4) == [1.5, 1.375, 1.25, 1.125]
    assert factors("max(linear 1..0, 0.6)", 4) == [1, 0.75, 0.6, 0.6]
    assert factors("decay x0.5 per 1 by 2", 5) == [1, 1, 0.25, 0.25, 0.0625]
    assert factors("linear 0..1 for 4 by 2 | hold", 6) == [0.5, 0.5, 1, 1, 1, 1]


def test_a_staircase_hands_on_its_last_stair_and_everything_else_its_end() -> None:
    assert factors("steps x0.5 every 2 for 4 | linear to 0", 8) == [1, 1, 0.5, 0.5, 0.5, 0.375, 0.25, 0.125]
    assert factors("linear 1..0.5 for 2 | hold", 4) == [1, 0.75, 0.5, 0.5]
    assert factors("linear 0.1..1 over 10 for 5 | hold", 7)[5:] == pytest.approx([0.55, 0.55])
    assert factors("hold 0.3 for 2 | repeat (linear to 1 for 2)", 6) == pytest.approx([0.3, 0.3, 0.3, 0.65, 0.3, 0.65])


def test_only_a_phase_written_from_zero_is_read_at_the_right() -> None:
    assert factors("linear 0..1 for 4 | hold", 5)[:4] == [0.25, 0.5, 0.75, 1]
    assert factors("linear 0..1 for 4 @left | hold", 5)[:4] == [0, 0.25, 0.5, 0.75]
    assert factors("linear 1..0 for 2 | linear to 1 for 2 | hold", 5)[2:4] == [0, 0.5]
    assert factors("linear 0.1..1 for 2 @right | hold", 4)[:2] == pytest.approx([0.55, 1])


@pytest.mark.parametrize("total", [97, 100, 1000, 12345])
def test_shares_are_rounded_half_up_and_cumulatively(total: int) -> None:
    text = " | ".join(f"hold {k + 1} for 12.5%" for k in range(7)) + " | hold 8"
    values = curve(text, total)(range(total))
    boundaries = np.flatnonzero(np.diff(values)) + 1
    assert boundaries.tolist() == [math.floor(total * k / 8 + 0.5) for k in range(1, 8)]


def test_a_table_is_read_value_by_value_and_holds_the_last() -> None:
    assert factors("table(1 0.5 0.25)", 5) == [1, 0.5, 0.25, 0.25, 0.25]
    assert factors("table(1 0.5 0.25) for 2 | linear to 0", 4) == [1, 0.5, 0.5, 0.25]  # goes on from the last one used
    assert factors("table(1 0.5 0.25) for 4 | hold", 6) == [1, 0.5, 0.25, 0.25, 0.25, 0.25]
    assert factors("table(1 0.5 0.25) over 6", 8) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]
    assert factors("table(1 0.5 0.25) from 1", 4) == [0.5, 0.25, 0.25, 0.25]
    assert factors("table(4 3 2 1) by 2", 5) == [4, 4, 2, 2, 1]
    assert factors("repeat (table(1 0.5) for 2) lower x0.5", 5) == [1, 0.5, 0.75, 0.5, 0.625]
    assert factors("0.5 * (table(1 2 4))", 3) == [0.5, 1, 2]
    assert curve("table(1 0.5 0.25) over 2ep", None)(10**9) == 0.25


def test_noam_is_the_paper() -> None:
    steps = np.arange(1, 3001)
    paper = np.minimum(steps**-0.5, steps * 400**-1.5) / 400**-0.5
    np.testing.assert_allclose(factors("linear 0..1 for 400 | inverse-sqrt over 400 @right", 3000), paper, rtol=1e-12)


def test_cycles_of_a_fraction_of_a_step_stay_exact_for_ever() -> None:
    laid = curve("repeat (linear 1..0 for 2.5)", None)
    starts = [step for step in range(1000) if laid(step) == 1.0]
    assert starts == [math.floor(2.5 * k + 0.5) for k in range(400)]
    assert laid(10**9) == laid(0)


@pytest.mark.parametrize(
    "text", ["hold", "decay x0.9 per 1", "repeat (cosine 1..0 for 7) longer x2", "linear 0.1..1 over 10"]
)
def test_a_schedule_without_an_end_needs_no_total(text: str) -> None:
    endless = schedule(text).resolve(Horizon())
    assert endless.total_steps is None
    np.testing.assert_array_equal(endless(np.arange(50)), schedule(text).resolve(Horizon(1000))(np.arange(50)))


@pytest.mark.parametrize("suffix", ["", " longer x2", " lower x0.5", " @left"])
@pytest.mark.parametrize("cycle", ["cosine 1..0 for 10", "linear 0..1 for 4 | linear to 0 for 6"])
def test_a_run_that_ends_with_a_cycle_ends_where_the_cycle_does(cycle: str, suffix: str) -> None:
    endless = curve(f"repeat ({cycle}){suffix}", 30)
    counted = curve(f"repeat {2 if 'longer' in suffix else 3} ({cycle}){suffix}", None)
    cut = curve(f"repeat ({cycle}){suffix} for 30 | linear to 0", 40)
    assert counted.total_steps == 30
    assert list(map(endless, range(31))) == list(map(counted, range(31)))
    assert endless(np.arange(31)).tolist() == counted(np.arange(31)).tolist()
    assert cut(30) == endless(30) == 0


def test_a_schedule_with_an_end_of_its_own_needs_no_total_either() -> None:
    assert schedule("linear 0..1 for 500 | linear to 0 for 3ep").resolve(Horizon(None, 100)).total_steps == 800


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("linear 0..1 for 500 | cosine to 0", "fill 500 of 97 steps, so nothing is left for 'cosine to 0'"),
        ("hold for 50 | hold for 40", "fill 90 of 97 steps; leave the length of one phase away"),
        ("hold for 50", "'hold for 50' fills 50 of 97 steps; add a phase such as `| hold`"),
        (
            "hold | linear to 0",
            "only one phase may take the rest of the run, but 'hold' and 'linear to 0' have no length",
        ),
        ("linear 0..1 for 0.1% | hold", "rounds to no step at all"),
        ("repeat (linear 1..0)", "the cycle of 'repeat (linear 1..0)' has no length"),
        ("repeat (hold for 0.3)", "is 0.3 steps long; it must be at least 1"),
        (
            "repeat 2 (cosine 1..0 for 10) for 97",
            "the 2 cycles of 'repeat 2 (cosine 1..0 for 10) for 97' fill 20 of 97",
        ),
        ("repeat 5 (cosine 1..0 for 40) for 97", "only 3 of the 5 cycles"),
        ("repeat (linear 1..0 for 2) longer x0.4", "cycle 2 of 'repeat (linear 1..0 for 2) longer x0.4' is 0.8 steps"),
        ("exponential 1..0", "cannot go between 0 and another value"),
        ("linear 1..=0.01", "the absolute value '=0.01' needs the base it stands on"),
        ("decay x1e300 per 1", "grows beyond every number within 97 steps"),
        ("(hold for 10) + 1", "'hold for 10' fills 10 of 97 steps"),
    ],
)
def test_phases_that_do_not_fit_are_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        curve(text)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "needed"),
    [("hold for 5% | hold", "total_steps"), ("hold for 5ep | hold", "steps_per_epoch"), ("cosine 1..0", "total_steps")],
)
def test_a_missing_figure_of_the_run_is_named(text: str, needed: str) -> None:
    with pytest.raises(HorizonError, match=f"pass {needed}="):
        schedule(text).resolve(Horizon())


@pytest.mark.parametrize(
    ("bases", "needed"),
    [({}, "base_lr"), ({"momentum": 0.9}, "base_lr"), ({"base_lr": 0.1}, "momentum")],
)
def test_a_missing_base_is_named(bases: dict[str, float], needed: str) -> None:
    with pytest.raises(ScheduleError, match=rf"needs the base it stands on; pass {needed}=\.\.\."):
        resolved(Horizon(STEPS), "lr: hold =0.1; momentum: hold =0.9", **bases)
    assert curve("lr: hold =0.1; momentum: hold =0.9", base_lr=0.1, momentum=0.9)(3, "momentum") == 1.0


def resolved(horizon: Any, text: str = "lr: hold; momentum: hold", **bases: Any) -> Curve:
    return schedule(text).resolve(horizon, **bases)


def integral(first: Any, stop: Any) -> float:
    return curve("cosine 1..0").integral(first, stop)


def in_tokens(tokens: Any) -> Horizon:
    return Horizon(10, tokens_per_step=tokens)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: resolved(1000), r"over a run such as Horizon\(total_steps=1000\), got 1000"),
        (lambda: resolved(None), "over a run such as"),
        (lambda: resolved(Horizon(9), base_lr="0.1"), "base_lr must be a finite number of at least 0, got '0.1'"),
        (lambda: resolved(Horizon(9), momentum=-1), "momentum must be a finite number of at least 0, got -1"),
        (lambda: integral(0.5, 2), "numbers of updates, got 0.5 and 2"),
        (lambda: integral("0", None), "numbers of updates, got '0' and 97"),
        (lambda: in_tokens("3"), "tokens_per_step must be a positive number, got '3'"),
    ],
)
def test_what_is_no_number_or_run_is_one_sentence(make: Callable[[], object], message: str) -> None:
    with pytest.raises(StepwellError, match=message):
        make()


def test_numbers_of_numpy_are_numbers() -> None:
    numbers: list[Any] = [np.int64(50), np.int32(5), np.float64(10.0), np.float32(0.5)]
    run = Horizon(numbers[0], steps_per_epoch=numbers[1], tokens_per_step=numbers[2])
    laid = resolved(run, "hold for 100tok | hold 0.5 for 2ep | hold =1", base_lr=numbers[3])
    assert (laid.breakpoints(), laid(49)) == ((0, 10, 20), 2.0)


def test_no_steps_have_no_factors() -> None:
    assert curve("cosine 1..0")([]).shape == (0,)
    assert curve("cosine 1..0")(np.empty((0, 3), dtype=int)).shape == (0, 3)


def test_outside_the_run_is_an_error() -> None:
    laid = curve("cosine 1..0")
    assert laid(STEPS) == 0.0
    for step in (-1, STEPS + 1, np.array([0, STEPS + 1]), [-1, 5]):
        with pytest.raises(OverrunError, match="is outside the run, which has steps 0 to 97"):
            laid(step)
    with pytest.raises(OptionError, match="steps are whole numbers"):
        laid(0.5)
    with pytest.raises(OptionError, match="no entry 'momentum'; it has lr"):
        laid(0, "momentum")


@pytest.mark.parametrize("count", [0, -3, 1.5, True, "ten", math.nan, np.array([1, 2])])
def test_a_horizon_counts_whole_updates(count: object) -> None:
    with pytest.raises(OptionError, match="total_steps must be a positive whole number"):
        Horizon(count)  # type: ignore[arg-type]  # the wrong input itself


@pytest.mark.parametrize("given", [np.array([0.1, 0.2]), 10**400], ids=["two", "huge"])
def test_what_is_not_one_number_is_said_to_be_none(given: Any) -> None:
    """numpy's own TypeError came through, or Python's OverflowError."""
    with pytest.raises(ScheduleError, match="base_lr must be a finite number of at least 0"):
        schedule("hold").resolve(Horizon(10), base_lr=given)
    with pytest.raises(OptionError, match="tokens_per_step must be a positive number"):
        Horizon(10, tokens_per_step=given)
    with pytest.raises(OptionError, match="first and stop are numbers of updates"):
        curve("hold").integral(0, np.array([1, 2]))  # type: ignore[arg-type]  # the wrong input itself


def test_a_curve_survives_copies_and_keeps_the_shape_of_its_steps() -> None:
    laid = curve("linear 1..=0.01", base_lr=0.1)
    for twin in (copy.deepcopy(laid), pickle.loads(pickle.dumps(laid))):  # noqa: S301 -- our own bytes
        np.testing.assert_array_equal(twin(range(STEPS)), laid(range(STEPS)))
    assert laid(np.arange(6).reshape(2, 3)).shape == (2, 3)
    assert isinstance(laid(np.int64(3)), float)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("total", [40, 97, 620, 100_000])
def test_every_recipe_fits_every_run_and_peaks_at_its_base(name: str, total: int) -> None:
    values = schedule(name).resolve(Horizon(total), momentum=0.9)(np.arange(total))
    highest = 3.0 if name == "deepspeed.lr_range_test" else 1.0  # it goes up to find the largest rate
    assert values.max() == pytest.approx(highest, abs=0.06)
    assert values.min() >= 0


@pytest.mark.parametrize(
    ("text", "total", "message"),
    [
        ("steps x0.1 at 2ep 5", 100, "must ascend, but 5 is step 5, not after 20"),
        ("steps x0.1 at 50% 30", 100, "must ascend, but 30 is step 30, not after 50"),
        ("repeat (linear 1..0.5 for 77.12345)", None, "comes back to whole steps only after 20000 cycles"),
        ("repeat (cosine 1..0.1 for 1) lower x2", 5000, "lower makes each cycle lower"),
        ("steps x1e300 at 1 2", None, "grows beyond every number"),
        ("repeat 1e300 (cosine 1..0)", 100, "at most 10000 are counted"),
        ("(hold 1e200) * (hold 1e200)", 100, "grows beyond every number"),
        ("repeat (linear 1..0 for 100) longer x0.5", 200, "it must be at least 1"),
        ("repeat 9 (linear 1..0) longer x0.5", 10, "must be at least 1"),
        ("linear 1..0 over 1e300ep", 100, "longer than any run"),
        ("hold for 1e300ep | hold", 100, "longer than any run"),
        ("(hold 0.5) - (linear 0..1 over 10000)", None, "falls below 0"),
        ("(hold 0.5) - (hold 0 for 500001 | hold 1 for 1 | hold 0)", 1_000_000, "it is -0.5 at step 500001"),
        ("lr: hold; momentum: linear 0.5..1 for 100", None, "'lr' has no end and another entry has one"),
    ],
)
def test_what_would_go_wrong_later_is_refused_at_once(text: str, total: int | None, message: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        curve(text, total, momentum=0.5)
    assert message in str(raised.value)


def test_a_difference_may_be_cut_off_at_0() -> None:
    assert factors("max((linear 1..0) - 0.5, 0)", 4) == [0.5, 0.25, 0, 0]
    assert curve("1 - (decay x0.5 per 1)", None)(10**6) == 1.0


def test_lower_keeps_the_lowest_value_of_a_difference() -> None:
    text = "repeat ((hold 1) - (linear 0..1 for 10 @left)) lower x0.5"
    values = factors(text, 30)
    assert values[::10] == [1.0, 0.5, 0.25]
    assert values[9::10] == pytest.approx([0.1, 0.05, 0.025])
