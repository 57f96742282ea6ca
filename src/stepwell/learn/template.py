"""Texts with places for values: `{{name}}`, `{{expression}}`, `{{expression:.2f}}`.

The doubled braces leave Python's own (tables, formatted texts) and those of formulas alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim, read

_PLACE = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)
_FORMAT = re.compile(r"[<>^+ ]?\d{0,2},?(?:\.\d{1,2})?[defgs%]?")
# A colon that is not between brackets begins the format: `losses[:3]` has none.
_COLON = re.compile(r":(?![^\[]*\])")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a template: the expression and how its value is written."""

    claim: Claim
    form: str


@lru_cache(maxsize=4096)
def parts(text: str) -> tuple[str | Place, ...]:
    """The template as plain texts and places, in turn.

    Raises:
        ContentError: an expression that cannot be read or a format that is unknown.
    """
    found: list[str | Place] = []
    for number, part in enumerate(_PLACE.split(text)):
        found.append(_place(part) if number % 2 else part)
    return tuple(found)


def names(text: str) -> frozenset[str]:
    """The names that a template needs.

    Example:
        >>> sorted(names("from {{rate}} to {{rate * gamma:.3g}}"))
        ['gamma', 'rate']
    """
    return frozenset[str]().union(*(part.claim.names for part in parts(text) if isinstance(part, Place)))


def render(text: str, values: Mapping[str, Any], *, exact: bool = False) -> str:
    """The text with its values put in.

    Args:
        text: a template.
        values: by name.
        exact: write numbers so that they read back as the same ones, for code; otherwise ten digits at most.

    Raises:
        ContentError: a value is missing or cannot be written in the asked form.

    Example:
        >>> render("the rate {{rate}} falls to {{rate * 0.1:.2f}}", {"rate": 0.3})
        'the rate 0.3 falls to 0.03'
    """
    return "".join(part if isinstance(part, str) else _written(part, values, exact) for part in parts(text))


def _place(text: str) -> Place:
    expression, *form = _COLON.split(text, maxsplit=1)
    if form and not _FORMAT.fullmatch(form[0]):
        raise ContentError(f"the place '{{{{{text}}}}}' has the unknown format {form[0]!r}; write one such as `.2f`")
    return Place(read(expression.strip()), form[0] if form else "")


def _written(place: Place, values: Mapping[str, Any], exact: bool) -> str:
    value = place.claim.value(values)
    if place.form:
        try:
            return format(value, place.form)
        except (TypeError, ValueError) as error:
            raise ContentError(f"{place.claim.text!r} is {value!r:.60}, which {place.form!r} cannot write") from error
    if isinstance(value, float) and not exact:
        return f"{value:.10g}"
    return value if isinstance(value, str) else repr(value)
