"""DeepSpeed: `deepspeed/runtime/lr_schedules.py`.

A DeepSpeed engine steps its scheduler after the optimizer, and the scheduler counts from -1, so everything but the
range test and the cycle comes one update late: the first *two* updates of a warm-up use its minimum. Lengths in updates
say so (`hold 0 for 1`); shares of the run, epochs and tokens leave that update out, a difference of one update.
The logarithm of a warm-up that is not counted in updates is that of 1000 steps, DeepSpeed's default.
"""

from __future__ import annotations

from typing import Literal

from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.recipes.parts import Span, after, length, number, phase, rate, share, whole
from stepwell.schedule.recipes.recipe import Recipe

Way = Literal["log", "linear"]
ONE = Length(1.0)
INTERVALS = 1000  # of the range test that a text goes through


def warmup_lr(warmup_num_steps: Span = "5%", warmup_min_lr: float | None = None, warmup_type: Way = "log") -> str:
    """A warm-up, logarithmic or linear, then the same rate."""
    rise = _Rise(warmup_num_steps, rate("warmup_min_lr", warmup_min_lr), warmup_type)
    return f"{rise}hold 1"


def warmup_decay_lr(
    total_num_steps: Span | None = None,
    warmup_num_steps: Span = "5%",
    warmup_min_lr: float | None = None,
    warmup_type: Way = "log",
) -> str:
    """A warm-up, logarithmic or linear, then a straight line to 0, which it would reach one update after the run."""
    rise = _Rise(warmup_num_steps, rate("warmup_min_lr", warmup_min_lr), warmup_type, one_more=True)
    return f"{rise}{phase('linear', '1', '0', over=rise.rest(total_num_steps))}"


def warmup_cosine_lr(
    total_num_steps: Span | None = None,
    warmup_num_steps: Span = "5%",
    warmup_min_ratio: float = 0.0,
    cos_min_ratio: float = 0.0001,
    warmup_type: Way = "log",
) -> str:
    """A warm-up, logarithmic or linear, then half a cosine to a share of the rate.

    Releases before 2026 rise again past `total_num_steps`; here, as in later ones, the floor stays. The very first
    update has a rate of 0 in DeepSpeed whatever `warmup_min_ratio` says, and `warmup_min_ratio` here.
    """
    rise = _Rise(warmup_num_steps, share("warmup_min_ratio", warmup_min_ratio), warmup_type)
    offset = ONE if rise.late and warmup_type == "linear" else None
    low = share("cos_min_ratio", cos_min_ratio)
    return f"{rise}{phase('cosine', '1', low, over=rise.rest(total_num_steps), offset=offset)}"


def one_cycle(  # noqa: PLR0913 - the library's own parameters
    cycle_min_lr: float | None = None,
    cycle_max_lr: float | None = None,
    cycle_first_step_size: Span = "30%",
    cycle_second_step_size: Span | None = None,
    decay_step_size: Span = 0,
    decay_lr_rate: float = 0.0,
    cycle_momentum: bool = True,
    cycle_min_mom: float = 0.8,
    cycle_max_mom: float = 0.9,
) -> str:
    """One triangle, then a decay with one over the step; momentum the other way, and then it stays.

    Left out, `cycle_max_lr` is the base rate and `cycle_min_lr` a tenth of it. DeepSpeed's first update has the lowest
    momentum, here the highest. Its stairs and its decay of the momentum are left out.
    """
    up = length("cycle_first_step_size", cycle_first_step_size)
    down = up if cycle_second_step_size is None else length("cycle_second_step_size", cycle_second_step_size)
    high = rate("cycle_max_lr", cycle_max_lr, "1")
    low = rate("cycle_min_lr", cycle_min_lr, "0.1" if cycle_max_lr is None else rate("cycle_max_lr", cycle_max_lr / 10))
    rest = _inverse(low, decay_step_size, decay_lr_rate)
    rates = f"{phase('linear', low, high, span=up)} | linear to {low} for {down} | {rest}"
    if not cycle_momentum:
        return rates
    top, bottom = rate("cycle_max_mom", cycle_max_mom), rate("cycle_min_mom", cycle_min_mom)
    return f"lr: {rates}; momentum: {phase('linear', top, bottom, span=up)} | linear to {top} for {down} | hold"


