"""The allow-list for programs of content: what a proof or a hidden check may be made of.

It keeps a question pack from touching files, processes and Python's insides. Learners' own programs are not held to
it; they run under the same limits (`sandbox`).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from stepwell.errors import ContentError

MODULES = frozenset(
    {
        "cmath", "collections", "contextlib", "copy", "dataclasses", "functools", "io", "itertools", "math", "numpy",
        "random", "statistics", "stepwell", "torch", "typing", "warnings",
    }
)  # fmt: skip
CLOSED = frozenset(
    {
        "torch.compiler", "torch.cpp_extension", "torch.distributed", "torch.hub", "torch.jit", "torch.multiprocessing",
        "torch.ops", "torch.package", "torch.utils.cpp_extension", "numpy.ctypeslib", "numpy.distutils", "numpy.f2py",
        "stepwell.cli", "stepwell.engines", "stepwell.learn.sandbox", "stepwell.learn.server", "stepwell.learn.worker",
        "stepwell.record.store",
    }
)  # fmt: skip
CLOSED_NAMES = frozenset(
    {
        "breakpoint", "compile", "delattr", "eval", "exec", "exit", "getattr", "globals", "help", "input", "locals",
        "memoryview", "open", "quit", "setattr", "vars",
    }
)  # fmt: skip
CLOSED_ATTRIBUTES = frozenset(
    {
        "ctypeslib", "cpp_extension", "f2py", "fromfile", "from_file", "genfromtxt", "gi_frame", "f_globals", "hub",
        "load_library", "loadtxt", "memmap", "multiprocessing", "open", "open_code", "open_memmap", "popen", "savetxt",
        "sys", "os", "system", "tofile", "FileIO", "importlib", "subprocess", "builtins", "inspect", "ctypes", "shutil",
        "pathlib", "tempfile",
    }
)  # fmt: skip
DEFINABLE = frozenset(
    {"__call__", "__enter__", "__exit__", "__getitem__", "__init__", "__iter__", "__len__", "__next__"}
)
LONGEST = 20_000


def check(code: str) -> None:
    """Do nothing for a program that content may have.

    Raises:
        ContentError: it is not Python, or has a part that is not allowed; the message names the line.
    """
    if len(code) > LONGEST:
        raise ContentError(f"a program has at most {LONGEST} characters, got {len(code)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ContentError(f"the program is not Python: {error}") from error
    for node in ast.walk(tree):
        for fault in _faults(node):
            line = getattr(node, "lineno", 1)
            raise ContentError(f"line {line} of the program uses {fault}, which a program of the course may not")


def _faults(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"`import {one.name}`" for one in names if not _open(one.name))
        case ast.ImportFrom(module=module, names=names, level=level):
            for one in names:
                if level or not module or one.name == "*" or not (_open(module) and _open(f"{module}.{one.name}")):
                    yield f"`from {module} import {one.name}`"
                elif one.name in CLOSED_ATTRIBUTES:
                    yield f"`{one.name}`"
        case ast.Name(id=name) if name in CLOSED_NAMES or _hidden(name):
            yield f"`{name}`"
        case ast.Attribute(attr=name) if name in CLOSED_ATTRIBUTES or _hidden(name):
            yield f"`.{name}`"
        case ast.Global() | ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield f"`{type(node).__name__}`"
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if _hidden(name) and name not in DEFINABLE:
            yield f"the name `{name}`"


def _open(module: str) -> bool:
    path = module.split(".")
    inside = {".".join(path[:length]) for length in range(1, len(path) + 1)}
    return path[0] in MODULES and not inside & CLOSED and not any(_hidden(part) for part in path)


def _hidden(name: str) -> bool:
    """Whether a name leads inside: `__class__`, `_C`; `__init__` is what every model has, and `_` is nobody's."""
    return name.startswith("_") and name.strip("_") != "" and name not in ("__init__", "__name__")
