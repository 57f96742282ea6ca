"""timm: pure schedules in epochs or updates.

Lengths in epochs are read once per epoch, as timm does; in other units at every update. timm's `noise_...` is random
and its `k_decay` bends the clock of a cosine; no text says either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.recipes.parts import (
    Span,
    length,
    lengths,
    less,
    number,
    phase,
    rate,
    readings,
    scaled,
    warmup,
    whole,
)
from stepwell.schedule.recipes.parts import plateau as stretch
from stepwell.schedule.recipes.parts import poly as poly_of
from stepwell.schedule.recipes.recipe import Recipe

RUN = Length(100.0, Unit.RUN)
MOST_CYCLES = 64  # each is a phase of the text


def cosine(
    t_initial: Span | None = None,
    lr_min: float | None = None,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: Span = 0,
    warmup_lr_init: float | None = None,
    warmup_prefix: bool = False,
) -> str:
    """Half a cosine per cycle, with a warm-up that covers its beginning or, as a prefix, comes before it.

    Without `warmup_prefix` the rate drops where the warm-up ends, because the cosine has been going since the start.
    The floor `lr_min` and `warmup_lr_init` are rates. Past the last cycle both stay at `lr_min`.
    """
    rise = _Rise(warmup_t, warmup_lr_init, warmup_prefix)
    return _cycles("cosine", t_initial, rate("lr_min", lr_min), cycle_mul, cycle_decay, cycle_limit, rise)


def poly(  # noqa: PLR0913 - the library's own parameters
    t_initial: Span | None = None,
    power: float = 0.5,
    lr_min: float | None = None,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: Span = 0,
    warmup_lr_init: float | None = None,
    warmup_prefix: bool = False,
) -> str:
    """A power of the time that is left per cycle, with a warm-up as `timm.cosine` has it.

    The floor `lr_min` and `warmup_lr_init` are rates. Past the last cycle both stay at `lr_min`.
    """
    shape = poly_of(power)
    rise = _Rise(warmup_t, warmup_lr_init, warmup_prefix)
    return _cycles(shape, t_initial, rate("lr_min", lr_min), cycle_mul, cycle_decay, cycle_limit, rise)


def tanh(
    t_initial: Span | None = None,
    lb: float = -7.0,
    ub: float = 3.0,
    warmup_t: Span = 0,
    warmup_lr_init: float | None = None,
    warmup_prefix: bool = False,
) -> str:
    """A hyperbolic tangent: stays near the peak, falls quickly, ends a little above 0.

    `lr_min` is 0 and there is one cycle. Past its end timm drops to 0; here the rate goes on falling slowly. timm's
    very first update has the whole rate, a millionth more than here.
    """
    low, high = number("lb", lb, least=-math.inf), number("ub", ub, least=-math.inf)
    reach = max(abs(low), abs(high))
    if low >= high:
        raise ScheduleError(f"lb is below ub, got {written(low)} and {written(high)}")
    shape = f"tanh({written(reach)})"
    # The shape goes from -reach to reach, timm's from lb to ub: a part of its clock, which is so much longer.
    stretch = Fraction(2 * reach) / (Fraction(high) - Fraction(low))
    begun = (Fraction(low) + Fraction(reach)) / (Fraction(high) - Fraction(low))
    rise = _Rise(warmup_t, warmup_lr_init, warmup_prefix)
    total = _total(t_initial, rise)
    top, bottom = (written(0.5 + sign * math.tanh(reach) / 2) for sign in (1, -1))
    span, offset = rise.span, scaled(total, begun)
    target = "1" if rise.prefix else ""
    if span.value and not rise.prefix:
        if span.unit != total.unit:
            raise ScheduleError(f"warmup_t and t_initial are in one unit, got {span} and {total}")
        offset = Length(float(Fraction(repr(offset.value)) + Fraction(repr(span.value))), total.unit)
        target = written(0.5 - math.tanh(low + (high - low) * span.value / total.value) / 2)
    text = phase(shape, top, bottom, over=scaled(total, stretch), offset=offset)
    return _by_epoch(warmup(span, rise.start, target) + text, span, total)


def step(
    decay_t: Span = "30%",
    decay_rate: float = 0.1,
    warmup_t: Span = 0,
    warmup_lr_init: float | None = None,
    warmup_prefix: bool = True,
) -> str:
    """A staircase, after a warm-up.

    The default `decay_rate` is a tenth; timm's is 1, which changes nothing.
    """
    rise, stair = _Rise(warmup_t, warmup_lr_init, warmup_prefix), length("decay_t", decay_t)
    start = "steps 1" if rise.span.value else "steps"
    text = f"{start} x{written(number('decay_rate', decay_rate, above=True))} every {stair}{rise.offset}"
    return _by_epoch(f"{warmup(rise.span, rise.start)}{text}", rise.span, stair)


def multistep(
    decay_t: Sequence[Span] = ("30%", "60%"),
    decay_rate: float = 0.1,
    warmup_t: Span = 0,
    warmup_lr_init: float | None = None,
    warmup_prefix: bool = True,
) -> str:
    """Milestones, after a warm-up, each taken one epoch or update before it is reached.

    That is timm's own convention, kept for its schedules: with `decay_t=30ep` the rate falls at epoch 29. Milestones in
    shares of the run or in tokens are taken where they are. The default `decay_rate` is a tenth; timm's is 1.
    """
    rise, places = _Rise(warmup_t, warmup_lr_init, warmup_prefix), lengths("decay_t", decay_t)
    if places[0].unit in (Unit.STEPS, Unit.EPOCHS):
        places = [Length(place.value - 1, place.unit) for place in places]
    if places[0].value < 0:
        raise ScheduleError("decay_t is at least 1 epoch or update, because timm takes it one early")
    start = "steps 1" if rise.span.value else "steps"
    cut = written(number("decay_rate", decay_rate, above=True))
    text = f"{start} x{cut} at {' '.join(map(str, places))}{rise.offset}"
    return _by_epoch(f"{warmup(rise.span, rise.start)}{text}", rise.span, *places)


def wsd(
    t_initial: Span | None = None,
    decay_t: Span = "20%",
    lr_min: float | None = None,
    decay_fn: Literal["1-sqrt", "linear", "cosine", "power"] = "1-sqrt",
    decay_power: float = 0.5,
    warmup_t: Span = 0,
    warmup_lr_init: float | None = None,
) -> str:
    """Warm up, stay, cool down at the end (WSD); the warm-up comes on top of `t_initial`.

    `stable_fn` is `constant`.
    """
    rise, fall = _Rise(warmup_t, warmup_lr_init, prefix=True), length("decay_t", decay_t)
    shape = f"power({written(number('decay_power', decay_power, above=True))})" if decay_fn == "power" else decay_fn
    floor = rate("lr_min", lr_min)
    stable = None
    if t_initial is not None:
        stable = less("t_initial", length("t_initial", t_initial), "decay_t", fall, nothing=True)
    span, over = (fall, None) if stable is None else (None, fall)
    text = f"{stretch(stable)}{phase(shape, '1', floor, over=over, span=span)}"
    return _by_epoch(f"{warmup(rise.span, rise.start)}{text}", rise.span, fall)


def plateau(
    decay_rate: float = 0.1,
    patience_t: int = 10,
    threshold: float = 1e-4,
    cooldown_t: int = 0,
    warmup_t: Span = 0,
    warmup_lr_init: float | None = None,
    mode: Literal["min", "max"] = "max",
) -> str:
    """Cut the rate when the metric stalls, after a warm-up; larger metrics are better.

    timm looks at no metric during its warm-up; here do not call `observe` before it is over. `lr_min` is a factor here:
    add `floor 0.01` to the text.
    """
    from stepwell.schedule import twins  # which read recipes themselves

    rise = _Rise(warmup_t, warmup_lr_init, prefix=True)
    made = twins.reduce_lr_on_plateau(mode, decay_rate, patience_t, threshold, cooldown=cooldown_t)
    text = f"{warmup(rise.span, rise.start)}hold{' 1' if rise.span.value else ''}"
    return f"({_by_epoch(text, rise.span)}) * {made}"


class _Rise:
    """The warm-up: how long, from which level, and whether the schedule begins only after it."""

    def __init__(self, warmup_t: Span, warmup_lr_init: float | None, prefix: bool) -> None:
        self.span = length("warmup_t", warmup_t, zero=True)
        self.start = rate("warmup_lr_init", warmup_lr_init)
        self.prefix = prefix

    @property
    def covered(self) -> Length | None:
        """How much of the schedule it covers."""
        return None if self.prefix or not self.span.value else self.span

    @property
    def offset(self) -> str:
        """The same as a word of a text."""
        return "" if self.covered is None else f" from {self.covered}"


def _total(t_initial: Span | None, rise: _Rise) -> Length:
    if t_initial is not None:
        return length("t_initial", t_initial)
    return less("t_initial", RUN, "warmup_t", rise.span) if rise.prefix and rise.span.value else RUN


def _cycles(
    shape: str, t_initial: Span | None, floor: str, cycle_mul: float, cycle_decay: float, cycle_limit: int, rise: _Rise
) -> str:
    """The cycles one after the other, the last without end."""
    count = whole("cycle_limit", cycle_limit, most=MOST_CYCLES)
    longer, lower = (
        number(name, value, above=True) for name, value in (("cycle_mul", cycle_mul), ("cycle_decay", cycle_decay))
    )
    begin = warmup(rise.span, rise.start)
    if t_initial is None and count == 1:
        covered = None if rise.covered is None else RUN
        return _by_epoch(begin + phase(shape, "1", floor, over=covered, offset=rise.covered), rise.span)
    if t_initial is None:
        raise ScheduleError("cycle_limit above 1 needs t_initial, the length of the first cycle")
    first = length("t_initial", t_initial)
    ratios = [Fraction(repr(longer)) ** k for k in range(count)]
    begins = [Fraction(repr(first.value)) * sum(ratios[:k], Fraction(0)) for k in range(count + 1)]
    by_step = first.unit in (Unit.STEPS, Unit.EPOCHS)  # timm reads at these, cycles may begin between them
    texts = []
    for k, over_already, span in readings(begins[:-1], begins[-1], first.unit, whole_steps=by_step):
        clock, offset = scaled(first, ratios[k]), over_already
        if k == 0 and rise.covered is not None:
            less("t_initial", clock, "warmup_t", rise.covered)
            offset, span = rise.covered, None if span is None else less("t_initial", span, "warmup_t", rise.covered)
        peak = written(float(Fraction(repr(lower)) ** k))
        texts.append(phase(shape, peak, floor, over=None if span == clock else clock, offset=offset, span=span))
    return _by_epoch(begin + " | ".join(texts), rise.span, first)


def _by_epoch(text: str, *spans: Length) -> str:
    """Read once per epoch where a length is in epochs."""
    return f"({text}) by 1ep" if any(span.value and span.unit is Unit.EPOCHS for span in spans) else text


FILE = "timm/scheduler"
RECIPES = (
    Recipe(
        "timm.cosine", cosine, f"CosineLRScheduler, {FILE}/cosine_lr.py; Loshchilov and Hutter 2017, arXiv:1608.03983"
    ),
    Recipe("timm.poly", poly, f"PolyLRScheduler, {FILE}/poly_lr.py"),
    Recipe("timm.tanh", tanh, f"TanhLRScheduler, {FILE}/tanh_lr.py; Hsueh et al. 2018, arXiv:1806.01593"),
    Recipe("timm.step", step, f"StepLRScheduler, {FILE}/step_lr.py"),
    Recipe("timm.multistep", multistep, f"MultiStepLRScheduler, {FILE}/multistep_lr.py"),
    Recipe("timm.wsd", wsd, f"WSDLRScheduler, {FILE}/wsd_lr.py"),
    Recipe("timm.plateau", plateau, f"PlateauLRScheduler, {FILE}/plateau_lr.py"),
)
