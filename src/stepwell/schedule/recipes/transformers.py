"""transformers: `get_scheduler(name, ...)`.

`num_warmup_steps` counts into `num_training_steps`, which left out is the run. Warm-ups begin at a rate of 0, so that
the first update changes nothing; here as there.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.recipes.parts import (
    Span,
    after,
    length,
    less,
    number,
    percent,
    phase,
    plateau,
    poly,
    rate,
    readings,
    scaled,
    share,
    warmup,
    whole,
)
from stepwell.schedule.recipes.recipe import Recipe

MOST_CYCLES = 64  # each is a phase of the text
Way = Literal["linear", "cosine", "1-sqrt"]


def constant() -> str:
    """The same rate throughout."""
    return "hold"


def constant_with_warmup(num_warmup_steps: Span = "5%") -> str:
    """A linear warm-up, then the same rate."""
    return f"{warmup(_warmup(num_warmup_steps))}hold 1"


def linear(num_warmup_steps: Span = "5%", num_training_steps: Span | None = None) -> str:
    """A linear warm-up, then a straight line to 0."""
    return _then("linear", num_warmup_steps, num_training_steps)


def cosine(num_warmup_steps: Span = "5%", num_training_steps: Span | None = None, num_cycles: float = 0.5) -> str:
    """A linear warm-up, then half a cosine to 0.

    Past `num_training_steps` transformers goes on and rises again; here the last half of a wave stays at its end.
    `num_cycles` other than 0.5 gives as many waves, and needs `num_training_steps` to be known.
    """
    rise = _warmup(num_warmup_steps)
    return f"{warmup(rise)}{_waves(rise, num_training_steps, num_cycles, '0')}"


def cosine_with_restarts(
    num_warmup_steps: Span = "5%", num_training_steps: Span | None = None, num_cycles: int = 1
) -> str:
    """A linear warm-up, then cosines to 0 that restart at the peak.

    Exact with `num_training_steps`; without, a cycle that is not a whole number of updates begins at the nearest one.
    """
    rise, cycles = _warmup(num_warmup_steps), whole("num_cycles", num_cycles, most=MOST_CYCLES)
    rest = after("num_training_steps", num_training_steps, "num_warmup_steps", rise)
    if rest is None:
        return f"{warmup(rise)}cosine 1..0" if cycles == 1 else f"{warmup(rise)}repeat {cycles} (cosine 1..0)"
    cycle, end = scaled(rest, Fraction(1, cycles)), Fraction(repr(rest.value))
    begins = [end * k / cycles for k in range(cycles)]
    texts = [
        phase("cosine", "1", "0", over=cycle, offset=offset, span=span)
        for _, offset, span in readings(begins, end, rest.unit, whole_steps=rest.unit is Unit.STEPS)
    ]
    return warmup(rise) + " | ".join(texts)


def polynomial(
    num_warmup_steps: Span = "5%",
    num_training_steps: Span | None = None,
    lr_end: float | None = None,
    power: float = 1.0,
) -> str:
    """A linear warm-up, then a power of the time that is left, to `lr_end`.

    `lr_end` is a rate; left out it is 0, where transformers takes 1e-7.
    """
    shape = poly(power)
    return _then(shape, num_warmup_steps, num_training_steps, rate("lr_end", lr_end))


def inverse_sqrt(num_warmup_steps: Span = "5%", timescale: Span | None = None) -> str:
    """A linear warm-up, then one over the root of the step; needs no end.

    `timescale` is the length of the warm-up where it is left out, 10000 without a warm-up.
    """
    rise = _warmup(num_warmup_steps)
    clock = length("timescale", timescale) if timescale is not None else rise if rise.value else Length(10_000.0)
    return f"{warmup(rise)}inverse-sqrt 1 over {clock}"


def cosine_with_min_lr(
    num_warmup_steps: Span = "5%",
    num_training_steps: Span | None = None,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> str:
    """A linear warm-up, then half a cosine to a floor.

    The floor is the rate `min_lr`, or the share `min_lr_rate` of the base rate, a tenth where both are left out.
    transformers measures `min_lr` against the optimizer's default rate, so that groups with another miss it. Past
    `num_training_steps` it goes on and rises again; here the last half of a wave stays at its end.
    """
    rise = _warmup(num_warmup_steps)
    return f"{warmup(rise)}{_waves(rise, num_training_steps, num_cycles, _floor(min_lr, min_lr_rate))}"


def cosine_warmup_with_min_lr(
    num_warmup_steps: Span = "5%",
    num_training_steps: Span | None = None,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> str:
    """A warm-up that wastes no update, then half a cosine that reaches its floor with the last one.

    The warm-up begins at the share `warmup_lr_rate`, at one step above 0 where it is left out; then a length in updates
    is exact, and in other units the peak comes one update late. Past `num_training_steps` transformers rises again;
    here the floor stays. Its `num_cycles` is 0.5.
    """
    rise = _warmup(num_warmup_steps)
    rest = after("num_training_steps", num_training_steps, "num_warmup_steps", rise)
    fall = phase("cosine", "1", _floor(min_lr, min_lr_rate), over=rest, right=True)
    if warmup_lr_rate is None or not rise.value:
        return f"{warmup(rise, right=True)}{fall}"
    start = share("warmup_lr_rate", warmup_lr_rate)
    clock = Length(max(rise.value - 1, 1.0)) if rise.unit is Unit.STEPS else None
    return f"{phase('linear', start, '1', over=clock, span=rise)} | {fall}"


def warmup_stable_decay(
    num_warmup_steps: Span = "5%",
    num_decay_steps: Span = "20%",
    num_stable_steps: Span | None = None,
    num_training_steps: Span | None = None,
    warmup_type: Way = "linear",
    decay_type: Way = "cosine",
    min_lr_ratio: float = 0.0,
) -> str:
    """Warm up, stay, cool down at the end (WSD).

    Both the warm-up's start and the cooldown's end are `min_lr_ratio`. Without `num_stable_steps` and
    `num_training_steps` the cooldown ends with the run. `num_cycles` is 0.5.
    """
    rise, fall = _warmup(num_warmup_steps), length("num_decay_steps", num_decay_steps)
    low = share("min_lr_ratio", min_lr_ratio, most=1.0)
    if num_stable_steps is None:
        rest = after("num_training_steps", num_training_steps, "num_warmup_steps", rise)
        stable = None if rest is None else less("num_training_steps", rest, "num_decay_steps", fall, nothing=True)
    else:
        stable = length("num_stable_steps", num_stable_steps, zero=True)
    up = {"linear": "linear", "cosine": "cosine", "1-sqrt": "poly(0.5)"}[warmup_type]
    span, over = (fall, None) if stable is None else (None, fall)
    return f"{warmup(rise, low, shape=up)}{plateau(stable)}{phase(decay_type, '1', low, over=over, span=span)}"


def reduce_lr_on_plateau(
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
) -> str:
    """Cut the rate when the metric stalls: torch's ReduceLROnPlateau.

    A `min_lr` is a factor here: add `floor 0.01` to the text.
    """
    from stepwell.schedule import twins  # which read recipes themselves

    made = twins.reduce_lr_on_plateau(mode, factor, patience, threshold, threshold_mode, cooldown)
    return f"(hold) * {made}"


def greedy(
    mode: Literal["min", "max"] = "min",
    factor: float = 0.95,
    patience: int = 10,
    threshold: float = 1e-6,
    threshold_mode: Literal["rel", "abs"] = "abs",
    cooldown: int = 0,
    warmup: int = 0,
) -> str:
    """Raise the rate while the metric improves, cut it when it stalls.

    transformers' `min_lr`, `max_lr`, `smooth`, `window_size` and `reset_start` are `floor`, `ceiling`, `window` and
    `reset` in the text; floor and ceiling are factors of the base rate.
    """
    from stepwell.schedule.control import Greedy

    made = Greedy(
        cut=factor,
        patience=patience,
        threshold=threshold,
        threshold_mode=threshold_mode,
        cooldown=cooldown,
        warmup=warmup,
        mode=mode,
    )
    return f"(hold) * {made}"


def _warmup(num_warmup_steps: Span) -> Length:
    return length("num_warmup_steps", num_warmup_steps, zero=True)


def _then(shape: str, num_warmup_steps: Span, num_training_steps: Span | None, end: str = "0") -> str:
    rise = _warmup(num_warmup_steps)
    rest = after("num_training_steps", num_training_steps, "num_warmup_steps", rise)
    return f"{warmup(rise)}{phase(shape, '1', end, over=rest)}"


def _waves(rise: Length, num_training_steps: Span | None, num_cycles: float, end: str) -> str:
    """Half a cosine, or as many waves as `num_cycles` says."""
    if number("num_cycles", num_cycles, above=True) == 0.5:
        rest = after("num_training_steps", num_training_steps, "num_warmup_steps", rise)
        return phase("cosine", "1", end, over=rest)
    if num_training_steps is None and rise.value and rise.unit is not Unit.RUN:
        raise ScheduleError(
            f"num_cycles of {written(num_cycles)} needs num_training_steps, in {rise.unit or 'updates'}"
        )
    total = percent("the run", 1.0) if num_training_steps is None else num_training_steps
    rest = less("num_training_steps", length("num_training_steps", total), "num_warmup_steps", rise)
    exact = Fraction(repr(rest.value)) / (2 * Fraction(repr(float(num_cycles))))
    count = math.ceil(2 * Fraction(repr(float(num_cycles))))
    if count > 2 * MOST_CYCLES:
        raise ScheduleError(f"num_cycles is a number of at most {MOST_CYCLES}, got {written(num_cycles)}")
    half, begins = Length(float(exact), rest.unit), [exact * k for k in range(count)]
    texts = [
        phase("cosine", *(("1", end) if index % 2 == 0 else (end, "1")), over=half, offset=offset, span=span)
        for index, offset, span in readings(
            begins, Fraction(repr(rest.value)), rest.unit, whole_steps=rest.unit is Unit.STEPS
        )
    ]
    return " | ".join(texts)


def _floor(min_lr: float | None, min_lr_rate: float | None) -> str:
    if min_lr is not None and min_lr_rate is not None:
        raise ScheduleError("min_lr and min_lr_rate both say the floor; give one of them")
    if min_lr is not None:
        return rate("min_lr", min_lr)
    return share("min_lr_rate", 0.1 if min_lr_rate is None else min_lr_rate)


FILE = "transformers/optimization.py"
SGDR = "Loshchilov and Hutter 2017, arXiv:1608.03983"
RECIPES = (
    Recipe("transformers.constant", constant, f"get_constant_schedule, {FILE}"),
    Recipe("transformers.constant_with_warmup", constant_with_warmup, f"get_constant_schedule_with_warmup, {FILE}"),
    Recipe("transformers.linear", linear, f"get_linear_schedule_with_warmup, {FILE}"),
    Recipe("transformers.cosine", cosine, f"get_cosine_schedule_with_warmup, {FILE}; {SGDR}"),
    Recipe(
        "transformers.cosine_with_restarts",
        cosine_with_restarts,
        f"get_cosine_with_hard_restarts_schedule_with_warmup, {FILE}; {SGDR}",
    ),
    Recipe("transformers.polynomial", polynomial, f"get_polynomial_decay_schedule_with_warmup, {FILE}"),
    Recipe(
        "transformers.inverse_sqrt",
        inverse_sqrt,
        f"get_inverse_sqrt_schedule, {FILE}; Vaswani et al. 2017, arXiv:1706.03762",
    ),
    Recipe(
        "transformers.cosine_with_min_lr", cosine_with_min_lr, f"get_cosine_with_min_lr_schedule_with_warmup, {FILE}"
    ),
    Recipe(
        "transformers.cosine_warmup_with_min_lr",
        cosine_warmup_with_min_lr,
        f"get_cosine_with_min_lr_schedule_with_warmup_lr_rate, {FILE}",
    ),
    Recipe(
        "transformers.warmup_stable_decay",
        warmup_stable_decay,
        f"get_wsd_schedule, {FILE}; Hu et al. 2024, arXiv:2404.06395",
    ),
    Recipe("transformers.reduce_lr_on_plateau", reduce_lr_on_plateau, f"get_reduce_on_plateau_schedule, {FILE}"),
    Recipe("transformers.greedy", greedy, f"GreedyLR, {FILE}; arXiv:2512.14527"),
)
