"""What stands in a schedule text under a name of its own with its contents in parentheses: tables and controllers."""

from __future__ import annotations

from typing import Any

from stepwell.errors import ScheduleError
from stepwell.schedule.control import KINDS, Controller
from stepwell.schedule.table import MOST_WRITTEN, Values
from stepwell.schedule.tokens import Tokens


def values(t: Tokens) -> Values:
    """Pass a table with its values: `table(1 0.5 0.25)`."""
    begin = t.begin
    t.advance()
    t.need("(", "after table")
    if t.token == "=":
        raise t.error("a table holds factors of the base value; divide absolute values by it")
    numbers = [t.number("a factor of at least 0")]
    while t.kind == "number":
        numbers.append(t.number("a factor"))
    if t.token == "..":
        raise t.error(
            "a long table is only abbreviated in a text; take the schedule from its JSON form, "
            "Schedule.from_json(...), or build it with Table(Values.of(...))"
        )
    t.need(")", "to close table(")
    if len(numbers) > MOST_WRITTEN:
        raise t.error(
            f"a text holds tables of at most {MOST_WRITTEN} values, got {len(numbers)}; a longer one is built with "
            "Table(Values.of(...)) and kept in the JSON form",
            begin,
        )
    return Values.of(numbers)


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
