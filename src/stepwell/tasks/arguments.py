"""The arguments of a task, and whether its function can take them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import Any

from stepwell.errors import TaskError
from stepwell.record.trial import TaskRef
from stepwell.tasks.blame import as_typed


def read_value(text: str) -> int | float | bool | str:
    """Read a whole number, a number, true or false; anything else stays text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def bound(ref: TaskRef, function: Callable[..., Any], file: Path) -> dict[str, Any]:
    """The arguments as the function's defaults want them: `0` for a number with a point becomes `0.0`.

    Raises:
        TaskError: it cannot be called with a seed, or not with these arguments.
    """
    label = f"{getattr(function, '__name__', ref.name)} in {as_typed(file)}"
    if not callable(function):
        raise TaskError(f"{ref.name!r} is a {type(function).__name__}; a task is a function: def task(seed): ...")
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return dict(ref.arguments)  # written in C: the call itself will tell
    if not parameters or parameters[0].kind in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD):
        raise TaskError(f"{label} must take the seed as its first argument: def task(seed): ...")
    options = [] if parameters[0].kind is Parameter.VAR_POSITIONAL else parameters[1:]
    takes_any = any(option.kind is Parameter.VAR_KEYWORD for option in parameters)
    named = {
        option.name: option
        for option in options
        if option.kind in (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    }
    missing = [
        name for name, option in named.items() if option.default is Parameter.empty and name not in ref.arguments
    ]
    if missing:
        raise TaskError(
            f"{label} needs {', '.join(missing)} beside the seed; give it a default value, "
            f"or type: {ref.name},{missing[0]}=VALUE"
        )
    unknown = [name for name in ref.arguments if name not in named]
    if unknown and not takes_any:
        raise _unknown(ref.name, unknown[0], list(named))
    return {name: _fitting(ref.name, name, value, named.get(name)) for name, value in ref.arguments.items()}


def _unknown(task: str, name: str, known: list[str]) -> TaskError:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    listed = f"its arguments are {', '.join(known)}" if known else "it takes none"
    return TaskError(f"task {task!r} has no argument {name!r}{hint}; {listed}")


def _fitting(task: str, name: str, value: Any, parameter: Parameter | None) -> Any:
    default = None if parameter is None else parameter.default
    match default, value:
        case bool(), bool():
            return value
        case (bool(), _) | (int() | float(), bool()):
            pass
        case int(), int():
            return value
        case float(), int() | float():
            return float(value)
        case str(), _:
            return str(value)
        case int() | float(), _:
            pass
        case _:
            return value
    wanted = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
    raise TaskError(f"task {task!r}: {name} must be {wanted} such as {default}, got {value!r}")
