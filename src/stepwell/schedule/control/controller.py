"""Feedback as pure functions: a controller turns a stream of metrics into one factor per parameter group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from fractions import Fraction
from typing import Any, Literal, Protocol, TypeGuard, TypeVar, get_type_hints

from stepwell.errors import ResumeError, ScheduleError
from stepwell.schedule.length import plain_number, written

StateT = TypeVar("StateT")


class State(Protocol):
    """What a controller remembers: a frozen dataclass of numbers and tuples of numbers; its ints are counts."""

    @property
    def factors(self) -> tuple[float, ...]:
        """One multiplier per parameter group."""
        ...


class Controller(Protocol):
    """Pure feedback: the same states from the same metrics, wherever it runs. `ControllerContract` tests one.

    A frozen dataclass; its text is what stands in a schedule after `*`.
    """

    @property
    def mode(self) -> Literal["min", "max"]:
        """Whether a smaller or a larger metric is better."""
        ...

    def init(self, base_lrs: Sequence[float]) -> Any:
        """The state before the first metric: one factor of 1 per group."""
        ...

    def update(self, state: Any, metric: float) -> Any:
        """The state after one more metric; `state` stays as it is."""
        ...

    def restore(self, saved: Mapping[str, Any]) -> Any:
        """The state that `plain` made plain data of.

        Raises:
            ResumeError: the data is no state of this kind.
        """
        ...

    def stretched(self, ratio: Fraction) -> Controller:
        """The same for a run in which that share of the checks is made."""
        ...


def is_controller(value: object) -> TypeGuard[Controller]:
    """Whether it has the methods of a controller, and is not the class of one."""
    methods = ("init", "update", "restore", "stretched")
    return not isinstance(value, type) and all(callable(getattr(value, method, None)) for method in methods)


def plain(state: Any) -> dict[str, Any]:
    """The state as numbers and lists, which JSON and `torch.load(weights_only=True)` take."""
    return {
        name: [_as_plain(one) for one in value] if isinstance(value, tuple) else _as_plain(value)
        for name, value in asdict(state).items()
    }


def _as_plain(value: Any) -> Any:
    """Strict JSON has no infinity and no nan: these are written as text."""
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _from_plain(value: Any) -> Any:
    return float(value) if value in ("inf", "-inf", "nan") else value


def restored(kind: type[StateT], saved: Mapping[str, Any]) -> StateT:
    """The state of this kind from what `plain` made of it.

    Raises:
        ResumeError: other names than those of the state, or a value that such a state never has.
    """
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    if sorted(saved) != sorted(names):
        raise ResumeError(f"a {kind.__name__} has {', '.join(sorted(names))}; the saved one has {sorted(saved)}")
    hints = _hints(kind)
    state = {
        name: tuple(map(_from_plain, value)) if isinstance(value, list | tuple) else _from_plain(value)
        for name, value in saved.items()
    }
    for name, value in state.items():
        if not _is_of(hints.get(name), value) or (name == "factors" and not _are_factors(value)):
            raise ResumeError(
                f"the state is damaged: {name} of a {kind.__name__} cannot be {saved[name]!r:.60}; load an earlier one"
            )
    return kind(**state)


def _hints(kind: type[Any]) -> Mapping[str, Any]:
    """The types of the fields; none where they cannot be told, as with names that only a type checker imports."""
    try:
        return get_type_hints(kind)
    except NameError:
        return {}


def _are_factors(value: Any) -> bool:
    return isinstance(value, tuple) and all(type(one) in (int, float) and 0 <= one < math.inf for one in value)


def _is_of(hint: Any, value: Any) -> bool:
    """Whether a value is of the kinds of number that states are made of; what else a user's state holds is theirs."""
    if hint is int:
        return type(value) is int and value >= 0
    if hint is float:
        return type(value) in (int, float)
    if hint == tuple[float, ...]:
        return isinstance(value, tuple) and all(_is_of(float, one) for one in value)
    if hint == float | None:
        return value is None or _is_of(float, value)
    return True


def improves(
    metric: float,
    best: float | None,
    *,
    mode: Literal["min", "max"],
    threshold: float,
    threshold_mode: Literal["rel", "abs"],
) -> bool:
    """Whether a metric is better than the best one so far by more than the threshold.

    A metric that is not a number is no improvement. Relative improvement is measured against the *size* of the best
    metric, so it is right for negative metrics too (torch and transformers multiply the best metric, and are not).
    """
    if math.isnan(metric):
        return False
    if best is None:  # anything beats nothing but the worst metric there is
        return metric != (-math.inf if mode == "max" else math.inf)
    # For metrics above 0 these are torch's own expressions, so that one exactly at the threshold is judged alike.
    gain = threshold if mode == "max" else -threshold
    relative = 1.0 + gain if best >= 0 else 1.0 - gain
    bound = best + gain if threshold_mode == "abs" else best * relative
    return metric > bound if mode == "max" else metric < bound


def check_cut(name: str, cut: float) -> None:
    """Refuse a multiplier that does not lower."""
    plain_cut = plain_number(cut)
    if plain_cut is None or not 0 < plain_cut < 1:
        shown = repr(cut) if plain_cut is None else f"x{written(plain_cut)}"
        raise ScheduleError(f"{name} cuts by a factor between 0 and 1, got {shown}")


def whole_checks(name: str, setting: str, value: float, *, least: int = 0) -> int:
    """The setting as a whole number of checks."""
    plain_value = plain_number(value)
    if plain_value is None or not math.isfinite(plain_value) or plain_value != int(plain_value) or plain_value < least:
        at_least = f" of at least {least}" if least else ""
        raise ScheduleError(f"{name}'s {setting} is a whole number of checks{at_least}, got {value!r}")
    return int(plain_value)


def check_number(name: str, setting: str, value: float) -> None:
    """Refuse what is not a number of at least 0."""
    plain_value = plain_number(value)
    if plain_value is None or not (math.isfinite(plain_value) and plain_value >= 0):
        raise ScheduleError(f"{name}'s {setting} is a number of at least 0, got {value!r}")


def check_words(name: str, *, mode: str, threshold_mode: str) -> None:
    """Refuse other words than those of the two modes."""
    if mode not in ("min", "max"):
        raise ScheduleError(f"{name}'s mode is min or max, got {mode!r}")
    if threshold_mode not in ("rel", "abs"):
        raise ScheduleError(f"{name}'s threshold_mode is rel or abs, got {threshold_mode!r}")


def settings_text(name: str, controller: Any, default: Any, numbers: Sequence[str]) -> str:
    """How a controller is written: its cut and patience always, the rest where it differs from the default."""
    words = [f"x{written(controller.cut)}", f"patience {controller.patience}"]
    words += [
        f"{setting} {written(getattr(controller, setting))}"
        for setting in numbers
        if setting != "patience" and getattr(controller, setting) != getattr(default, setting)
    ]
    modes = ("threshold_mode", "mode")
    words += [getattr(controller, mode) for mode in modes if getattr(controller, mode) != getattr(default, mode)]
    return f"{name}({', '.join(words)})"
