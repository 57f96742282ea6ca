"""Where a task's function lives, found from its name. Importing this file does not import torch."""

from __future__ import annotations

import difflib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stepwell.errors import TaskError
from stepwell.tasks.blame import as_typed, user_code
from stepwell.tasks.source import functions_in, require_readable, source_hash

BUILTIN: Mapping[str, str] = {
    "digits-cnn": "digits_cnn",
    "digits-mlp": "digits_mlp",
    "diabetes-mlp": "diabetes_mlp",
    "source-lm": "source_lm",
    "mnist-cnn": "mnist_cnn",
}
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task's function lives.

    Args:
        function: its name there.
        file: its whole path, because a task's own code may change the working directory.
        module: how to import it; `None` for a file given by its path.
        root: what absolute imports in the file are looked up in, as far as they are the user's own.
        own: the folder (or single file) whose source text belongs to the task.
        folder: what must be importable while the task's code runs; `None` for a built-in task.
    """

    function: str
    file: Path
    module: str | None
    root: Path
    own: Path
    folder: Path | None

    def source_hash(self) -> str:
        """Digest the file and those of the user's own files that it imports."""
        return source_hash(self.file, self.root, self.own)


def locate(name: str) -> Place:
    """Find the file and the function that a task's name stands for.

    Args:
        name: a built-in task, `path/to/file.py:function` or `module:function`.

    Raises:
        TaskError: there is no such task, file or module.
    """
    if name in BUILTIN:
        module = BUILTIN[name]
        file = _HERE / "builtin" / f"{module}.py"
        return Place(module, file, f"stepwell.tasks.builtin.{module}", _HERE.parents[1], _HERE, None)
    left, colon, function = name.rpartition(":")
    if colon and left.endswith(".py") and function:
        return _in_file(Path(left), function)
    if colon and function.isidentifier() and all(part.isidentifier() for part in left.split(".")):
        return _in_module(left, function)
    raise _unknown(name)


@contextmanager
def importable(folder: Path | None) -> Iterator[None]:
    """Let modules in a folder be imported, as if Python had been started with a script there."""
    if folder is None:
        yield
        return
    entry = str(folder.resolve())
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)


def _in_file(file: Path, function: str) -> Place:
    require_readable(file)
    folder = file.resolve().parent
    return Place(function, file.absolute(), None, folder, folder, folder)


def _in_module(module: str, function: str) -> Place:
    folder = Path.cwd()
    with importable(folder), user_code(None, f"Stepwell looked for the module {module!r}"):
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            spec = None
    if spec is None:
        raise TaskError(
            f"there is no module {module!r} to import for the task '{module}:{function}' (looked in {folder} and among "
            f"the installed packages); a file is named by its path, such as {module.replace('.', '/')}.py:{function}"
        )
    if spec.origin is None or not spec.origin.endswith(".py"):
        raise TaskError(f"the module {module!r} has no Python source file; a task needs one")
    file = Path(spec.origin).resolve()
    is_package = bool(spec.submodule_search_locations)
    root = file.parents[module.count(".") + is_package]
    # An installed package changes as a whole or not at all, and reading all that it imports takes long (torch: 40 s).
    return Place(function, file, module, root, file if _is_installed(root) else root, folder)


def _is_installed(root: Path) -> bool:
    paths = sysconfig.get_paths()
    return any(root.is_relative_to(Path(paths[kind]).resolve()) for kind in ("stdlib", "purelib", "platlib"))


def _unknown(name: str) -> TaskError:
    if name.endswith(".py"):
        file = Path(name)
        require_readable(file)
        return TaskError(f"say which function of {name} is the task: {name}:FUNCTION, {_has(file)}")
    if name.split(",")[0] in BUILTIN:
        return TaskError(f"in {name!r}: arguments of a task are written name=value, {name.split(',')[0]},batch_size=16")
    close = difflib.get_close_matches(name, BUILTIN, n=1, cutoff=0.5)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return TaskError(
        f"unknown task {name!r}{hint}; tasks: {', '.join(BUILTIN)}, path/to/file.py:function or module:function"
    )


def _has(file: Path) -> str:
    try:
        names = functions_in(file)
    except (SyntaxError, ValueError):
        return "but the file is not valid Python"
    return f"it has {', '.join(names)}" if names else "but it has no function"


def missing_function(place: Place) -> TaskError:
    """Say that the function is not in the file, and which are."""
    names = functions_in(place.file)
    close = difflib.get_close_matches(place.function, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return TaskError(f"there is no function {place.function!r} in {as_typed(place.file)}{hint}, {_has(place.file)}")
