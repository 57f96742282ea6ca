from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.errors import ScheduleError
from stepwell.schedule import Controller, Greedy, Plateau, parse
from stepwell.schedule.control.contract import ControllerContract

# Made by tests/schedule/golden/make_greedy.py with transformers 5.23.0, base rate 0.1.
GOLDEN = json.loads((Path(__file__).parent / "golden" / "greedy.json").read_text())["cases"]
OURS = {"factor": "cut", "reset_start": "reset"}


def greedy_of(settings: dict[str, Any]) -> Greedy:
    """Our controller for transformers' settings at a base rate of 0.1."""
    ours = {OURS.get(name, name): value for name, value in settings.items()}
    if ours.pop("smooth", False):
        ours["window"] = ours.pop("window_size")
    return Greedy(floor=ours.pop("min_lr", 1e-3) / 0.1, ceiling=ours.pop("max_lr", 1.0) / 0.1, **ours)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: json.dumps(case["settings"]))
def test_the_rates_are_those_of_transformers(case: dict[str, Any]) -> None:
    greedy = greedy_of(case["settings"])
    state = greedy.init([0.1])
    rates = []
    for metric in case["metrics"]:
        state = greedy.update(state, metric)
        rates.append(0.1 * state.factors[0])
    np.testing.assert_allclose(rates, case["rates"], rtol=1e-12)


class TestGreedy(ControllerContract):
    def controllers(self) -> list[Controller]:
        return [Greedy(), *(greedy_of(case["settings"]) for case in GOLDEN)]


class TestPlateau(ControllerContract):
    def controllers(self) -> list[Controller]:
        return [Plateau(), Plateau(0.5, patience=2, cooldown=3), Plateau(0.3, patience=0, floor=0.05, mode="max")]


def last(greedy: Greedy, metrics: list[float]) -> float:
    state = greedy.init([0.1])
    for metric in metrics:
        state = greedy.update(state, metric)
    return state.factors[0]


def test_one_metric_that_is_not_a_number_does_not_spoil_the_window() -> None:
    greedy = Greedy(cut=0.5, patience=1, window=3)
    falling = [9.0, 8.0, math.nan, 7.0, 6.0, 5.0]
    assert last(greedy, falling) == 4.0  # raised by 9, 8 and by 7, 6; transformers' sum stays nan, and it would cut


def test_relative_improvement_is_right_for_negative_metrics() -> None:
    greedy = Greedy(cut=0.5, patience=0, threshold=0.1, threshold_mode="rel")
    assert last(greedy, [-1.0, -1.05]) == 1.0  # raised, then cut: 5% better is not 10% better
    assert last(greedy, [-1.0, -1.2]) == 4.0


def test_after_so_many_cuts_at_the_floor_everything_starts_anew() -> None:
    greedy = Greedy(cut=0.5, patience=0, floor=0.25, reset=2)
    factors = [last(greedy, [math.nan] * count) for count in range(1, 7)]
    assert factors == [0.5, 0.25, 1.0, 0.5, 0.25, 1.0]


@given(st.lists(st.floats(), max_size=60), st.integers(0, 2), st.integers(1, 4))
def test_the_factor_stays_between_floor_and_ceiling(metrics: list[float], patience: int, window: int) -> None:
    greedy = Greedy(cut=0.3, patience=patience, floor=0.1, ceiling=4.0, window=window, reset=3)
    assert 0.1 <= last(greedy, metrics) <= 4.0


def test_its_text_has_what_differs_from_the_defaults() -> None:
    text = "(hold) * greedy(x0.9, patience 3, cooldown 2, warmup 1, floor 0.1, ceiling 2, window 5, reset 9, rel, max)"
    assert str(parse(text)) == text
    assert parse("hold * greedy(x0.95)") == parse("(hold) * greedy(x0.95, patience 10)")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cut": 1.0}, "greedy cuts by a factor between 0 and 1, got x1"),
        ({"warmup": 1.5}, "greedy's warmup is a whole number of checks, got 1.5"),
        ({"window": 0}, "greedy's window is a whole number of checks of at least 1, got 0"),
        ({"reset": 0}, "greedy's reset is a whole number of checks of at least 1"),
        ({"floor": 2.0}, "its floor is at most 1 and its ceiling at least 1; got floor 2 and ceiling 10"),
        ({"ceiling": 0.5}, "got floor 0.01 and ceiling 0.5"),
        ({"threshold": math.inf}, "threshold is a number of at least 0"),
        ({"mode": "best"}, "greedy's mode is min or max, got 'best'"),
        ({"threshold_mode": "log"}, "threshold_mode is rel or abs"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        Greedy(**settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hold * greedy(x2)", "greedy cuts by a factor between 0 and 1, got x2"),
        ("hold * greedy(x0.9, patients 3)", "unknown setting 'patients' of greedy; it takes patience, threshold"),
        ("hold * greedy(x0.9, max, min)", "'min' says again what greedy has been told"),
        ("greedy(x0.9)", "a greedy needs something to multiply; write '(hold) * greedy(...)'"),
        ("hold * greedy(x0.9) * plateau(x0.1)", "one controller may stand last"),
    ],
)
def test_errors_point_into_the_text(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        parse(text)
    first, quoted, carets = str(raised.value).splitlines()
    assert message in first
    assert quoted.strip() == text
    assert "^" in carets
