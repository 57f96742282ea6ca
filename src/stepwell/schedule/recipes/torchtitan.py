"""torchtitan: one schedule."""

from __future__ import annotations

from typing import Literal

from stepwell.schedule.length import Length, Unit
from stepwell.schedule.recipes.parts import (
    Span,
    after,
    length,
    less,
    number,
    percent,
    phase,
    plateau,
    scaled,
    share,
    warmup,
)
from stepwell.schedule.recipes.recipe import Recipe


def linear_warmup_stable_decay(
    warmup_steps: Span = "5%",
    total_steps: Span | None = None,
    decay_ratio: float | None = None,
    decay_type: Literal["linear", "sqrt", "cosine"] = "linear",
    min_lr_factor: float = 0.0,
) -> str:
    """A warm-up that wastes no update, a plateau, and a decay whose virtual last step is after the run (WSD).

    The decay takes the share `decay_ratio` of all steps, everything after the warm-up where it is left out. torchtitan
    rounds it to whole steps, halves to even. Past `total_steps` it goes below 0, or up again for the cosine; here the
    end stays.
    """
    rise = length("warmup_steps", warmup_steps, zero=True)
    shape = {"linear": "linear", "sqrt": "1-sqrt", "cosine": "cosine"}[decay_type]
    low = share("min_lr_factor", min_lr_factor, most=1.0)
    begin = warmup(rise, right=True)
    rest = after("total_steps", total_steps, "warmup_steps", rise)
    if decay_ratio is None:
        return f"{begin}{phase(shape, '1', low, over=rest)}"
    if total_steps is None:
        return f"{begin}hold 1 | {phase(shape, '1', low, span=percent('decay_ratio', decay_ratio))}"
    total = length("total_steps", total_steps)
    fall = scaled(total, number("decay_ratio", decay_ratio, most=1.0, above=True))
    fall = Length(float(round(fall.value))) if fall.unit is Unit.STEPS else fall
    stable = less("what warmup_steps leaves of total_steps", rest or total, "decay_ratio", fall, nothing=True)
    return f"{begin}{plateau(stable)}{phase(shape, '1', low, over=fall)}"


RECIPES = (
    Recipe(
        "torchtitan.linear_warmup_stable_decay",
        linear_warmup_stable_decay,
        "LRSchedulersContainer, torchtitan/components/optimizer/lr_scheduler.py; Hu et al. 2024, arXiv:2404.06395",
    ),
)
