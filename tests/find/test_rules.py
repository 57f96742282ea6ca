"""The peers' rules against the packages themselves (`golden/make_rules.py`), and on whatever a sweep may bring."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stepwell.errors import OptionError
from stepwell.find.rules import RULES, fastai_smooth, suggestions

GOLDEN = json.loads((Path(__file__).parent / "golden" / "rules.json").read_text())
# fastai gives its rates in single precision; the others are the very rates of the sweep.
PACKAGES = {"fastai": 1e-7, "lightning": 1e-9, "torch_lr_finder": 1e-9, "ignite": 1e-9}
LOSSES = st.one_of(
    st.floats(-1e3, 1e3), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 2.5, 1e300, -1e300, 5e-324])
)


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_every_rule_gives_what_its_package_gives(case: dict[str, Any], package: str) -> None:
    planned = len(case["losses"]) - 1
    updates = case["updates"][package]
    rates = GOLDEN["rates"][f"{package} {planned}"]
    losses = case["losses"][: len(rates)]
    # Once with the losses that the package saw, once with what it would have seen had it not stopped.
    for many in updates, len(rates):
        found = suggestions(rates[:many], losses[:many], planned)
        for name, theirs in case["answers"].items():
            if name.startswith(package.replace("_", "-")):
                np.testing.assert_allclose(
                    found[name], math.nan if theirs is None else theirs, rtol=PACKAGES[package], err_msg=name
                )


def test_the_golden_values_are_of_every_rule_and_tell_them_apart() -> None:
    for case in GOLDEN["cases"]:
        assert set(case["answers"]) == set(RULES)
    first = {name: round(rate, 12) for name, rate in GOLDEN["cases"][2]["answers"].items()}
    assert len(set(first.values())) == len(RULES)


@given(st.lists(LOSSES, max_size=140), st.integers(1, 400))
@example([math.nan] * 30, 30)
@example([1.0] * 29 + [math.inf], 30)
@example([0.0] * 50 + [-0.0], 100)
def test_a_rule_gives_a_rate_of_the_sweep_or_none(losses: list[float], planned: int) -> None:
    rates = np.geomspace(1e-7, 10.0, len(losses)) if losses else np.empty(0)
    found = suggestions(rates, losses, planned)
    assert list(found) == list(RULES)
    for name, rate in found.items():
        allowed = rates / 10 if name == "fastai.minimum" else rates
        assert math.isnan(rate) or rate in allowed


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=120), st.floats(0.001, 1000))
def test_other_units_of_the_rate_give_the_same_point(losses: list[float], unit: float) -> None:
    rates = np.geomspace(1e-5, 1.0, len(losses))
    one, other = suggestions(rates, losses), suggestions(rates * unit, losses)
    for name in set(RULES) - {"lightning", "fastai.steep"}:  # these divide by steps of the rate, so rounding may decide
        np.testing.assert_allclose(other[name], one[name] * unit, rtol=1e-12)


@pytest.mark.parametrize("length", [0, 1, 2, 16, 100])
@pytest.mark.parametrize("value", [2.5, 0.0, -1.0, math.nan, math.inf])
def test_a_constant_loss_has_no_answer(length: int, value: float) -> None:
    found = suggestions(np.geomspace(1e-5, 1.0, length) if length else [], [value] * length)
    assert all(math.isnan(rate) for rate in found.values())


def test_a_long_fall_is_read_where_its_steepest_or_lowest_point_is() -> None:
    """By hand: a straight fall to 0.1 and a rise after it, without noise; smoothing moves the lowest point right."""
    rates = np.geomspace(1e-4, 10.0, 101)
    losses = np.abs(np.log10(rates) + 1.0)
    found = suggestions(rates, losses)
    assert 0.1 < 10 * found["fastai.minimum"] < 2.0
    assert found["ignite"] < 0.15 < 10 * found["fastai.minimum"]


def test_the_smooth_loss_begins_at_the_first_and_stops_after_four_times_the_best() -> None:
    assert fastai_smooth(np.array([3.0]))[0] == pytest.approx(3.0, rel=1e-12)
    losses = np.array([1.0] * 50 + [1e9] * 50)
    smooth = fastai_smooth(losses)
    assert len(smooth) == 51
    assert smooth[-1] > 4.0 >= smooth[-2]
    assert len(fastai_smooth(losses, stop=math.inf)) == 100


@pytest.mark.parametrize(
    ("rates", "losses", "words"),
    [
        ([0.1, 0.1, 0.2], [1.0, 2.0, 3.0], "must ascend; after 0.1 comes 0.1, at update 1"),
        ([0.3, 0.2], [1.0, 2.0], "must ascend; after 0.3 comes 0.2"),
        ([0.0, 0.2], [1.0, 2.0], "positive"),
        ([0.1, math.nan], [1.0, 2.0], "positive numbers"),
        ([0.1, 0.2], [1.0], r"one loss for every rate, got rates of shape \(2,\), losses of \(1,\)"),
    ],
)
def test_rates_that_are_no_sweep_are_refused(rates: list[float], losses: list[float], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        suggestions(rates, losses)
