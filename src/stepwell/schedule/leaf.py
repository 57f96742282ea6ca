"""What a schedule is written from: values, phases and tables, each of them something that a text can say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, plain_number, written
from stepwell.schedule.shape import CLOSED, OPEN
from stepwell.schedule.table import Values

Side: TypeAlias = Literal["left", "right"]


def check_length(word: str, length: Length | None, *, zero: bool = False) -> None:
    """Refuse what is no length, or is 0 where that would be no step; `word` is what stands before it in a text."""
    if length is None:
        return
    if not isinstance(length, Length):
        raise ScheduleError(f"what follows {word!r} is a length such as Length(5.0), got {length!r}")
    if length.value == 0 and not zero:
        raise ScheduleError(f"what follows {word!r} must be longer than 0; leave out what shall take no step")


def _is_above_0(number: object) -> bool:
    plain = plain_number(number)
    return plain is not None and 0 < plain < math.inf


@dataclass(frozen=True, slots=True)
class Value:
    """A factor of the base value, or with `absolute` the value itself (`=1e-5`)."""

    number: float
    absolute: bool = False

    def __post_init__(self) -> None:
        number = plain_number(self.number)
        if number is None or not (math.isfinite(number) and number >= 0):
            raise ScheduleError(f"a factor must be a finite number of at least 0, got {self.number!r}")
        object.__setattr__(self, "number", number)

    def __str__(self) -> str:
        return f"={written(self.number)}" if self.absolute else written(self.number)


@dataclass(frozen=True, slots=True)
class Suffix:
    """What may follow a phase or a parenthesis: `for` its length, `by` the unit of its stairs, and its side."""

    length: Length | None = None
    stair: Length | None = None
    side: Side | None = None

    def __post_init__(self) -> None:
        check_length("for", self.length)
        check_length("by", self.stair)
        if self.side not in (None, "left", "right"):
            raise ScheduleError(f"a phase is read at its left or right, got {self.side!r}")

    def __str__(self) -> str:
        words = ("for", self.length), ("by", self.stair)
        text = "".join(f" {word} {length}" for word, length in words if length is not None)
        return f"{text} @{self.side}" if self.side else text


NO_SUFFIX = Suffix()


@dataclass(frozen=True, slots=True)
class Phase:
    """One shape for one stretch of the run.

    Args:
        shape: a name from `shape.CLOSED` or `shape.OPEN`.
        power: of `poly` and `power`.
        start: the value it begins with; None continues from where the phase before ended.
        end: the value it ends with; closed shapes only.
        rate: what `steps` and `decay` multiply by.
        every: the stairs of `steps`, or what `decay` counts per.
        at: the places where `steps` falls, instead of `every`.
        over: the clock of the shape where it is not the length of the phase.
        offset: where on its clock it begins (`from`).
        suffix: `for`, `by` and side.
    """

    shape: str
    power: float | None = None
    start: Value | None = None
    end: Value | None = None
    rate: float | None = None
    every: Length | None = None
    at: tuple[Length, ...] = ()
    over: Length | None = None
    offset: Length | None = None
    suffix: Suffix = NO_SUFFIX

    def __post_init__(self) -> None:
        if self.shape not in CLOSED and self.shape not in OPEN:
            raise ScheduleError(f"unknown shape {self.shape!r}")
        if (self.end is not None) != (self.shape in CLOSED):
            raise ScheduleError(f"{self.shape!r} {'needs' if self.end is None else 'has no'} end value")
        for end in (self.start, self.end):
            if end is not None and not isinstance(end, Value):
                raise ScheduleError(f"the ends of {self.shape!r} are values such as Value(0.1), got {end!r}")
        _check_power(self.shape, self.power)
        _check_stairs(self)
        _check_clock(self.shape, self.over, self.offset)

    @property
    def read_at_right(self) -> bool | None:
        """Whether it is read at the right edge of each step; None leaves it to the parenthesis around it."""
        if self.suffix.side is not None:
            return self.suffix.side == "right"
        return None

    @property
    def written_from_zero(self) -> bool:
        """A phase written `0..B`, whose first update would be wasted at the left edge."""
        return self.start is not None and self.start.number == 0 and self.end is not None

    def __str__(self) -> str:
        text = self.shape if self.power is None else f"{self.shape}({written(self.power)})"
        if self.end is not None:
            text += f" to {self.end}" if self.start is None else f" {self.start}..{self.end}"
        elif self.start is not None:
            text += f" {self.start}"
        if self.rate is not None:
            text += f" x{written(self.rate)}"
        if self.every is not None:
            text += f" {'per' if self.shape == 'decay' else 'every'} {self.every}"
        if self.at:
            text += " at " + " ".join(map(str, self.at))
        clock = ("over", self.over), ("from", self.offset)
        text += "".join(f" {word} {length}" for word, length in clock if length is not None)
        return f"{text}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Table:
    """Measured factors, one per update; past the last one it is held.

    Args:
        values: the factors, `Values.of([1, 0.5, 0.25])`.
        over: spreads them evenly over this length, instead of one per update.
        offset: where on that clock it begins (`from`).
        suffix: `for`, `by` and side.
    """

    values: Values
    over: Length | None = None
    offset: Length | None = None
    suffix: Suffix = NO_SUFFIX

    def __post_init__(self) -> None:
        if not isinstance(self.values, Values):
            raise ScheduleError(f"a table is made of Values.of([1, 0.5]), got {self.values!r:.60}")
        check_length("over", self.over)
        check_length("from", self.offset, zero=True)

    def __str__(self) -> str:
        clock = ("over", self.over), ("from", self.offset)
        words = "".join(f" {word} {length}" for word, length in clock if length is not None)
        return f"table({self.values}){words}{self.suffix}"


def _check_power(shape: str, power: float | None) -> None:
    takes = shape in CLOSED and CLOSED[shape].takes_power
    if takes != (power is not None):
        raise ScheduleError(f"{shape!r} needs its power, as in '{shape}(2)'" if takes else f"{shape!r} has no power")
    if power is not None and not _is_above_0(power):
        raise ScheduleError(f"the power of {shape!r} must be above 0, got {power!r}")


def _check_stairs(phase: Phase) -> None:
    shape, falls = phase.shape, phase.shape in ("steps", "decay")
    if not falls and (phase.rate is not None or phase.every is not None or phase.at):
        raise ScheduleError(f"{shape!r} has no multiplier and no stairs; they belong to 'steps' and 'decay'")
    if not falls:
        return
    if phase.rate is None or not _is_above_0(phase.rate):
        raise ScheduleError(f"what {shape!r} multiplies by must be above 0, got {phase.rate!r}")
    if (phase.every is None) != bool(phase.at) or (phase.at and shape == "decay"):
        instead = "'per' a length" if shape == "decay" else "'every' a length, or 'at' places"
        raise ScheduleError(f"{shape!r} multiplies {instead}; got every={phase.every} and at={phase.at}")
    check_length("per" if shape == "decay" else "every", phase.every)
    for place in phase.at:
        check_length("at", place, zero=True)
    for before, after in pairwise(phase.at):
        if before.unit == after.unit and after.value <= before.value:
            raise ScheduleError(f"the places of 'steps' must ascend, but {after} follows {before}")


def _check_clock(shape: str, over: Length | None, offset: Length | None) -> None:
    if over is None and shape == "inverse-sqrt":
        raise ScheduleError("inverse-sqrt needs its clock: 'inverse-sqrt over 4000'")
    if over is not None and shape in ("hold", "steps", "decay"):
        raise ScheduleError(f"{shape!r} has no clock to stretch; leave `over` away")
    if offset is not None and shape == "hold":
        raise ScheduleError("'hold' has no clock; leave `from` away")
    check_length("over", over)
    check_length("from", offset, zero=True)
