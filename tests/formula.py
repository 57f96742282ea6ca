"""An engine whose runs follow a formula, so that the right answer of a comparison is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from stepwell.compare.assemble import Rules
from stepwell.compare.conduct import conduct
from stepwell.compare.plan import Terms, log_grid
from stepwell.compare.strategy import select
from stepwell.engines.engine import Event, Finished, Progress, Started
from stepwell.record.comparison import Comparison
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store
from stepwell.record.trial import TaskRef, Trial
from stepwell.schedule import Horizon

UNTRAINED = 2.3
EARLY = 10  # updates after which a run diverges
Law = Callable[[Trial], float]


def bowl(best: float, *, floor: float = 0.3, noise: float = 0.01) -> Law:
    """The final loss: a bowl in the logarithm of the rate, and the noise of the seed."""

    def law(trial: Trial) -> float:
        noise_of_seed = float(np.random.default_rng([trial.seed, len(trial.strategy.schedule)]).normal()) * noise
        return min(floor + 0.2 * math.log2(trial.base_lr / best) ** 2 + noise_of_seed, UNTRAINED)

    return law


class Formula:
    """An engine that trains nothing."""

    def __init__(self, laws: dict[str, Law], diverges_above: float = math.inf, store: Store | None = None) -> None:
        self.laws = laws
        self.diverges_above = diverges_above
        self.store = store
        self.trained: list[Trial] = []
        self.stop_after = 10**9

    def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
        for trial in trials:
            if len(self.trained) >= self.stop_after:
                raise KeyboardInterrupt
            yield Started(trial)
            yield Progress(trial, 1)
            self.trained.append(trial)
            run = self._run(trial)
            if self.store is not None:
                self.store.save(run)
            yield Finished(trial, run)

    def close(self) -> None:
        pass

    def _run(self, trial: Trial) -> Run:
        diverged = trial.base_lr > self.diverges_above
        loss = math.nan if diverged else self.laws.get(trial.strategy.name, bowl(0.1))(trial)
        ending = Ending.DIVERGED if diverged else Ending.FINISHED if loss < 2 else Ending.NOT_LEARNING
        steps = EARLY if diverged else trial.budget.total_steps or 0
        return Run(
            id=trial.key(),
            name=trial.strategy.name,
            outcome=Outcome(ending, steps, ending.value),
            columns={"step": np.arange(2.0), "loss": np.array([UNTRAINED, loss]), "lr": np.full(2, trial.base_lr)},
            evals={
                "step": np.array([0.0, steps][: 2 - diverged]),
                "val_loss": np.array([UNTRAINED, loss][: 2 - diverged]),
            },
            results={
                "initial_val_loss": UNTRAINED,
                "final_val_loss": loss,
                "initial_test_loss": UNTRAINED,
                "test_loss": loss,
                "train_seconds": 0.5,
            },
            horizon=trial.budget,
            base_lr=trial.base_lr,
            seed=trial.seed,
            settings={"torch": torch.__version__},
        )


def rules(rates: tuple[float, ...] = log_grid(1e-3, 1.0), *, widen: bool = True) -> Rules:
    return Rules("val_loss", "test_loss", "min", rates, widen)


def terms(seeds: int = 8) -> Terms:
    return Terms(TaskRef("formula"), Horizon(400, 40), tuple(range(seeds)), (1_000_000, 1_000_001))


def compare(engine: Formula, names: Sequence[str], **settings: object) -> Comparison:
    strategies = select(only=names, optimizer="momentum")
    return conduct(terms(), strategies, rules(), engine, **settings)  # type: ignore[arg-type]  # passed through
