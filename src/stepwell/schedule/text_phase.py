"""A phase or a table in a text: its shape, its ends, what it falls by, and the words that may follow.

phase:    shape ["(" n ")"] (value ".." value | "to" value) {clock | suffix}
phase:    open [value] ["x"n ("every" | "per") len | "x"n "at" len {len}] {clock | suffix}
table:    "table(" n {n} ")" {clock | suffix}
clock:    ("over" | "from") len
suffix:   "for" (len | "rest") | "by" len | "@left" | "@right"
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from stepwell.schedule.atoms import values
from stepwell.schedule.leaf import Phase, Suffix, Table
from stepwell.schedule.length import Length
from stepwell.schedule.shape import ALIASES, CLOSED, NAMES
from stepwell.schedule.tokens import Tokens

CLOCKED = {"for": "length", "by": "stair", "@": "side", "over": "over", "from": "offset"}


def phase(t: Tokens) -> Phase:
    """Pass a phase."""
    begin, name = t.begin, t.token
    if t.kind != "word" or (name not in NAMES):
        close = get_close_matches(name.lower(), (*NAMES, "table", "repeat"), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        if t.kind == "number" or name in ("=", "max"):
            raise t.error(
                "between bars a number is 'hold 0.5', and max(...) stands in parentheses: 'a | (max(b, 0.1))'"
            )
        what = f"unknown shape {name!r}{hint}" if t.kind == "word" else f"expected a phase, got {t.shown()}"
        raise t.error(f"{what} (known shapes: {', '.join(sorted((*NAMES, 'table')))})")
    t.advance()
    name = ALIASES.get(name, name)
    settings = _closed(t, name, begin) if name in CLOSED else _open(t, name)
    end, clock = _suffix_and_clock(t, CLOCKED)
    over, offset = clock.get("over"), clock.get("offset")
    if over is None and name == "inverse-sqrt":
        raise t.error("inverse-sqrt needs its clock: 'inverse-sqrt over 4000'", begin)
    if over is not None and name in ("hold", "steps", "decay"):
        raise t.error(f"{name!r} has no clock to stretch; leave `over` away", begin)
    if offset is not None and name == "hold":
        raise t.error("'hold' has no clock; leave `from` away", begin)
    return Phase(name, over=over, offset=offset, suffix=end, **settings)


def table(t: Tokens) -> Table:
    """Pass a table and what follows it."""
    measured = values(t)
    end, clock = _suffix_and_clock(t, CLOCKED)
    return Table(measured, clock.get("over"), clock.get("offset"), end)


def _closed(t: Tokens, name: str, begin: int) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if CLOSED[name].takes_power:
        t.need("(", f"after {name!r}: its power, as in '{name}(2) 1..0'")
        settings["power"] = t.number("the power, a number")
        t.need(")", "after the power")
        if settings["power"] <= 0:
            raise t.error("the power must be above 0", begin)
    if t.take("to"):
        settings["end"] = t.value()
    elif t.kind == "number" or t.token == "=":
        settings["start"] = t.value()
        t.need("..", f"between the ends of {name!r}, as in '{name} 1..0'")
        settings["end"] = t.value()
    else:
        raise t.error(f"{name!r} needs its ends: '{name} 1..0', or '{name} to 0' to go on from before")
    return settings


def _open(t: Tokens, name: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if t.kind == "number" or t.token == "=":
        settings["start"] = t.value()
    if name in ("steps", "decay"):
        settings["rate"] = t.times(f"what {name!r} multiplies by")
        if name == "decay":
            t.need("per", "after the multiplier: 'decay x0.9 per 1ep'")
            settings["every"] = t.length("what decay counts per")
        elif t.take("every"):
            settings["every"] = t.length("the length of a stair")
        else:
            t.need("at", "or 'every' after the multiplier: 'steps x0.5 every 5ep'")
            settings["at"] = _places(t)
    return settings


def _places(t: Tokens) -> tuple[Length, ...]:
    places = [t.length("a place", zero=True)]
    while t.kind == "number":
        begin = t.begin
        places.append(t.length("a place", zero=True))
        if places[-1].unit == places[-2].unit and places[-1].value <= places[-2].value:
            raise t.error(f"the places of 'steps' must ascend, but {places[-1]} follows {places[-2]}", begin)
    return tuple(places)


def suffix(t: Tokens) -> Suffix:
    """Pass what follows a parenthesis: `for`, `by` and its side, in any order."""
    found, _ = _suffix_and_clock(t, {"for": "length", "by": "stair", "@": "side"})
    return found


def _suffix_and_clock(t: Tokens, words: dict[str, str]) -> tuple[Suffix, dict[str, Length]]:
    """Whatever of these words follows, each at most once, in any order."""
    parts: dict[str, Any] = {}
    while t.token in words and t.kind != "number":
        begin, word = t.begin, t.advance()
        if words[word] in parts:
            raise t.error(f"{word!r} stands twice", begin)
        if word == "@":
            parts["side"] = t.take("left", "right")
            if parts["side"] is None:
                raise t.error("expected @left or @right")
        elif word == "for" and t.take("rest"):
            parts["length"] = None  # the default, once written out
        else:
            parts[words[word]] = t.length(f"what follows {word!r}", zero=word == "from")
    clock: dict[str, Length] = {name: parts.pop(name) for name in ("over", "offset") if name in parts}
    return Suffix(**parts), clock
