"""The engine that runs trials side by side, each in a process with one thread."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import time
import types
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import final

from stepwell.engines.attempt import distinct
from stepwell.engines.engine import Event, Failed, Finished, Started
from stepwell.engines.worker import Broken, Ready, work
from stepwell.errors import EngineError, OptionError
from stepwell.record.trial import Trial

# Seconds that workers have to leave their checkpoints when the engine closes.
PATIENCE = 10.0
# The same for a trial that is still being loaded, or has only just begun.
BRIEFLY = 1.0
_GUARD = (
    'in a script, put the call under `if __name__ == "__main__":`; inside a worker process, use the engine `inline`'
)


@dataclass(eq=False)
class _Worker:
    """A process and what it is doing."""

    process: SpawnProcess
    connection: Connection
    ready: bool = False
    trial: Trial | None = None
    training: bool = False  # it has said that the trial started


@final
class Processes:
    """Runs trials side by side in worker processes of one thread each, which stay warm until `close`.

    A worker that dies costs its trial, which is `Failed`, and nothing else: a fresh one takes its place. Workers end
    by themselves when this process dies, whatever killed it, and leave a checkpoint of what they were doing.

    Args:
        workers: how many; by default one for each core that this process may use.
        store: the run store that keeps runs and checkpoints; None keeps nothing.
    """

    def __init__(self, workers: int | None = None, store: Path | None = None) -> None:
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
            raise OptionError(f"workers must be a positive whole number, got {workers!r}")
        self._size = workers if workers is not None else _cores()
        self._store = None if store is None else store.absolute()  # a task's own code may change the directory
        self._workers: list[_Worker] = []
        self._waiting: deque[Trial] = deque()

    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        """Yield events until every trial has ended, or until `close`.

        Raises:
            EngineError: two trials are the same run, workers cannot be started, or the machinery broke.
        """
        return self._events(distinct(trials))

    def close(self) -> None:
        """Stop what runs, leaving checkpoints, and end the workers; a later `run` starts new ones."""
        self._waiting.clear()
        for worker in self._workers:
            worker.connection.close()
            if not worker.ready or worker.trial is None:  # it has nothing to keep
                worker.process.terminate()
        now = time.monotonic()
        while self._workers:
            worker = self._workers[-1]
            deadline = now + (PATIENCE if worker.training else BRIEFLY)
            _end(worker.process, deadline - time.monotonic())
            self._workers.pop()
        atexit.unregister(self.close)

    def _events(self, trials: tuple[Trial, ...]) -> Iterator[Event]:
        if self._waiting or any(worker.trial for worker in self._workers):
            raise EngineError("this engine is still running other trials; exhaust their events or close it first")
        try:
            self._waiting.extend(trials)
            self._fill()
            while any(worker.trial for worker in self._workers):
                for connection in wait([worker.connection for worker in self._workers]):
                    worker = next((one for one in self._workers if one.connection is connection), None)
                    if worker is not None:  # the engine may have been closed between two events
                        yield from self._hear(worker)
        except BaseException:  # Ctrl-C and an abandoned loop too: nothing goes on training unseen
            self.close()
            raise

    def _fill(self) -> None:
        """Give every idle worker a trial, starting workers as needed."""
        while self._waiting:
            idle = next((worker for worker in self._workers if worker.trial is None), None)
            if idle is None:
                if len(self._workers) == self._size:
                    return
                idle = self._start()
            idle.trial = self._waiting.popleft()
            try:
                idle.connection.send(idle.trial)
            except OSError:  # it died while idle
                self._waiting.appendleft(idle.trial)
                self._bury(idle)

    def _hear(self, worker: _Worker) -> Iterator[Event]:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            lost, death = worker.trial, self._bury(worker)
            self._fill()
            if lost is not None:
                yield Failed(lost, f"the worker process {death} while it trained {lost.strategy.name!r}")
            return
        match message:
            case Ready():
                worker.ready = True
            case Broken(error):
                raise error
            case Started():
                worker.training = True
                yield message
            case Finished() | Failed():
                worker.trial, worker.training = None, False
                self._fill()  # before anybody looks at the event, so that no core waits for it
                yield message
            case _:
                yield message

    def _start(self) -> _Worker:
        if multiprocessing.parent_process() is not None:
            raise EngineError(f"the engine `processes` cannot be started from a child process; {_GUARD}")
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self._store), name="stepwell worker")
        try:
            with _without_main(), _without_interrupt():
                process.start()
        except (RuntimeError, AssertionError, OSError) as error:
            ours.close()
            raise EngineError(f"a worker process could not be started ({error}); {_GUARD}") from error
        finally:
            theirs.close()
        if not self._workers:
            atexit.register(self.close)
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _bury(self, worker: _Worker) -> str:
        """How the worker died.

        Raises:
            EngineError: it never lived; another one would fare no better.
        """
        self._workers.remove(worker)
        worker.connection.close()
        _end(worker.process, 1.0)
        death = _death(worker.process.exitcode)
        if not worker.ready:
            raise EngineError(f"a worker process {death} before it could train; what it printed says why")
        return death


def _end(process: SpawnProcess, seconds: float) -> None:
    """Wait for the process to end; after so long, make it."""
    process.join(max(0.0, seconds))
    if process.is_alive():
        process.terminate()
        process.join(1.0)
    if process.is_alive():
        process.kill()
        process.join()


def _death(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"ended with exit code {exitcode}"
    name = signal.Signals(-exitcode).name
    return f"was killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _without_main() -> Iterator[None]:
    """Inside, a started process does not import this process's main module, which it has no need of.

    A script without a main guard would run again in every worker, and a notebook or a pipe has no file to import.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _without_interrupt() -> Iterator[None]:
    """Inside, a started process is deaf to Ctrl-C from its first moment; ours is delivered afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
