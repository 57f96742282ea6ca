from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.errors import ScheduleError
from stepwell.finding import CATALOGUE, Finding
from stepwell.schedule import RECIPES, Horizon, Schedule, schedule
from stepwell.schedule.schedule import Entry, Table
from stepwell.schedule.table import Values
from strategies import schedules

TOTAL = 1000


def codes(text: str, total: int | None = TOTAL) -> list[str]:
    """The codes of all findings about a schedule, 10 updates per epoch."""
    return [finding.code for finding in findings(text, total)]


def findings(text: str, total: int | None = TOTAL) -> list[Finding]:
    return schedule(text).resolve(Horizon(total, 10), base_lr=0.1, momentum=0.9).preflight()


CASES = [
    # the first update
    ("linear 0..1 for 50 @left | cosine to 0", "SW102"),
    ("linear 0..1 for 5ep @left by 1ep | cosine to 0", "SW102"),
    ("linear 0..1 for 50 | cosine to 0", ""),  # read at the right edge
    ("lr: cosine 1..0; momentum: linear 0..0.9 @left", ""),  # a momentum of 0 trains
    # jumps
    ("steps x0.5 every 5ep for 20ep | decay 1 x0.99 per 1ep", "SW103"),  # SequentialLR's jump back to the base
    ("linear 0..1 for 50 | cosine 0.5..0", "SW103"),
    ("(linear 0..1 for 50 | cosine 0.5..0) by 1ep", "SW103"),
    ("linear 0..1 for 50 | repeat (cosine 0.2..0 for 95)", "SW103"),
    ("hold 0.5 for 40 | hold 1", "SW103"),
    ("hold 1 for 400 | hold 0.1 for 300 | hold 0.01", ""),  # a staircase that is written out
    ("linear 0..1 for 50 | cosine 0.95..0", ""),  # too small to matter
    ("hold for 500 | linear 0.001..0", "SW103"),
    ("repeat (linear 1..0 for 100)", ""),  # cycles start anew
    ("linear to 1e-4 for 990 | hold 2e-4", ""),  # twice as much, of next to nothing
    # the floor
    ("cosine 1..0 over 2000", "SW104"),
    ("linear 0..1 for 50 | linear to 0 over 1500", "SW104"),
    ("repeat (cosine 1..0 for 400)", "SW104"),  # the last cycle is cut in its middle
    ("repeat (cosine 1..0 for 250)", ""),
    ("cosine 1..0.1 over 900", ""),
    ("linear 1..0 by 10ep", ""),  # the last stair stands above the end, and the next would be there
    ("0.1 + 0.9 * (cosine 1..0 over 1500)", "SW104"),
    ("lr: hold; momentum: linear 1..0.5 over 5000", "SW104"),
    # rising again
    ("cosine 1..0 for 50% | cosine to 1", "SW105"),
    ("linear 0..1 for 50 | linear to 0.2 for 400 | linear to 0.5", "SW105"),
    ("repeat 1 (cosine 1..0 for 50% | cosine to 1)", ""),  # cycles are meant
    ("linear 0..1 for 50 | linear to 0.2 for 400 | linear to 0.25", ""),  # hardly
    ("lr: hold; momentum: linear 1..0.9 for 30% | linear to 1", ""),  # the momentum of one-cycle
    # dead phases
    ("linear 0..1 for 50 | linear to 0 for 500 | hold", "SW106"),
    ("hold 0 for 50 | linear 0..1 for 50 | hold", "SW106"),
    ("linear 0..1 for 50 | linear to 1e-6 for 500 | hold", ""),
    # dead stretches
    ("cosine 1..0 over 900", "SW106"),
    ("cosine 1..0 over 960", ""),  # a run that is a little longer than was thought
    ("transformers.cosine(num_warmup_steps=50, num_training_steps=100)", "SW102 SW106"),
    ("0.5 * (linear 1..0 over 200)", "SW106"),
    ("linear 1..0 over 200 for 500 | hold 1", "SW103 SW106"),
    ("lr: hold; weight_decay: linear 1..0 over 500", "SW106"),
    ("lr: hold; momentum: linear 1..0 over 500", ""),  # a momentum of 0 trains
    ("linear 0..1 for 500 @left by 100 | hold", "SW102 SW108"),  # the first stair is 0, which is said already
    ("0.1 + 0.9 * (linear 1..0 over 200)", ""),
    ("max(0.1, hold 0 for 50 | hold 1)", "SW103"),  # the part is 0, the rate is not
    # max
    ("max(cosine 1..0.2, 0.1)", "SW107"),
    ("linear 0..1 for 50 | (max(cosine 1..0, 1))", "SW107"),
    ("max(cosine 1..0, 0.1)", ""),
    # warm-ups
    ("linear 0..1 for 40% | cosine to 0", "SW108"),
    ("linear 0..1", "SW108"),
    ("linear 0.1..1 over 3000", "SW108"),
    ("linear 0.1..1 for 30% | cosine to 0", ""),
    ("repeat 1 (linear 0.1..1 for 50% | linear to 0.1)", ""),
    # beyond the run
    ("steps x0.1 at 30ep 60ep 150ep", "SW109"),
    ("steps x0.1 at 1000", "SW109"),  # no update would use it
    ("steps x0.1 at 999", ""),
    ("steps x0.1 every 200ep", "SW109"),
    ("linear 0..1 for 50 | steps x0.1 every 3ep for 30 | hold", "SW109"),
    ("table(1 0.5 0.25) over 2000", "SW109"),
    ("table(1 0.5 0.25) over 900", ""),
    ("lr: hold; weight_decay: steps x0.5 at 3000", "SW109"),
    # entries other than the rate
    ("lr: hold; weight_decay: linear 0..1 for 50 @left | hold", "SW102"),
    ("lr: hold; weight_decay: linear 0..1 for 50 | linear 0.5..0.4", "SW103"),
    ("lr: hold; momentum: hold 0.8 for 50 | hold 1", "SW103"),
    ("lr: hold; weight_decay: cosine 1..0 for 50% | cosine to 1", "SW105"),
    ("lr: hold; weight_decay: linear 1..0 for 50% | hold", "SW106"),
    ("lr: hold; momentum: linear 1..0 for 50% | hold", ""),  # a momentum of 0 trains
    ("lr: hold; eps: linear 0.1..1 for 40% | hold", "SW108"),
    ("lr: hold; weight_decay: linear 0.1..1", ""),  # Megatron's ramp
    ("steps x0.1 at 30ep 60ep", ""),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_the_guilty_are_told_and_the_innocent_are_not(text: str, expected: str) -> None:
    horizon = Horizon(TOTAL, 10)
    found = schedule(text).resolve(horizon, base_lr=0.1, momentum=0.9, weight_decay=0.1, eps=1e-8).preflight()
    assert [finding.code for finding in found] == expected.split()


GUILTY = {
    "torch.constant_lr": "SW103",  # it jumps from a share of the rate to all of it, that is all it does
    "optax.sgdr_schedule": "SW103",  # restarts, written one by one because each may have another length
    "deepspeed.lr_range_test": "SW108",  # it rises for the whole run, to find the largest rate
}
WASTEFUL = ("transformers", "optax", "megatron", "deepspeed", "composer")
"""Libraries whose warm-ups begin at a rate of 0, so that the first update changes nothing; the recipes are theirs."""


@pytest.mark.parametrize("total", [40, 97, 620, 100_000])
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_innocent_or_guilty_on_purpose(name: str, total: int) -> None:
    found = [finding.code for finding in schedule(name).resolve(Horizon(total), base_lr=0.1, momentum=0.9).preflight()]
    wastes = name.split(".")[0] in WASTEFUL and "0..1 for 5% @left" in RECIPES[name].text
    assert set(found) == ({GUILTY[name]} if name in GUILTY else {"SW102"} if wastes else set())


def test_every_finding_has_a_fixture_numbers_and_a_cure() -> None:
    guilty = {code for _, expected in CASES for code in expected.split()}
    assert guilty == {code for code in CATALOGUE if "SW102" <= code <= "SW109"}
    for text, expected in CASES:
        all_found = schedule(text).resolve(Horizon(TOTAL, 10), weight_decay=0.1, momentum=1.0).preflight()
        assert len(all_found) == len(expected.split())
        for found in all_found:
            assert found.evidence
            assert all(np.isfinite(value) for _, value in found.evidence)
            assert found.cure


def test_the_numbers_are_those_of_the_run() -> None:
    _, dead = findings("transformers.cosine(num_warmup_steps=50, num_training_steps=100)", 500)
    assert (dead.place, dead.evidence) == ("step 100", (("steps", 400),))
    assert "is 0 in the 400 updates 100 to 499, 80% of the run" in dead.message
    (jump,) = findings("linear 0..1 for 50 | cosine 0.5..0")
    assert (jump.place, jump.evidence) == ("step 50", (("before", 1.0), ("after", 0.5)))
    (hot,) = findings("linear 1..0 over 2000")
    assert hot.evidence == (("last", 0.5), ("written_end", 0.0))
    (warm,) = findings("linear 0..1 for 500 | hold")
    assert warm.evidence == (("peak_step", 499), ("share", 0.499))
    (late,) = findings("steps x0.1 at 30ep 150ep")
    assert late.evidence == (("needed", 1501), ("steps", 1000))
    assert str(late).startswith("SW109 at step 0: 'steps x0.1 at 30ep 150ep' goes on until its step 1501")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("linear 0..1 for 50 @left | hold", "step 0 of weight_decay", "the first update has a weight_decay of 0"),
        ("hold 0.5 for 50 | hold 1", "step 50 of weight_decay", "jumps from 0.5 to 1 where 'hold 1' begins"),
        ("cosine 1..0 for 50% | cosine to 1", "step 500 of weight_decay", "rises to 1 by step 999"),
        ("linear 1..0 for 50% | hold", "step 500 of weight_decay", "'hold' has a weight_decay of 0 in all of its 500"),
    ],
)
def test_a_finding_names_the_entry_where_it_is_not_the_rate(text: str, place: str, message: str) -> None:
    (found,) = findings(f"lr: hold; weight_decay: {text}")
    assert found.place == place
    assert message in found.message


