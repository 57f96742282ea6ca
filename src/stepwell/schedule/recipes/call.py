"""A call of a recipe, `transformers.cosine(num_warmup_steps=500)`: parameters checked, errors that point at them."""

from __future__ import annotations

import collections.abc
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit
from stepwell.schedule.recipes.recipe import Recipe
from stepwell.schedule.tokens import Tokens

WARMUPS = ("num_warmup_steps", "warmup_num_steps", "lr_warmup_steps", "warmup_steps", "warmup_t", "t_warmup")
"""What libraries call the length of the warm-up; `warmup` stands for any of them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a parameter takes, from its annotation.

    Args:
        of: a length, a number, a whole number, a truth value or one of `words`.
        words: the modes of the library.
        several: a list of them.
        optional: `none` stands for the default.
    """

    of: Literal["length", "number", "count", "truth", "word"]
    words: tuple[str, ...] = ()
    several: bool = False
    optional: bool = False

    def __str__(self) -> str:
        match self.of:
            case "length":
                one = "a length (500, 20%, 5ep)"
            case "number":
                one = "a number"
            case "count":
                one = "a whole number"
            case "truth":
                one = "true or false"
            case "word":
                one = ", ".join(self.words)
        return f"{one}, several with blanks between" if self.several else one


def written(text: str, recipe: Recipe, end: int) -> str:
    """The text that the call stands for; `end` is where the name of the recipe ends.

    Raises:
        ScheduleError: with the place in the call.
    """
    t = Tokens(text)
    t.begin = t.end = end
    t.advance()
    kinds = kinds_of(recipe)
    given: dict[str, Any] = {}
    places: dict[str, int] = {}
    t.need("(", f"after {recipe.name}")
    while t.token != ")":
        begin, name = t.begin, _name(t, recipe, kinds)
        if name in given:
            raise t.error(f"{name!r} stands twice", begin)
        t.need("=", f"after {name!r}")
        places[name] = t.begin
        given[name] = _value(t, name, kinds[name])
        if not t.take(","):
            break
    t.need(")", f"to close {recipe.name}(")
    if t.kind != "end":
        raise t.error(
            f"expected nothing after the recipe, got {t.shown()}; to go on from its text, see "
            f"`stepwell recipes {recipe.name}`"
        )
    try:
        return recipe.make(**given)
    except ScheduleError as error:
        raise _pointing(text, str(error), places) from None
    except (ArithmeticError, ValueError) as error:  # 1e300 of something, which every recipe would have to check
        raise _pointing(text, f"no schedule has such numbers: {error}", places) from None


def kinds_of(recipe: Recipe) -> dict[str, Kind]:
    """Parameter -> what it takes."""
    return {name: kind_of(hint) for name, hint in get_type_hints(recipe.make).items() if name != "return"}


def kind_of(hint: Any) -> Kind:
    """What a parameter with this annotation takes."""
    if get_origin(hint) is Literal:
        return Kind("word", get_args(hint))
    if get_origin(hint) is collections.abc.Sequence:
        inner = kind_of(get_args(hint)[0])
        return Kind(inner.of, inner.words, several=True)
    options = get_args(hint)
    if options:
        optional = NoneType in options
        rest = [option for option in options if option is not NoneType]
        inner = Kind("length") if Length in rest else kind_of(rest[0])
        return Kind(inner.of, inner.words, inner.several, optional)
    return {bool: Kind("truth"), int: Kind("count"), float: Kind("number")}[hint]


def _name(t: Tokens, recipe: Recipe, kinds: dict[str, Kind]) -> str:
    takes = f"it takes {', '.join(kinds)}" if kinds else "it takes none"
    if t.kind != "word":
        raise t.error(f"the parameters of {recipe.name} are written with their names, NAME=VALUE; {takes}")
    name = t.token
    if name == "warmup" and name not in kinds:
        name = next((one for one in WARMUPS if one in kinds), name)
    if name not in kinds:
        close = get_close_matches(name, kinds, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise t.error(
            f"unknown parameter {name!r} of {recipe.name}; {hint}{takes[0].upper() if hint else takes[0]}{takes[1:]}"
        )
    t.advance()
    return name


def _value(t: Tokens, name: str, kind: Kind) -> Any:
    begin = t.begin
    if kind.optional and t.take("none", "None"):
        return None
    if not kind.several:
        return _one(t, name, kind)
    closing = {"[": "]", "(": ")"}.get(t.take("[", "(") or "")
    values = [_one(t, name, kind)]
    while t.kind in ("number", "word") or (closing and t.take(",")):
        values.append(_one(t, name, kind))
    if closing:
        t.need(closing, f"to close the list that begins at {t.text[begin : begin + 1]!r}")
    return tuple(values)


def _one(t: Tokens, name: str, kind: Kind) -> Any:
    wanted = Kind(kind.of, kind.words)
    if kind.of == "word" or kind.of == "truth":
        words = kind.words or ("true", "false", "True", "False")
        word = t.take(*words)
        if word is None:
            raise t.error(
                f"{name} is {' or '.join(words[:2]) if kind.of == 'truth' else _listed(words)}, got {t.shown()}"
            )
        return word.lower() == "true" if kind.of == "truth" else word
    begin, negative = t.begin, t.take("-") is not None
    if t.kind != "number":
        raise t.error(f"{name} is {wanted}, got {t.shown()}", begin if negative else None)
    span = t.length(name, zero=True)
    value = -span.value if negative else span.value
    if kind.of == "length" and not negative:
        return span
    if span.unit is not Unit.STEPS or kind.of == "length" or (kind.of == "count" and value != int(value)):
        raise t.error(f"{name} is {wanted}, got {'-' if negative else ''}{span}", begin)
    return int(value) if kind.of == "count" else value


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _pointing(text: str, message: str, places: dict[str, int]) -> ScheduleError:
    """The recipe's own message, pointing at the parameter that it speaks of first."""
    message = message.partition("\n")[0]
    at = places.get(message.split()[0], next(iter(places.values()), 0))
    t = Tokens(text)
    t.begin = t.end = at
    t.advance()
    return t.error(message)
