"""From a task's name to the function that makes its work. Importing this file does not import torch."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stepwell.errors import TaskError
from stepwell.record.trial import TaskRef
from stepwell.tasks.arguments import bound, read_value
from stepwell.tasks.blame import as_typed, user_code
from stepwell.tasks.locate import BUILTIN, Place, importable, locate, missing_function
from stepwell.tasks.source import files_of

if TYPE_CHECKING:
    from stepwell.tasks.task import Workload

# Where the tasks of this process are, by name and source: a task's own code may change the working directory, and a
# relative name would then lead nowhere.
_PLACES: dict[tuple[str, str], Place] = {}

__all__ = ["BUILTIN", "LoadedTask", "load_task", "reference", "written"]


@dataclass(frozen=True, slots=True)
class LoadedTask:
    """A task with its arguments. Calling it builds the work and checks what the user's function returned."""

    ref: TaskRef
    function: Callable[..., Any]
    place: Place
    arguments: Mapping[str, Any]

    @property
    def file(self) -> Path:
        """The task's source file."""
        return self.place.file

    def __call__(self, seed: int) -> Workload:
        """Build one seed's work.

        Raises:
            TaskError: the function raised (with the user's file and line), or did not return a `Workload`.
        """
        from stepwell.tasks.task import Workload

        doing = f"task {self.ref.name!r} was called with seed {seed}"
        with user_code(self.file, doing), importable(self.place.folder):
            workload = self.function(seed, **self.arguments)
        if not isinstance(workload, Workload):
            raise TaskError(
                f"task {self.ref.name!r} must return a stepwell Workload, but returned {_kind(workload)}; "
                f"look at {self.place.function} in {as_typed(self.file)}"
            )
        return workload


def reference(text: str) -> TaskRef:
    """Read a task's name with its arguments, and note the source text it has now; nothing of the task is run.

    Arguments follow the name after commas: `digits-cnn,label_noise=0.3,batch_size=16`.

    Raises:
        TaskError: there is no such task or file, or an argument is not written `name=value`.
    """
    name, arguments = _split(text)
    place = locate(name)
    source = place.source_hash()
    _PLACES[name, source] = place
    return TaskRef(name, arguments, source)


def load_task(task: str | TaskRef) -> LoadedTask:
    """Find a task by name or reference and make it ready to be called with a seed.

    The file of a user's task is imported; while that happens its folder can be imported from, and what it prints goes
    to stderr. A reference with a source hash is found where it was first, whatever the working directory is now.

    Raises:
        TaskError: unknown, or its file raised (with the user's line), or the function is missing, cannot be called with
            a seed, or does not know an argument; or its source is no longer that of the reference.
    """
    ref = reference(task) if isinstance(task, str) else task
    known = _PLACES.get((ref.name, ref.source_hash))
    place = locate(ref.name) if known is None else known
    source = place.source_hash()
    if ref.source_hash not in ("", source):
        raise TaskError(f"task {ref.name!r} was edited after this comparison began; start the comparison again")
    _PLACES[ref.name, source] = place
    function = getattr(_module(ref.name, place, source), place.function, None)
    if function is None:
        raise missing_function(place)
    return LoadedTask(ref, function, place, bound(ref, function, place.file))


def written(ref: TaskRef) -> str:
    """The text that `reference` reads back: `digits-cnn,label_noise=0.3`."""
    return ref.name + "".join(f",{name}={value}" for name, value in ref.arguments.items())


def _split(text: str) -> tuple[str, dict[str, Any]]:
    match = re.fullmatch(r"(.*?)((?:,[A-Za-z_]\w*=[^,]*)*)", text, re.DOTALL)
    if match is None:
        raise TaskError(f"a task is named by a text such as digits-cnn, got {text!r}")
    pairs = (part.split("=", 1) for part in match[2].split(",")[1:])
    arguments: dict[str, Any] = {}
    for name, value in pairs:
        if name in arguments:
            raise TaskError(f"in {text!r}: the argument {name!r} is given twice")
        arguments[name] = read_value(value)
    return match[1], arguments


def _module(name: str, place: Place, source: str) -> ModuleType:
    if place.module is not None and place.folder is None:
        return importlib.import_module(place.module)
    doing = f"task {name!r} was imported"
    with user_code(place.file, doing), importable(place.folder), redirect_stdout(sys.stderr):
        if place.module is not None:
            return importlib.import_module(place.module)
        return _from_path(place.file.resolve(), source)


@cache
def _from_path(file: Path, source: str) -> ModuleType:
    """Import a file under a name of its own, anew for every `source`, with the modules that lie beside it."""
    for name in [name for name, module in sys.modules.items() if hasattr(module, "__stepwell_source__")]:
        # Another folder's `model.py`, or an earlier text of this one's, would be imported in its place.
        if sys.modules[name].__stepwell_source__ != source:
            del sys.modules[name]
    name = f"stepwell_task_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise TaskError(f"cannot import {str(file)!r} as Python source")
    before = set(sys.modules)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    finally:
        parts = {str(part) for part in files_of(file, file.parent, file.parent)}
        for loaded in set(sys.modules) - before:
            if getattr(sys.modules[loaded], "__file__", None) in parts:
                sys.modules[loaded].__stepwell_source__ = source  # type: ignore[attr-defined]
    return module


def _kind(value: object) -> str:
    return "nothing (is a `return` missing?)" if value is None else f"a {type(value).__name__}"
