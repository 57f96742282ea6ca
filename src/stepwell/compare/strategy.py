"""The strategies that are compared when none are named, and how others are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from stepwell.errors import OptionError, ScheduleError
from stepwell.record.trial import Strategy
from stepwell.schedule import RECIPES, Schedule, schedule

DEFAULT = (
    "constant",
    "step",
    "exponential",
    "step-then-exponential",
    "cosine",
    "linear-to-zero",
    "warm-restarts",
    "triangular",
    "one-cycle",
    "warmup-stable-decay",
    "plateau",
)
TOO_LOW, TOO_HIGH = "constant-too-low", "constant-too-high"
ILLUSTRATIONS = {TOO_LOW: 1 / 300, TOO_HIGH: 30.0}  # times the constant rate that is best


def select(
    extra: Sequence[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    *,
    optimizer: str,
    options: Mapping[str, float] | None = None,
    has_momentum: bool = True,
) -> tuple[Strategy, ...]:
    """The default strategies and `extra` ones, or of all these only those named in `only`, in that order.

    Args:
        extra: `NAME=TEXT` each, or a mapping of names to texts; a known name replaces the default of that name.
        only: names; a recipe that is not a default may be named too.
        optimizer: drives every strategy.
        options: of the optimizer.
        has_momentum: whether the optimizer has a momentum that a schedule's `momentum` entry can move; where it has
            none the entry is left out of the *default* strategies.

    Raises:
        OptionError: an unknown or empty name, a name given twice, an extra without `=`.
        ScheduleError: a text that cannot be read.
    """
    texts = {name: _default_text(name, has_momentum) for name in DEFAULT}
    given = _named_texts(extra)
    texts.update(given)
    names = list(only) or list(texts)
    if len(set(names)) < len(names):
        raise OptionError(f"each strategy is named once in --only, got {', '.join(names)}")
    for name in names:
        if name not in texts and name in RECIPES:
            texts[name] = _default_text(name, has_momentum)
        if name not in texts:
            close = get_close_matches(name, texts, n=1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            raise OptionError(f"unknown strategy {name!r}{hint}; known: {', '.join(texts)}; add one with NAME=TEXT")
    return tuple(Strategy(name, texts[name], optimizer, dict(options or {})) for name in names)


def illustration(name: str, constant: Strategy) -> Strategy:
    """A constant rate far from the best one, to show what that looks like."""
    return replace(constant, name=name, schedule=str(schedule("constant")))


def is_constant(strategy: Strategy) -> bool:
    """Whether the rate stays as it is all along, whatever the strategy is called."""
    return schedule(strategy.schedule) == schedule("constant")


def _named_texts(extra: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    pairs = list(extra.items()) if isinstance(extra, Mapping) else [_split(item) for item in extra]
    texts: dict[str, str] = {}
    for name, text in pairs:
        if not name or name in texts or name in ILLUSTRATIONS:
            raise OptionError(f"a strategy needs a name of its own, got {name!r} for {text!r}")
        try:
            texts[name] = str(schedule(text))
        except ScheduleError as error:
            raise ScheduleError(f"strategy {name!r}: {error}") from None
    return texts


def _split(item: str) -> tuple[str, str]:
    name, equals, text = item.partition("=")
    if not equals or not text.strip() or "(" in name:  # a recipe's own `=` is not the one after a name
        raise OptionError(f"a strategy is written NAME=TEXT, such as 'mine=cosine 1..0.1', got {item!r}")
    return name.strip(), text.strip()


def _default_text(name: str, has_momentum: bool) -> str:
    """The text of a recipe, without entries that the optimizer does not have."""
    whole = schedule(RECIPES[name].text)
    if has_momentum or len(whole.entries) == 1:
        return str(whole)
    return str(Schedule(tuple(entry for entry in whole.entries if entry.name != "momentum")))
