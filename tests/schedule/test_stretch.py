from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from stepwell.schedule import RECIPES, Horizon, parse, schedule
from stepwell.schedule.stretch import stretched


@pytest.mark.parametrize("name", RECIPES)
def test_a_miniature_has_the_same_shape(name: str) -> None:
    small = stretched(schedule(name), Fraction(1, 4))
    whole = schedule(name).resolve(Horizon(2000), momentum=0.9)(np.arange(2000))[::4]
    apart = np.abs(small.resolve(Horizon(500), momentum=0.9)(np.arange(500)) - whole)
    assert np.count_nonzero(apart > 0.06) <= 2  # a jump may fall one step sooner or later


def test_lengths_are_multiplied_and_shares_stay() -> None:
    assert str(stretched(parse("table(1 0.5 0.2 0.1)"), Fraction(1, 2))) == "table(1 0.5 0.2 0.1) over 2"
    assert (
        str(stretched(parse("hold * greedy(x0.9, patience 4, window 8)"), Fraction(1, 4)))
        == "(hold) * greedy(x0.9, patience 1, window 2)"
    )
    text = "linear 0..1 for 500 | hold for 2ep | steps x0.5 every 30tok for 50% | cosine to 0 over 8"
    small = "linear 0..1 for 125 | hold for 0.5ep | steps x0.5 every 7.5tok for 50% | cosine to 0 over 2"
    assert stretched(parse(text), Fraction(1, 4)) == parse(small)
    assert (
        str(stretched(parse("hold * plateau(x0.1, patience 10)"), Fraction(1, 4)))
        == "(hold) * plateau(x0.1, patience 3)"
    )


@pytest.mark.parametrize(
    ("text", "small"),
    [
        ("hold 0 for 1 | linear 0..1 for 199 | hold", "hold 0 for 1 | linear 0..1 for 49 | hold"),
        ("hold 0 for 1 | linear 0..1 for 99", "hold 0 for 1 | linear 0..1 for 24"),  # and still fills its run
        ("repeat (linear 0..1 for 3 | linear to 0 for 5)", "repeat (linear 0..1 for 1 | linear to 0 for 1)"),
        ("linear 0..1 for 1 | hold", "linear 0..1 for 1 | hold"),
        ("linear 0..1 for 0.5 | hold", "linear 0..1 for 0.125 | hold"),  # it had no step to keep
    ],
)
def test_a_phase_of_one_step_stays_one_step(text: str, small: str) -> None:
    assert stretched(parse(text), Fraction(1, 4)) == parse(small)


@pytest.mark.parametrize("name", ["warmup_lr", "warmup_decay_lr", "warmup_cosine_lr"])
@pytest.mark.parametrize("way", ["log", "linear"])
def test_a_warmup_that_comes_one_update_late_has_a_miniature(name: str, way: str) -> None:
    whole = schedule(f"deepspeed.{name}(warmup_num_steps=200, warmup_type={way})")
    small = stretched(whole, Fraction(1, 4)).resolve(Horizon(500))(np.arange(500))
    assert small[0] == 0
    apart = np.abs(small - whole.resolve(Horizon(2000))(np.arange(2000))[::4])
    assert np.count_nonzero(apart > 0.06) <= 4  # the first steps of a logarithm