def lr_range_test(
    lr_range_test_min_lr: float | None = None,
    lr_range_test_step_size: Span = "50%",
    lr_range_test_step_rate: float = 1.0,
    lr_range_test_staircase: bool = False,
) -> str:
    """A straight line upwards to look for the largest rate; it peaks above 1.

    The base rate is the smallest, unless `lr_range_test_min_lr` says another. Where the
    interval is not a share of the run, it stays after 1000 of them.
    """
    span = length("lr_range_test_step_size", lr_range_test_step_size)
    intervals = 100 / span.value if span.unit is Unit.RUN else INTERVALS
    growth = 1 + intervals * number("lr_range_test_step_rate", lr_range_test_step_rate)
    low = 1.0 if lr_range_test_min_lr is None else lr_range_test_min_lr
    ends = [
        written(value) if lr_range_test_min_lr is None else rate("lr_range_test_min_lr", value)
        for value in (low, low * growth)
    ]
    over = None if span.unit is Unit.RUN else Length(INTERVALS * span.value, span.unit)
    text = phase("linear", ends[0], ends[1], over=over)
    return f"{text} by {span}" if lr_range_test_staircase else text


class _Rise:
    """The warm-up, as the beginning of a text; `late` where it is counted in updates and so can be exact."""

    def __init__(self, warmup_num_steps: Span, start: str, way: Way, *, one_more: bool = False) -> None:
        self.span = length("warmup_num_steps", warmup_num_steps)
        self.late = self.span.unit is Unit.STEPS
        self.start, self.way, self.one_more = start, way, one_more
        if self.late:
            self.span = Length(float(max(2, whole("warmup_num_steps", self.span.value))))

    def rest(self, total_num_steps: Span | None) -> Length | None:
        """What the total leaves after it."""
        return after("total_num_steps", total_num_steps, "warmup_num_steps", self.span)

    def __str__(self) -> str:
        if not self.late:
            shape = "log(999)" if self.way == "log" else "linear"
            return f"{phase(shape, self.start, '1', span=self.span)} | "
        steps = int(self.span.value)
        if self.way == "linear":
            rise = phase("linear", self.start, "1", span=self.span)
        else:
            # log(1) to log(n) takes n - 1 steps, and a decay that counts to n stays at the peak for one more
            span = Length(float(steps if self.one_more else steps - 1))
            clock = Length(float(steps - 1)) if self.one_more else None
            rise = phase(f"log({steps - 1})", self.start, "1", over=clock, span=span)
        return f"hold {self.start} for 1 | {rise} | "


def _inverse(low: str, decay_step_size: Span, decay_lr_rate: float) -> str:
    """One over the step, as the square of one over its root."""
    span = length("decay_step_size", decay_step_size, zero=True)
    if not span.value or number("decay_lr_rate", decay_lr_rate) == 0:
        return "hold"
    root = f"(inverse-sqrt 1 over {Length(span.value / decay_lr_rate, span.unit)})"
    return f"({low} * {root} * {root})"


FILE = "deepspeed/runtime/lr_schedules.py"
RECIPES = (
    Recipe("deepspeed.warmup_lr", warmup_lr, f"WarmupLR, {FILE}"),
    Recipe("deepspeed.warmup_decay_lr", warmup_decay_lr, f"WarmupDecayLR, {FILE}"),
    Recipe("deepspeed.warmup_cosine_lr", warmup_cosine_lr, f"WarmupCosineLR, {FILE}"),
    Recipe("deepspeed.one_cycle", one_cycle, f"OneCycle, {FILE}; Smith 2018, arXiv:1803.09820"),
    Recipe("deepspeed.lr_range_test", lr_range_test, f"LRRangeTest, {FILE}; Smith 2018, arXiv:1803.09820"),
)
