"""Runs one job in the process it is called in, under limits that stop accidents.

The process is a fork of `server`, or a fresh one; it ends afterwards. The limits are no wall against malice: the
program can read what the user can read.
"""

from __future__ import annotations

import builtins
import io
import json
import linecache
import os
import random
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, cast, final

MOST_OUTPUT = 64 * 1024
"""Characters of output that are kept of a seed."""
CUT = "\n(what was printed after this is not kept)\n"
MOST_RESULT = 8 * 1024 * 1024
"""Bytes of measured values."""
LARGEST_FILE = 64 * 1024 * 1024
MOST_FILES = 128
MOST_PROCESSES = 4096
MOST_TRACE = 4_000

_NO_PROCESS = "a program here may not start or end processes; for a DataLoader, type: num_workers=0"
_NO_NETWORK = "a program here may not use the network"
_NO_FILE = "a program here may write files only in the folder it runs in, not {path}"
_PROCESS = frozenset(
    {
        "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn", "os.startfile",
        "os.system", "pty.spawn", "subprocess.Popen",
    }
)  # fmt: skip
_NETWORK = frozenset({"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"})
_CHANGES = frozenset(
    {
        "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink",
        "os.truncate", "shutil.rmtree",
    }
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@final
class Output(io.TextIOBase):
    """Standard output that keeps its beginning, and that a program cannot close."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._size = 0
        self._cut = False

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str, /) -> int:
        """Keep as much as there is room for."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._size < MOST_OUTPUT:
            self._kept.append(text[: MOST_OUTPUT - self._size])
            self._size += len(self._kept[-1])
        self._cut = self._cut or self._size >= MOST_OUTPUT
        return len(text)

    def close(self) -> None:
        """Nothing: a program that closes its output can be judged all the same."""

    def text(self) -> str:
        """What was kept, and that it is not all."""
        return "".join([*self._kept, CUT] if self._cut else self._kept)


def confine(folder: Path, seconds: float, memory: int) -> None:
    """Put this process under its limits, for good."""
    os.chdir(folder)
    os.environ["HOME"] = os.environ["TMPDIR"] = str(folder)
    sys.dont_write_bytecode = True
    _limit(seconds, memory)
    inside = os.path.realpath(folder) + os.sep

    def judge(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROCESS:
            raise PermissionError(_NO_PROCESS)
        if event in _NETWORK:
            raise PermissionError(_NO_NETWORK)
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and isinstance(path, str | bytes):
                _keep_inside(path, inside)
        elif event in _CHANGES and isinstance(arguments[0], str | bytes):
            _keep_inside(arguments[0], inside)

    sys.addaudithook(judge)


def _keep_inside(path: str | bytes, inside: str) -> None:
    real = os.path.realpath(os.fsdecode(path))
    if real != os.devnull and not (real + os.sep).startswith(inside):
        raise PermissionError(_NO_FILE.format(path=real))


def _limit(seconds: float, memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: only the wall clock limits it
        return
    cpu = int(seconds) + 2  # the wall clock comes first
    _lower(resource.RLIMIT_CPU, cpu)
    _lower(resource.RLIMIT_FSIZE, LARGEST_FILE)
    _lower(resource.RLIMIT_NOFILE, MOST_FILES)
    _lower(resource.RLIMIT_CORE, 0)
    if hasattr(resource, "RLIMIT_NPROC"):
        _lower(resource.RLIMIT_NPROC, MOST_PROCESSES)
    if (size := _own_size()) is not None:
        _lower(resource.RLIMIT_AS, size + memory)


def _lower(kind: int, limit: int) -> None:
    import resource

    _, most = resource.getrlimit(kind)
    limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
    resource.setrlimit(kind, (limit, limit))


def _own_size() -> int | None:
    """Bytes of address space of this process; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def run(job: Mapping[str, Any]) -> bytes:
    """The outcomes of a job as JSON; the process is confined already."""
    file = job["file"]
    if file:  # as Python does for a program; what is imported runs under the same limits
        sys.path.insert(0, os.path.dirname(file))
    outcomes = [_run_seed(job["parts"], job["collect"], seed, file) for seed in job["seeds"]]
    written = json.dumps(outcomes).encode()
    if len(written) > MOST_RESULT:
        raise ValueError(f"{len(written)} bytes were measured, at most {MOST_RESULT} can be; measure less")
    return written


def _run_seed(parts: Sequence[Mapping[str, str]], collect: Sequence[str], seed: int, file: str) -> dict[str, Any]:
    _seed(seed)
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, "seed": seed}
    if file:
        namespace["__file__"] = file
    outcome: dict[str, Any] = {}
    output = Output()
    sys.stdout = sys.stderr = cast(TextIO, output)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for part in parts:
            if outcome := _run_part(part, namespace):
                break
        else:
            outcome = {}
    values: dict[str, Any] = {}
    for name in collect:
        if name in namespace:
            try:
                values[name] = plain(namespace[name])
            except (TypeError, ValueError) as error:
                outcome = outcome or {"error": "Unmeasurable", "message": f"{name!r}: {error}", "part": "measures"}
    texts = list(dict.fromkeys(str(one.message) for one in caught))[:50]
    return {**outcome, "values": values, "stdout": output.text(), "warnings": texts}


def _run_part(part: Mapping[str, str], namespace: dict[str, Any]) -> dict[str, Any]:
    """Nothing for a part that ran to its end, otherwise what it raised."""
    name, code = part["name"], part["code"]
    file = f"<{name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)  # so that tracebacks quote it
    try:
        exec(compile(code, file, "exec"), namespace)  # noqa: S102 - this is what the sandbox is for
    except BaseException as error:  # noqa: BLE001 - SystemExit too is an outcome of the program
        return _failure(error, name, file)
    return {}


def _failure(error: BaseException, name: str, file: str) -> dict[str, Any]:
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    line, quoted, text = (own[-1].lineno, own[-1].line, str(error)) if own else (None, "", str(error))
    if isinstance(error, SyntaxError) and error.filename == file:  # of the program itself, which never ran
        line, quoted, text = error.lineno, (error.text or "").strip(), error.msg
    text = text[:MOST_TRACE]
    where = f"line {line}{f': {quoted}' if quoted else ''}\n" if line else ""
    return {
        "error": type(error).__name__,
        "message": text,
        "part": name,
        "line": line or 0,
        "trace": f"{where}{type(error).__name__}: {text}"[:MOST_TRACE],
    }


def _seed(seed: int) -> None:
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def plain(value: Any, depth: int = 0) -> Any:
    """A measured value as JSON has it: tensors and arrays become lists, of one element too if they have an axis.

    Raises:
        TypeError: it has no such form.
        ValueError: it is too deep or too long.
    """
    if depth > 6:
        raise ValueError("it is nested too deeply")
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value[:MOST_OUTPUT]
        case list() | tuple():
            if len(value) > 200_000:
                raise ValueError(f"it has {len(value)} entries")
            return [plain(part, depth + 1) for part in value]
        case dict():
            return {str(name): plain(part, depth + 1) for name, part in value.items()}
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth + 1)
    raise TypeError(f"a {type(value).__name__} cannot be measured; measure numbers, texts, lists or tensors")
