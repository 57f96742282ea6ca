"""The protocol of an engine: it runs trials, somewhere, and reports events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from stepwell.record.run import Run
from stepwell.record.trial import Trial


@dataclass(frozen=True, slots=True)
class Started:
    """A trial began, or goes on at `step` from a checkpoint."""

    trial: Trial
    step: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """A trial has made `step` updates; sent a few times a second at most."""

    trial: Trial
    step: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial ended; how is in `run.outcome` (a divergence is an outcome, not a failure)."""

    trial: Trial
    run: Run


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial could not be run: the task raised, or its process died. `error` is one sentence."""

    trial: Trial
    error: str


Event: TypeAlias = Started | Progress | Finished | Failed


class Engine(Protocol):
    """Runs trials in any order and yields events; every trial ends in exactly one `Finished` or `Failed`.

    The result of a trial does not depend on the engine, on the other trials or on their order.
    """

    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        """Yield events until every trial has ended."""
        ...

    def close(self) -> None:
        """Stop what runs, leave a checkpoint of it where there is a store, and free the workers; safe to call twice."""
        ...
