"""Errors of a task's own code, with the user's file and line."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from stepwell.errors import StepwellError, TaskError


@contextmanager
def user_code(file: Path | None, doing: str) -> Iterator[None]:
    """Turn what a task's own code raises into a `TaskError` that names the user's file and line.

    Args:
        file: the task's file; without it, or if the error never passed through it, the deepest line is named.
        doing: what was going on, as a clause: `the task was called with seed 0`.

    Raises:
        TaskError: chained from the user's own exception. Stepwell's own errors pass as they are.
    """
    try:
        yield
    except StepwellError:
        raise
    except (Exception, SystemExit) as error:
        raise TaskError(f"in {place_of(error, file)}, while {doing}: {_quoted(error)}") from error


def place_of(error: BaseException, file: Path | None) -> str:
    """The file and line of an error, `task.py:14`: the deepest line in the user's file or one beside it, if any."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_file():
        return f"{as_typed(Path(error.filename))}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if file is not None and _is_own(frame.filename, file)]
    deepest = (own or frames)[-1]
    return f"{as_typed(Path(deepest.filename))}:{deepest.lineno}"


def _quoted(error: BaseException) -> str:
    words = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {words[0]}" if words else type(error).__name__
    return text if len(text) <= 300 else f"{text[:297]}..."


def _is_own(name: str, file: Path) -> bool:
    path, folder = Path(name).resolve(), file.resolve().parent
    return path.is_relative_to(folder) and "site-packages" not in path.relative_to(folder).parts


def as_typed(file: Path) -> str:
    """The file as one would type it here: below the working directory without that."""
    with suppress(ValueError, OSError):  # it lies elsewhere, or the working directory was deleted
        return str(file.relative_to(Path.cwd()))
    return str(file)


def file_of(task: Callable[..., object]) -> Path | None:
    """The source file of a task, where it has one."""
    file = getattr(task, "file", None)
    if isinstance(file, Path):
        return file
    function = task.func if isinstance(task, partial) else task
    try:
        found = inspect.getsourcefile(inspect.unwrap(function))
    except TypeError:
        return None
    return None if found is None else Path(found)