def test_several_findings_come_in_order() -> None:
    assert codes("linear 0..1 for 50% @left | hold 2 for 100 | hold 0") == ["SW102", "SW103", "SW106", "SW108"]


def test_a_recorded_rate_is_as_it_is() -> None:
    zigzag = Values.of(np.abs(np.sin(np.arange(TOTAL) / 100)) + 0.1)
    recorded = Schedule((Entry("lr", Table(zigzag)),))
    assert recorded.resolve(Horizon(TOTAL)).preflight() == []
    assert [finding.code for finding in recorded.resolve(Horizon(TOTAL // 2)).preflight()] == ["SW109"]


def test_a_run_without_end_has_nothing_to_hold_against() -> None:
    assert codes("linear 0..1 for 50 @left | hold", None) == []


def test_a_long_run_is_looked_at_in_places() -> None:
    assert codes("linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%", 10**9) == []
    assert codes("hold 0.5 for 7 | hold 1", 10**9) == ["SW103"]
    assert codes("cosine 1..0 for 50% | cosine to 1", 10**9) == ["SW105"]


@given(schedules(), st.integers(1, 400))
@settings(max_examples=150)
def test_whatever_can_be_laid_can_be_looked_at(one: Schedule, total: int) -> None:
    try:
        curve = one.resolve(Horizon(total, 7, 1000.0), base_lr=0.1, momentum=0.9, weight_decay=0.01)
    except ScheduleError:
        return
    with np.errstate(all="ignore"):  # products of large factors may be infinite
        for found in curve.preflight():
            assert found.code in CATALOGUE
