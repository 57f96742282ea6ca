"""Where an expression goes: its window of the run, and what the parentheses around it say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from stepwell.errors import HorizonError, ScheduleError
from stepwell.schedule.length import Horizon, Length, round_half_up
from stepwell.schedule.schedule import Suffix, Value

FOREVER = Fraction(10**12)  # steps; no run is longer, so cycles are laid out no further


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of the run that an expression fills; `stop` is None where it has no end."""

    start: Fraction
    stop: Fraction | None

    @classmethod
    def whole(cls, total_steps: int | None) -> Window:
        """The whole run."""
        return cls(Fraction(0), None if total_steps is None else Fraction(total_steps))

    @property
    def first(self) -> int:
        """The first update in it."""
        return round_half_up(self.start)

    @property
    def end(self) -> int | None:
        """The first update after it."""
        return None if self.stop is None else round_half_up(self.stop)


@dataclass(frozen=True, slots=True)
class Layout:
    """What holds inside a parenthesis: the run, the base value, and what the suffixes around it say."""

    horizon: Horizon
    base: float | None
    stretch: Fraction = Fraction(1)
    stair: float | None = None
    right: bool | None = None
    argument: str = "base_lr"  # of `resolve`, that gives the base

    def steps(self, length: Length) -> Fraction:
        """A length in updates, stretched by the cycles around it."""
        steps = length.in_steps(self.horizon) * self.stretch
        if steps > FOREVER:
            raise HorizonError(f"the length {str(length)!r} is longer than any run")
        return steps

    def value(self, value: Value) -> float:
        """A value as a factor of the base."""
        if not value.absolute:
            return value.number
        if self.base is None:
            raise ScheduleError(
                f"the absolute value {str(value)!r} needs the base it stands on; pass {self.argument}=..."
            )
        if self.base == 0:
            raise ScheduleError(
                f"the absolute value {str(value)!r} cannot be a factor of a base of 0; start from a base above 0 (an "
                "optimizer with momentum, say), or leave the entry out of the schedule"
            )
        return value.number / self.base

    def inside(self, suffix: Suffix) -> Layout:
        """The layout within a parenthesis with this suffix."""
        stair = self.stair if suffix.stair is None else float(self.positive(suffix.stair, "by"))
        right = self.right if suffix.side is None else suffix.side == "right"
        return replace(self, stair=stair, right=right)

    def positive(self, length: Length, word: str) -> Fraction:
        """A length in updates that must be longer than 0; `word` is what stands before it."""
        steps = self.steps(length)
        if steps <= 0:
            raise HorizonError(f"`{word} {length}` must be longer than 0")
        return steps
