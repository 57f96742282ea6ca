"""Lengths with explicit units, and the run they are measured against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from stepwell.errors import HorizonError, OptionError, ScheduleError


class Unit(StrEnum):
    """What a length counts; the value is how it is written after the number."""

    STEPS = ""
    RUN = "%"
    EPOCHS = "ep"
    TOKENS = "tok"


@dataclass(frozen=True, slots=True)
class Horizon:
    """The run a schedule is laid over: how many optimizer updates, and what an epoch and a token are worth.

    Args:
        total_steps: optimizer updates in the whole run; `None` for a run without a fixed end.
        steps_per_epoch: updates per epoch; needed by lengths in `ep`.
        tokens_per_step: tokens per update; needed by lengths in `tok`.

    Raises:
        OptionError: a count that is not a positive whole number (tokens may be fractional).

    Example:
        >>> Horizon.epochs(20, steps_per_epoch=31)
        Horizon(total_steps=620, steps_per_epoch=31, tokens_per_step=None)
    """

    total_steps: int | None = None
    steps_per_epoch: int | None = None
    tokens_per_step: float | None = None

    def __post_init__(self) -> None:
        for name in ("total_steps", "steps_per_epoch"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _whole(name, value))
        if self.tokens_per_step is not None:
            tokens = plain_number(self.tokens_per_step)
            if tokens is None or not 0 < tokens < float("inf"):
                raise OptionError(f"tokens_per_step must be a positive number, got {self.tokens_per_step!r:.60}")
            if type(self.tokens_per_step) not in (int, float):  # numpy's
                object.__setattr__(self, "tokens_per_step", tokens)

    @classmethod
    def epochs(cls, num_epochs: int, *, steps_per_epoch: int, tokens_per_step: float | None = None) -> Horizon:
        """The horizon of a run of `num_epochs` whole epochs."""
        total = _whole("epochs", num_epochs) * _whole("steps_per_epoch", steps_per_epoch)
        return cls(total, steps_per_epoch, tokens_per_step)


@dataclass(frozen=True, slots=True)
class Length:
    """A number and its unit: `200` steps, `20%` of the run, `3ep`, `5e9tok`."""

    value: float
    unit: Unit = Unit.STEPS

    def __post_init__(self) -> None:
        value = plain_number(self.value)
        if value is None or not 0 <= value < float("inf"):
            raise ScheduleError(f"a length is a finite number of at least 0, such as Length(5.0), got {self.value!r}")
        object.__setattr__(self, "value", value)

    def in_steps(self, horizon: Horizon) -> Fraction:
        """The length in optimizer updates, exactly; not rounded.

        Raises:
            HorizonError: the unit needs a figure that the horizon does not give.
        """
        number = Fraction(repr(self.value))
        match self.unit:
            case Unit.STEPS:
                return number
            case Unit.RUN:
                return number * self._known(horizon.total_steps, "total_steps") / 100
            case Unit.EPOCHS:
                return number * self._known(horizon.steps_per_epoch, "steps_per_epoch")
            case Unit.TOKENS:
                return number / self._known(horizon.tokens_per_step, "tokens_per_step")

    def _known(self, figure: float | None, name: str) -> Fraction:
        if figure is None:
            raise HorizonError(f"the length {str(self)!r} needs {name}; pass {name}=...")
        return Fraction(repr(figure))

    def __str__(self) -> str:
        return f"{written(self.value)}{self.unit.value}"


def written(number: float) -> str:
    """The shortest usual text that reads back as the same number: `20`, `0.1`, `5e9`, `1e-5`."""
    text = repr(float(number))
    if text.endswith(".0"):
        digits = text[:-2]
        zeros = len(digits) - len(digits.rstrip("0"))
        return f"{digits[:-zeros]}e{zeros}" if zeros >= 6 else digits
    return text.replace("e+", "e").replace("e-0", "e-")


def plain_number(value: object) -> float | None:
    """The number as a plain float, also numpy's and torch's; None for anything else: texts, truth values, lists."""
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        return None
    try:
        return float(value.__float__())
    except (TypeError, ValueError, OverflowError, RuntimeError):  # an array or a tensor of several numbers, or 10**400
        return None


def whole_number(value: object) -> int | None:
    """The number as a plain int, also numpy's and torch's; None for anything else: truth values, floats, lists."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        return None
    try:
        return int(value.__index__())
    except TypeError:  # an array or a tensor of several numbers, or not of whole ones
        return None


def round_half_up(exact: Fraction) -> int:
    """The nearest whole number; a half goes up, so 0.5 is 1 and 2.5 is 3."""
    return int((exact + Fraction(1, 2)) // 1)


def _whole(name: str, value: object) -> int:
    whole = whole_number(value)
    if whole is None or whole < 1:
        raise OptionError(f"{name} must be a positive whole number, got {value!r:.60}")
    return whole
