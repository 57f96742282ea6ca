"""What runs in a worker process of the engine `processes`."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from stepwell.engines.attempt import attempt, opened
from stepwell.engines.engine import Event
from stepwell.errors import EngineError, StepwellError
from stepwell.record.trial import Trial

# Seconds that a worker without a parent has to leave its checkpoint.
GRACE = 30.0


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker can train."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The machinery broke, not a trial; `error` is what the parent raises."""

    error: StepwellError


def work(parent: Connection, store_path: Path | None) -> None:
    """Train what comes through the connection, one trial after the other, until it closes.

    A closed connection is the only order to stop, so that a parent that was killed gives it too: the trial at work
    leaves a checkpoint and the process ends.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole terminal; what follows is the parent's decision
    stop = threading.Event()
    orders: queue.SimpleQueue[Trial | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(parent, orders, stop), daemon=True).start()

    def tell(message: Event | Ready | Broken) -> None:
        try:
            parent.send(message)
        except OSError:  # the parent is gone, or has closed the engine
            stop.set()

    try:
        _train_all(tell, orders, stop, store_path)
    except StepwellError as error:
        tell(Broken(error))
    except Exception:  # noqa: BLE001  # whatever it is, the parent raises it
        tell(Broken(EngineError(f"a worker process broke:\n{traceback.format_exc()}")))


def _train_all(
    tell: Callable[[Event | Ready], None],
    orders: queue.SimpleQueue[Trial | None],
    stop: threading.Event,
    store_path: Path | None,
) -> None:
    store = opened(store_path)
    with closing(store) if store is not None else nullcontext():
        import torch  # takes seconds, and from here on it is warm

        torch.set_num_threads(1)
        tell(Ready())
        while (trial := orders.get()) is not None:
            ended = attempt(trial, store=store, report=tell, should_stop=stop.is_set)
            if not stop.is_set():
                tell(ended)


def _listen(parent: Connection, orders: queue.SimpleQueue[Trial | None], stop: threading.Event) -> None:
    try:
        while True:
            orders.put(parent.recv())
    except (EOFError, OSError):
        stop.set()
        orders.put(None)
    time.sleep(GRACE)
    os._exit(1)  # the trial never came to its next step
