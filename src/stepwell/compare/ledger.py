"""What a comparison has run so far: trials through the engine, and what the store already has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from stepwell.engines.engine import Engine, Failed, Finished, Progress, Started
from stepwell.errors import TaskError
from stepwell.record.run import Run
from stepwell.record.store import Store
from stepwell.record.trial import Trial

Stage = Literal["race", "refine", "judge"]


@dataclass(frozen=True, slots=True)
class Status:
    """How far a comparison is. `planned_steps` can grow while the race goes on."""

    stage: Stage
    done_steps: int
    planned_steps: int
    reused_steps: int


@dataclass(slots=True)
class Ledger:
    """Runs trials through the engine, takes what the store already has, and counts.

    `done_steps` and `planned_steps` count budgets, so that a run that diverges early counts as done; `stage_steps` has
    the updates that were made.
    """

    engine: Engine
    store: Store | None
    watch: Callable[[Status], None] | None
    stage: Stage = "race"
    planned_steps: int = 0
    done_steps: int = 0
    reused: int = 0
    reused_steps: int = 0
    trials: int = 0
    train_seconds: float = 0.0
    stage_steps: dict[str, int] = field(default_factory=dict)
    _ended: dict[str, Run] = field(default_factory=dict)
    _under_way: dict[str, int] = field(default_factory=dict)

    def run(self, trials: Sequence[Trial]) -> list[Run]:
        """The runs of the trials, in their order; each is trained at most once, and not at all if it is stored.

        Raises:
            TaskError: a trial failed.
        """
        wanted = {trial.key(): trial for trial in trials}
        new = {key: trial for key, trial in wanted.items() if key not in self._ended}
        self._take_stored(new)
        missing = [trial for key, trial in new.items() if key not in self._ended]
        for event in self.engine.run(missing) if missing else ():
            match event:
                case Failed(trial, error):
                    raise TaskError(f"{trial.strategy.name} at rate {trial.base_lr:g}, seed {trial.seed}: {error}")
                case Finished(trial, run):
                    self._end(trial, run)
                case Progress(trial, step) | Started(trial, step):
                    self._under_way[trial.key()] = step
            self.tell()
        made = sum(self._ended[key].outcome.step for key in new)
        self.stage_steps[self.stage] = self.stage_steps.get(self.stage, 0) + made
        return [replace(self._ended[trial.key()], name=trial.strategy.name) for trial in trials]

    def tell(self) -> None:
        """Let the watcher know how far we are."""
        if self.watch is not None:
            done = self.done_steps + sum(self._under_way.values())
            self.watch(Status(self.stage, done, max(self.planned_steps, done), self.reused_steps))

    def _take_stored(self, wanted: Mapping[str, Trial]) -> None:
        if self.store is None:
            return
        for key in self.store.finished(wanted):
            self._ended[key] = self.store.load(key)
            steps = wanted[key].budget.total_steps or 0
            self.reused += 1
            self.reused_steps += steps
            self.done_steps += steps

    def _end(self, trial: Trial, run: Run) -> None:
        key = trial.key()
        if self.store is not None and not self.store.finished([key]):  # the engine keeps nothing, or not here
            self.store.save(run)
        self._ended[key] = run
        self._under_way.pop(key, None)
        self.done_steps += trial.budget.total_steps or 0
        self.trials += 1
        self.train_seconds += run.results.get("train_seconds", 0.0)
