"""A task's source text: its hash and its functions, found without running it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from stepwell.errors import TaskError


def source_hash(file: Path, root: Path, own: Path) -> str:
    """Digest a file together with the files that it imports, directly or through others.

    A model kept in `model.py` beside the task is part of the task. Data files and installed packages are not.

    Args:
        file: the task's own.
        root: the folder that absolute imports are looked up in.
        own: only files in this folder (or just this file) count.
    """
    digest = hashlib.sha256()
    for part in sorted(files_of(file, root, own)):
        digest.update(part.relative_to(root).as_posix().encode() + b"\0" + part.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def files_of(file: Path, root: Path, own: Path) -> set[Path]:
    """The file and all that it imports from `own`, as resolved paths."""
    found: set[Path] = set()
    waiting = [file.resolve()]
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting += [path for path in _imported(part, root) if path.is_relative_to(own)]
    return found


def functions_in(file: Path) -> list[str]:
    """Name the public functions at the top level of a file, without running it."""
    body = _parsed(file).body
    return [node.name for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def require_readable(file: Path) -> None:
    """Check that a task's file is there and can be read.

    Raises:
        TaskError: it is not.
    """
    try:
        file.read_bytes()
    except FileNotFoundError as error:
        raise TaskError(
            f"there is no file {str(file)!r}; to write a first one, type: stepwell new task {file}"
        ) from error
    except OSError as error:
        raise TaskError(f"cannot read {str(file)!r}: {error.strerror or error}") from error


def _imported(file: Path, root: Path) -> Iterator[Path]:
    """The files that the import statements of a file name, wherever in the file they stand."""
    try:
        nodes = list(ast.walk(_parsed(file)))
    except (SyntaxError, ValueError):
        return  # Importing the file will say where.
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from _files(root, [alias.name for alias in names])
            case ast.ImportFrom(module=module, names=names, level=level):
                start = module or ""
                folder = root if level == 0 else file.parents[min(level, len(file.parents)) - 1]
                if folder.is_relative_to(root):
                    yield from _files(folder, [start, *(f"{start}.{alias.name}".lstrip(".") for alias in names)])


def _files(folder: Path, modules: list[str]) -> Iterator[Path]:
    # The packages above a module are left out: their `__init__.py` often imports everything and decides nothing.
    for module in filter(None, modules):
        path = folder.joinpath(*module.split("."))
        yield from filter(Path.is_file, (path.with_name(f"{path.name}.py"), path / "__init__.py"))


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes(), filename=str(file))
