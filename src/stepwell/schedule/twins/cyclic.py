"""CyclicLR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.length import written
from stepwell.schedule.schedule import Entry, Expression, Negative, Product, Schedule, Sum, Value
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import PerGroup, absolute, exact, number, one_for_all, ratio_of
from stepwell.schedule.twins.tables import table_of

Mode = Literal["triangular", "triangular2", "exp_range"]


def cyclic_lr(  # noqa: PLR0913 - torch's own arguments
    base_lr: PerGroup,
    max_lr: PerGroup,
    step_size_up: float = 2000,
    step_size_down: float | None = None,
    mode: Mode = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[float], float] | None = None,
    scale_mode: Literal["cycle", "iterations"] = "cycle",
    cycle_momentum: bool = True,
    base_momentum: PerGroup = 0.8,
    max_momentum: PerGroup = 0.9,
    *,
    total_steps: int | None = None,
) -> Schedule:
    """The schedule of torch's CyclicLR: triangles between two rates, and of momentum the other way.

    A rate given as one number is absolute, whatever the optimizer's. Rates given as a list are the base of the groups:
    pass the same list to the Scheduler, `base_lr=max_lr` (or `base_lr=base_lr` where only that one is a list).
    `exp_range` shrinks with the step of the run, as torch's code does; its documentation says with that of the cycle.
    A `scale_fn` becomes a table of `total_steps` steps, so it needs this number.

    Raises:
        ScheduleError: step sizes that do not add up to whole steps, or an upward one of 0, where torch divides by 0;
            lists whose ratio differs between groups; momenta that differ between groups.

    torch turns momentum on in an optimizer that has none. The Scheduler refuses a momentum of 0 instead: give the
    optimizer a momentum, or pass `cycle_momentum=False`.

    Example:
        >>> cyclic_lr(0.01, 0.1, 3, 5, cycle_momentum=False)
        schedule('repeat (linear =0.01..=0.1 for 3 | linear to =0.01 for 5)')
        >>> cyclic_lr(0.01, 0.1, 3, mode="triangular2", cycle_momentum=False)
        schedule('repeat (linear =0.01..=0.1 for 3 | linear to =0.01 for 3) lower x0.5')
    """
    up = number("step_size_up", step_size_up)
    down = up if step_size_down is None else number("step_size_down", step_size_down)
    low, high = _levels(base_lr, max_lr)
    scale = _scale(mode, gamma, scale_fn, scale_mode, up + down, total_steps)
    triangles = _Triangles(up, down, scale)
    rate = Entry("lr", triangles.between(low, high))
    if not cycle_momentum:
        return Schedule((rate,))
    bottom, top = one_for_all("base_momentum", base_momentum), one_for_all("max_momentum", max_momentum)
    if isinstance(bottom, list) or isinstance(top, list):
        raise ScheduleError(
            "one schedule gives all parameter groups the same momentum, and here they differ; make one Scheduler per "
            "group, or pass cycle_momentum=False"
        )
    return Schedule((rate, Entry("momentum", triangles.between(absolute(top), absolute(bottom)))))


@dataclass(frozen=True, slots=True)
class _Triangles:
    """`up` and `down` steps between two levels; the height is multiplied by `scale`, or halved in every cycle."""

    up: float
    down: float
    scale: Expression | Literal["halving"] | None

    def __post_init__(self) -> None:
        whole = exact(self.up) + exact(self.down)
        if self.up <= 0 or self.down < 0 or whole.denominator != 1:
            raise ScheduleError(
                "step_size_up is above 0, step_size_down at least 0, and together they are whole steps; got "
                f"{written(self.up)} and {written(self.down)}"
            )

    def between(self, low: Value, high: Value) -> Expression:
        """Triangles that begin at `low`, scaled towards it."""
        if self.scale is None or (self.scale == "halving" and _rises(low, high)):
            return self._cycle(low, high)
        unit = self._cycle(Value(0.0), Value(1.0))
        wave = (unit,) if self.scale == "halving" else (unit, self.scale)
        if low.number == 0:
            return Product((high, *wave))
        if low.absolute != high.absolute and high.number != 0:
            return Sum((low, Negative(Product((low, *wave))), Product((high, *wave))))
        rise = Product((Value(float(abs(exact(high.number) - exact(low.number))), low.absolute), *wave))
        return Sum((low, rise if high.number >= low.number else Negative(rise)))

    def _cycle(self, low: Value, high: Value) -> Expression:
        """The first step at or past the peak begins the way down, on a clock that began at the peak."""
        turn = -int(-exact(self.up) // 1)
        rest = int(exact(self.up) + exact(self.down)) - turn
        text = f"linear {low}..{high}{_over(self.up, turn)} for {turn}{'' if low.number else ' @left'}"
        if rest > 0:
            past = float(turn - exact(self.up))
            offset = f" from {written(past)}" if past else ""
            text += f" | linear to {low}{_over(self.down, rest)}{offset} for {rest}"
        halving = " lower x0.5" if self.scale == "halving" else ""
        return parse(f"repeat ({text}){halving}")["lr"].expression


def _over(clock: float, length: int) -> str:
    return "" if clock == length else f" over {written(clock)}"


def _rises(low: Value, high: Value) -> bool:
    """Whether `high` is above `low` on any base; a mixed pair is left to the optimizer."""
    return high.number >= low.number and (low.absolute == high.absolute or low.number == 0)


def _levels(base_lr: PerGroup, max_lr: PerGroup) -> tuple[Value, Value]:
    low, high = one_for_all("base_lr", base_lr), one_for_all("max_lr", max_lr)
    if isinstance(high, list) and isinstance(low, list):
        return Value(ratio_of("base_lr and max_lr", low, high)), Value(1.0)
    return (
        Value(1.0) if isinstance(low, list) else absolute(low),
        Value(1.0) if isinstance(high, list) else absolute(high),
    )


def _scale(
    mode: str,
    gamma: float,
    scale_fn: Callable[[float], float] | None,
    scale_mode: str,
    cycle: float,
    total_steps: int | None,
) -> Expression | Literal["halving"] | None:
    """What the height of the triangles is multiplied by."""
    if scale_mode not in ("cycle", "iterations"):
        raise ScheduleError(f"scale_mode is 'cycle' or 'iterations', got {scale_mode!r}")
    if scale_fn is not None and not callable(scale_fn):
        raise ScheduleError(f"scale_fn is a function of the cycle or the step, got {scale_fn!r}")
    if scale_fn is not None:
        of_cycle = scale_mode == "cycle"
        return table_of("scale_fn", lambda t: scale_fn(1 + int(t // cycle) if of_cycle else t), total_steps)
    match mode:
        case "triangular":
            return None
        case "triangular2":
            return "halving"
        case "exp_range":
            factor = number("gamma", gamma, least=0.0)
            if factor == 1:
                return None
            text = f"decay x{written(factor)} per 1" if factor else "hold 1 for 1 | hold 0"
            return parse(text)["lr"].expression
    raise ScheduleError(f"mode is 'triangular', 'triangular2' or 'exp_range', got {mode!r}")
