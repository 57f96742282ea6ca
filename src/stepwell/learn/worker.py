"""Runs jobs in a worker process that has torch loaded; starts it, watches it and replaces it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, final

from stepwell.learn.job import Ending, Job, Outcome, Ran

START_SECONDS = 120.0
"""How long torch may take to load: on a cold disk it has taken 40 s."""
GRACE = 30.0
"""How much longer than its own limit a job may take before the worker is given up: a busy machine may be late."""
BRIEFLY = 0.2
"""How long the worker has to tidy up when it is stopped."""

_BOOT = "import sys; sys.path[:] = {path!r}; from stepwell.learn.server import {serve}; {serve}()"
_KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
_SET = {
    "CUDA_VISIBLE_DEVICES": "",  # a GPU's threads would not survive the fork
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


@final
class Worker:
    """A process that runs jobs one after the other. Use it in a `with` block, or `close` it.

    Args:
        forks: whether jobs run in forks of a warm process; by default where the system can. Without, every job gets
            a fresh process, which takes some seconds.
    """

    def __init__(self, *, forks: bool | None = None) -> None:
        self._forks = hasattr(os, "fork") if forks is None else forks
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._lock = threading.Lock()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to load torch and return at once."""
        if not self._forks or not self._lock.acquire(blocking=False):  # who holds it has started it
            return
        try:
            self._start()
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the process; a later `run` starts another one."""
        with self._lock:
            self._end()

    def stop(self) -> None:
        """End the process at once, also in the middle of a job, whose `run` then says so."""
        process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()  # the server then ends what it runs, and takes its folder away
            try:
                process.wait(BRIEFLY)
            except subprocess.TimeoutExpired:  # it still loads torch, and runs nothing
                process.kill()
        self.close()

    def run(self, job: Job) -> Ran:
        """What came of the job. Whatever goes wrong is an ending of `Ran`; an interrupt ends the worker too."""
        with self._lock:
            try:
                return self._ask(job) if self._forks else _run_fresh(job)
            except (OSError, ValueError, KeyError, TypeError) as error:
                self._end()
                return Ran(Ending.BROKEN, words=f"the worker broke ({type(error).__name__}: {error})")
            except BaseException:  # what it answers to this job must not be taken for the answer to the next
                self._end()
                raise

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = _spawn("serve")
        return self._process

    def _ask(self, job: Job) -> Ran:
        process = self._start()
        if not self._ready:
            if _line(process, START_SECONDS) is None:
                self._end()
                return Ran(Ending.BROKEN, words="the worker process could not be started; see that torch imports")
            self._ready = True
        assert process.stdin is not None  # noqa: S101 - it was started with a pipe
        process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
        process.stdin.flush()
        answer = _line(process, job.seconds + GRACE)
        if answer is None:
            gone = _gone(process)
            self._end()
            words = "the program ended the worker process" if gone else "the worker process did not answer"
            return Ran(Ending.CRASHED if gone else Ending.BROKEN, words=words)
        return _ran(answer)

    def _end(self) -> None:
        process, self._process, self._ready = self._process, None, False
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _gone(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended; its pipe may close a moment before that."""
    try:
        process.wait(BRIEFLY)
    except subprocess.TimeoutExpired:
        return False
    return True


def _spawn(serve: str) -> subprocess.Popen[bytes]:
    path = [str(Path(folder).absolute()) for folder in sys.path if folder]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | _SET
    return subprocess.Popen(  # noqa: S603 - our own code, no shell
        [sys.executable, "-I", "-X", "utf8", "-c", _BOOT.format(path=path, serve=serve)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C in the terminal is ours to handle
    )


def _line(process: subprocess.Popen[bytes], seconds: float) -> Mapping[str, Any] | None:
    """The next answer; None where none comes in time."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    file = process.stdout.fileno()
    deadline = time.monotonic() + seconds
    said = b""
    while not said.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([file], [], [], left)[0]:
            return None
        chunk = os.read(file, 1 << 16)
        if not chunk:
            return None
        said += chunk
    found: Mapping[str, Any] = json.loads(said)
    return found


def _run_fresh(job: Job) -> Ran:
    """The job in a process of its own."""
    process = _spawn("serve_once")
    begun = time.monotonic()
    order = json.dumps({**asdict(job), "token": os.urandom(16).hex()}).encode() + b"\n"
    try:
        said, _ = process.communicate(order, timeout=job.seconds + START_SECONDS / 4)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Ran(Ending.TIMED_OUT, words=f"it was stopped after {time.monotonic() - begun:.1f} seconds")
    except BaseException:
        process.kill()
        process.communicate()
        raise
    answer = json.loads(said) if process.returncode == 0 and said else {}
    if answer.pop("token", None) != json.loads(order)["token"]:
        return Ran(Ending.CRASHED, words=f"its process ended without a result (exit code {process.returncode})")
    return _ran(answer)


def _ran(answer: Mapping[str, Any]) -> Ran:
    outcomes = tuple(Outcome(**{**one, "warnings": tuple(one["warnings"])}) for one in answer["outcomes"])
    return Ran(Ending(answer["ending"]), outcomes, answer["words"], answer["seconds"])
