"""What stands in a schedule text under a name of its own with its contents in parentheses: tables and controllers."""

from __future__ import annotations

from typing import Any

from stepwell.errors import ScheduleError
from stepwell.schedule.control import KINDS, Controller
from stepwell.schedule.tokens import Tokens


def controller(t: Tokens) -> Controller:
    """Pass a controller: `plateau(x0.1, patience 10)`."""
    begin, name = t.begin, t.advance()
    kind = KINDS[name]
    t.need("(", f"after {name}")
    settings: dict[str, Any] = {"cut": t.times(f"what {name} multiplies by")}
    while t.take(","):
        at, word = t.begin, t.take(*kind.NUMBERS, "rel", "abs", "min", "max")
        if word is None:
            raise t.error(
                f"unknown setting {t.shown()} of {name}; it takes {', '.join(kind.NUMBERS)} with a number, and the "
                "words rel, abs, min and max"
            )
        setting = {"rel": "threshold_mode", "abs": "threshold_mode", "min": "mode", "max": "mode"}.get(word, word)
        if setting in settings:
            raise t.error(f"{word!r} says again what {name} has been told", at)
        settings[setting] = t.number(f"a number for {word}") if setting == word else word
    t.need(")", f"to close {name}(")
    try:
        return kind(**settings)
    except ScheduleError as error:
        raise t.error(str(error), begin) from None
