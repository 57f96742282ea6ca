"""From a text, the name of a recipe or a call of one to a schedule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from stepwell.errors import ScheduleError
from stepwell.schedule.control import KINDS, Controller, is_controller
from stepwell.schedule.feedback import holding
from stepwell.schedule.recipes import call
from stepwell.schedule.recipes.recipe import Recipe
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.tokens import Tokens

NAMED = re.compile(
    r"\s*(?P<name>[A-Za-z][\w-]*(?:\.[A-Za-z_][\w-]*)?)\s*(?:$|\((?P<named>\s*(?:\)|[A-Za-z_]\w*\s*=))?)"
)
"""A name, alone or with an opening parenthesis after it; `named` where a call follows, not `max(a, b)`."""

INSIDE = re.compile(r"[A-Za-z]\w*\.[A-Za-z_]\w*")
FUNCTION = re.compile(r"get_\w+_schedule")
"""How transformers calls its functions, which differ in their middle only."""

LANGUAGE = ("max", "repeat", "table", *KINDS)
WORDS = re.compile(r"[A-Za-z][A-Za-z_ -]*")
NEAR = 0.7
SHOWN = 3  # near names in a message
SURE = 0.9  # so alike that no other is shown


def read(text: str | Schedule | Controller, recipes: Mapping[str, Recipe]) -> Schedule:
    """The schedule that a text stands for, or a recipe of this name, or a call of one; a controller alone holds."""
    if isinstance(text, Schedule):
        return text
    if not isinstance(text, str):
        return _of_value(text)
    match = NAMED.match(text)
    if match is not None:
        name, called = match["name"], match["named"] is not None
        recipe = recipes.get(name)
        if recipe is not None and (called or match[0].rstrip()[-1] != "("):
            return parse(recipe.text) if not called else _made(call.written(text, recipe, match.end("name")), recipe)
        if recipe is not None and "." in name:
            return _made(call.written(text, recipe, match.end("name")), recipe)
        if "." in name or (called and recipe is None and name not in LANGUAGE) or _originals(name, recipes):
            raise _unknown(text, match, recipes)
    try:
        return parse(text)
    except ScheduleError as error:
        inside = next((one for one in INSIDE.finditer(text) if one[0] in recipes), None)
        if inside is not None:
            raise _alone(text, inside) from None
        near = _near(text.strip(), recipes)
        if not near:
            raise
        raise ScheduleError(f"{error}\nor did you mean the recipe {' or '.join(map(repr, near))}?") from None


def _near(text: str, recipes: Mapping[str, Recipe]) -> list[str]:
    """Recipes that a text which looks like a name may mean: of another library, or written a little differently."""
    if not WORDS.fullmatch(text):
        return []
    plain = {name: name.rpartition(".")[2].replace("_", "-") for name in recipes}
    wanted = text.lower().replace("_", "-").replace(" ", "-")
    alike = [name for name, own in plain.items() if own == wanted]
    return alike[:SHOWN] or get_close_matches(wanted, recipes, n=1, cutoff=NEAR)


def _of_value(given: object) -> Schedule:
    """What is no text and no schedule: a controller, or a mistake."""
    if is_controller(given):
        return holding(given)
    hint = ""
    if hasattr(given, "get_last_lr"):
        hint = "; stepwell.from_torch(...) reads a live scheduler"
    elif callable(given):
        hint = "; stepwell.twins.lambda_lr(function, total_steps) makes one of a function"
    raise ScheduleError(f"a schedule is a text such as 'cosine 1..0', got {type(given).__name__} {given!r:.60}{hint}")


def _originals(name: str, recipes: Mapping[str, Recipe]) -> list[str]:
    """The recipes of a class or function that a library has under this name, or nearly so where it is transformers'."""
    own = name.rpartition(".")[2]
    known = {recipe.original: one for one, recipe in recipes.items() if recipe.original}
    same = [one for one, recipe in recipes.items() if recipe.original.lower() == own.lower()]
    if same or not FUNCTION.match(own):
        return same
    longer = [one for original, one in known.items() if original.startswith(own)]
    return longer or [known[original] for original in get_close_matches(own, known, n=SHOWN, cutoff=NEAR)]


def _made(text: str, recipe: Recipe) -> Schedule:
    try:
        return parse(text)
    except ScheduleError as error:
        raise ScheduleError(f"{recipe.name} with these parameters is no schedule: {error}") from None


def _unknown(text: str, match: re.Match[str], recipes: Mapping[str, Recipe]) -> ScheduleError:
    """Names that are near, or end alike, or all of the library."""
    name = match["name"]
    library, _, own = name.rpartition(".")
    near = get_close_matches(name, recipes, n=1, cutoff=SURE) or get_close_matches(name, recipes, n=SHOWN)
    alike = [one for one in recipes if own in one.replace("-", "_")] if own else []
    siblings = [one for one in recipes if library and one.startswith(f"{library}.")]
    named = _originals(name, recipes)
    close = named or (near if len(near) == 1 else list(dict.fromkeys([*near, *alike])))
    hint = f"did you mean {' or '.join(map(repr, close[:SHOWN]))}?" if close else f"there are {', '.join(siblings)}"
    if not close and not siblings:
        hint = "`stepwell recipes` lists those there are"
    tokens = Tokens(text)
    tokens.begin = match.end("name")
    return tokens.error(f"unknown recipe {name!r}; {hint}", match.start("name"))


def _alone(text: str, match: re.Match[str]) -> ScheduleError:
    tokens = Tokens(text)
    tokens.begin = match.end()
    message = (
        f"the recipe {match[0]!r} stands alone; as a part of a longer text write what "
        f"`stepwell recipes {match[0]}` shows"
    )
    return tokens.error(message, match.start())
