"""The engine that runs trials one after the other, here and now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import final

from stepwell.engines.attempt import attempt, distinct, opened
from stepwell.engines.engine import Event, Finished, Started
from stepwell.record.run import Ending
from stepwell.record.store import Store
from stepwell.record.trial import Trial


@final
class Inline:
    """Runs trials one after the other in this process: for debugging, profiling and tests.

    Events come between trials; for progress within a trial take `Processes(workers=1)`. On Ctrl-C the trial at work
    leaves a checkpoint before `KeyboardInterrupt` is raised; a second Ctrl-C does not wait for it.

    Args:
        store: the run store that keeps runs and checkpoints; None keeps nothing.
    """

    def __init__(self, store: Path | None = None) -> None:
        self._store = None if store is None else store.absolute()  # a task's own code may change the directory
        self._closed = threading.Event()

    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        """Yield events until every trial has ended, or until `close`."""
        chosen = distinct(trials)
        self._closed.clear()
        return self._events(chosen)

    def close(self) -> None:
        """Start no further trial; called from another thread, stop the one at work too."""
        self._closed.set()

    def _events(self, trials: tuple[Trial, ...]) -> Iterator[Event]:
        store = opened(self._store)
        with closing(store) if store is not None else nullcontext():
            for trial in trials:
                yield Started(trial, _first_step(store, trial))
                if self._closed.is_set():
                    return
                with _patient() as interrupted:
                    ended = attempt(
                        trial,
                        store=store,
                        report=_nobody,
                        should_stop=lambda: self._closed.is_set() or interrupted.is_set(),
                    )
                if interrupted.is_set():
                    raise KeyboardInterrupt
                if isinstance(ended, Finished) and ended.run.outcome.ending is Ending.STOPPED:
                    return
                yield ended
                if self._closed.is_set():
                    return


def _first_step(store: Store | None, trial: Trial) -> int:
    checkpoint = None if store is None else store.load_checkpoint(trial.key())
    return 0 if checkpoint is None else checkpoint[0]


def _nobody(_: Event) -> None:
    """Nobody can be told while a trial runs in this very thread."""


@contextmanager
def _patient() -> Iterator[threading.Event]:
    """Inside, the first Ctrl-C only sets the event, so that the trial can end at a step; the second is as ever."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # signals arrive in the main thread only
        return
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
