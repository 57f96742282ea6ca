"""One trial, tried: what both engines do with it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from stepwell.engines.engine import Event, Failed, Finished, Progress, Started
from stepwell.errors import EngineError, StepwellError, StoreError
from stepwell.record.store import Store
from stepwell.record.trial import Trial

# Seconds between two reports of progress.
PACE = 0.25


def attempt(
    trial: Trial,
    *,
    store: Store | None,
    report: Callable[[Event], None],
    should_stop: Callable[[], bool],
) -> Finished | Failed:
    """How the trial ended. `report` hears when it starts, and a few times a second how far it is.

    What the task's own code prints goes to stderr: stdout belongs to the results.

    Raises:
        StoreError: the store cannot be used; that is no fault of the trial, so the whole work ends.
    """
    from stepwell.tasks.train import train  # brings torch, which the parent of worker processes can do without

    began = False
    due = 0.0

    def heard(step: int) -> None:
        nonlocal began, due
        now = time.monotonic()
        if not began:
            began = True
            report(Started(trial, step))
        elif now >= due:
            report(Progress(trial, step))
        else:
            return
        due = now + PACE

    try:
        with redirect_stdout(sys.stderr):
            run = train(trial, store=store, progress=heard, should_stop=should_stop)
        return Finished(trial, run)
    except (StoreError, EngineError):
        raise
    except StepwellError as error:
        return Failed(trial, str(error))


def distinct(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """The same trials, of which no two are the same run.

    Raises:
        EngineError: two of them are.
    """
    seen: dict[str, Trial] = {}
    for trial in trials:
        twin = seen.setdefault(trial.key(), trial)
        if twin is not trial:
            raise EngineError(
                f"the same run is asked for twice, as {twin.strategy.name!r} and {trial.strategy.name!r} with seed "
                f"{trial.seed} at rate {trial.base_lr:g}; give each trial once"
            )
    return tuple(seen.values())


def opened(store: Path | None) -> Store | None:
    """The store at this path, for this process alone; None for None."""
    return None if store is None else Store.open(store)
