"""What a run's row in the store holds: everything but its columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from stepwell.record.database import DamagedError
from stepwell.record.document import dumps, number_to_json, settings_from_json, settings_to_json
from stepwell.record.run import Columns, Ending, Outcome, Run
from stepwell.schedule.length import Horizon


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run without its rows. `begun` and `written` (last) are seconds since 1970."""

    id: str
    name: str
    outcome: Outcome
    num_steps: int
    task: str | None
    optimizer: str | None
    schedule: str | None
    base_lr: float | None
    seed: int | None
    results: Mapping[str, float]
    begun: float
    written: float
    settings: Mapping[str, Any] = field(default_factory=dict)


def row_of(run: Run) -> dict[str, Any]:
    """The fields of the table `runs`, without its times."""
    return {
        "id": run.id,
        "name": run.name,
        "ending": run.outcome.ending.value,
        "step": int(run.outcome.step),
        "words": run.outcome.words,
        "schedule": run.schedule,
        "horizon": None if run.horizon is None else dumps(asdict(run.horizon)),
        "base_lr": None if run.base_lr is None else repr(float(run.base_lr)),
        "optimizer": run.optimizer,
        "task": run.task,
        "seed": None if run.seed is None else str(int(run.seed)),
        "settings": dumps(settings_to_json(run.settings)),
        "results": results_text(run.results),
    }


@contextmanager
def _damage_named(run_id: object) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"what it says about the run {run_id!r} makes no sense: {error}") from error


def run_of(row: sqlite3.Row, columns: Columns, evals: Columns) -> Run:
    """The run of a row of the table `runs`, with its columns."""
    with _damage_named(row["id"]):
        horizon = row["horizon"]
        return Run(
            id=row["id"],
            name=row["name"],
            outcome=_outcome(row),
            columns=columns,
            evals=evals,
            results=_results(row["results"]),
            schedule=row["schedule"],
            horizon=None if horizon is None else Horizon(**json.loads(horizon)),
            base_lr=_float(row["base_lr"]),
            optimizer=row["optimizer"],
            task=row["task"],
            seed=_int(row["seed"]),
            settings=settings_from_json(json.loads(row["settings"])),
        )


def summary_of(row: sqlite3.Row) -> RunSummary:
    """The summary of a row of the table `runs`."""
    with _damage_named(row["id"]):
        return RunSummary(
            id=row["id"],
            name=row["name"],
            outcome=_outcome(row),
            num_steps=row["train_rows"],
            task=row["task"],
            optimizer=row["optimizer"],
            schedule=row["schedule"],
            base_lr=_float(row["base_lr"]),
            seed=_int(row["seed"]),
            results=_results(row["results"]),
            begun=row["begun"],
            written=row["written"],
            settings=settings_from_json(json.loads(row["settings"])),
        )


def results_text(results: Mapping[str, float]) -> str:
    """The figures as strict JSON."""
    return dumps({name: number_to_json(float(value)) for name, value in results.items()})


def _results(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in json.loads(text).items()}


def _outcome(row: sqlite3.Row) -> Outcome:
    return Outcome(Ending(row["ending"]), row["step"], row["words"])


def _float(text: str | None) -> float | None:
    return None if text is None else float(text)


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)
