"""What happened: the frozen record of one training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stepwell.schedule.length import Horizon

Columns: TypeAlias = Mapping[str, NDArray[np.float64]]

LEARNED_SHARE = 0.1
"""A run has learned when it took this share off the untrained loss, or gained it of what there was to gain."""


class Ending(StrEnum):
    """How a training run ended; the value is what a table prints."""

    RUNNING = "running"
    FINISHED = "learned"
    NOT_LEARNING = "did not learn"
    DIVERGED = "diverged"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ending, the number of updates made, and one sentence with the numbers that the verdict rests on."""

    ending: Ending
    step: int
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A frozen record of one training run. Columns are float64 arrays of equal length.

    Args:
        id: unique in its store; the trial's key where a trial asked for the run.
        name: what tables call it (the strategy's name, or the user's own).
        columns: one row per update: `step` (from 0), `loss`, `lr` (`lr.1`, ... for further groups), on request
            `grad_norm`.
        evals: one row per evaluation: `step` (updates made before it), `val_loss`, ...
        results: single figures measured once: `initial_val_loss`, `final_val_loss`, `test_loss`, `seconds`, ...
        settings: whatever reproduces the run: threads, versions, optimizer options, task arguments.
    """

    id: str
    name: str
    outcome: Outcome
    columns: Columns
    evals: Columns = field(default_factory=dict)
    results: Mapping[str, float] = field(default_factory=dict)
    schedule: str | None = None
    horizon: Horizon | None = None
    base_lr: float | None = None
    optimizer: str | None = None
    task: str | None = None
    seed: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        """A per-update column, else the per-evaluation column of that name."""
        return self.columns[column] if column in self.columns else self.evals[column]

    @property
    def num_steps(self) -> int:
        """How many updates were recorded."""
        return len(next(iter(self.columns.values()), ()))

    def __repr__(self) -> str:
        """The run in one line: which it is, how it ended, its last figures; the rows are in the columns."""
        task = "" if self.task is None else f" on {self.task!r}"
        ending, words = self.outcome.ending.value, " ".join(self.outcome.words.split())  # an error may have lines
        ended = words if words.startswith(ending) else ": ".join(filter(None, (ending, words)))
        last = {name: column[-1] for name, column in self.evals.items() if name != "step" and len(column)}
        if len(self.columns.get("loss", ())):
            last = {"loss": self.columns["loss"][-1]} | last
        figures = "".join(f", {name}={float(value):.4g}" for name, value in (last | dict(self.results)).items())
        return f"Run({self.id!r}, {self.name!r}{task}, {self.num_steps} steps, {ended}{figures})"
