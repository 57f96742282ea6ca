"""What `compare` costs beside the same training in a bare PyTorch loop, in the same run.

Goal: at most 1.15 times. The bare loop trains the same trials (same rates, steps and data order), evaluates when
`compare` does, records nothing, stores nothing and decides nothing. Both use one thread per process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch

from stepwell import compare
from stepwell.record.comparison import Comparison
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon, schedule
from stepwell.tasks.load import load_task
from stepwell.tasks.task import Workload

REPEATS = 3
ARGUMENTS = {"only": ["constant", "cosine", "step"], "seeds": 8, "lr": [0.025, 0.05, 0.1]}


def trials_of(store: Path) -> list[Trial]:
    """What a comparison trained, read from its store."""
    trials = []
    with Store.open(store) as opened:
        for summary in opened.summaries():
            run = opened.load(summary.id)
            trials.append(
                Trial(
                    TaskRef("digits-cnn"),
                    Strategy(run.name, run.schedule or "", run.optimizer or ""),
                    run.base_lr or 0.0,
                    run.seed or 0,
                    run.horizon or Horizon(),
                )
            )
    return trials


def evaluate(work: Workload, batches: object) -> float:
    """The mean validation loss, as everybody writes it."""
    total, count = 0.0, 0
    work.model.eval()
    with torch.no_grad():
        for batch in batches:  # type: ignore[attr-defined]  # any iterable
            value, number = work.metrics(work.model, batch)["loss"]
            total, count = total + float(value), count + number
    work.model.train()
    return total / count


def bare(trial: Trial, *, evaluations: bool) -> None:
    """The loop that a careful user would write by hand."""
    torch.manual_seed(trial.seed)
    work = load_task(trial.task)(trial.seed)
    optimizer = torch.optim.SGD(work.model.parameters(), lr=trial.base_lr, momentum=0.9)
    total = trial.budget.total_steps or 0
    curve = schedule(trial.strategy.schedule).resolve(trial.budget, base_lr=trial.base_lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, curve.__call__)
    step, epoch = 0, 0
    if evaluations:
        evaluate(work, work.val())
        evaluate(work, work.test() if work.test else ())
    while step < total:
        for batch in work.train(epoch):
            optimizer.zero_grad()
            loss = work.loss(work.model, batch)
            torch.autograd.backward(loss)
            optimizer.step()
            step += 1
            if step < total:
                scheduler.step()
            if not torch.isfinite(loss):
                return
            if step == total:
                break
        epoch += 1
        if evaluations:
            evaluate(work, work.val())
    if evaluations:
        evaluate(work, work.test() if work.test else ())


def timed(engine: str) -> tuple[float, list[Trial], Comparison]:
    """One comparison in a fresh store."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "runs.sqlite"
        begin = time.perf_counter()
        comparison = compare("digits-cnn", engine=engine, store=store, **ARGUMENTS)  # type: ignore[arg-type]  # as typed above
        return time.perf_counter() - begin, trials_of(store), comparison


def timed_bare(trials: list[Trial], *, evaluations: bool) -> float:
    """All trials in a bare loop, one after the other."""
    begin = time.perf_counter()
    for trial in trials:
        bare(trial, evaluations=evaluations)
    return time.perf_counter() - begin


def main() -> None:
    """Print the ratios of each repeat and their medians."""
    torch.set_num_threads(1)
    _, trials, _ = timed("inline")  # warm: data sets read, kernels chosen
    steps = sum(trial.budget.total_steps or 0 for trial in trials)
    print(f"{len(trials)} trials, {steps} steps of digits-cnn")
    ratios: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        plain = timed_bare(trials, evaluations=False)
        with_evaluations = timed_bare(trials, evaluations=True)
        inline, _, _ = timed("inline")
        processes, _, _ = timed("processes")
        for name, value in {
            "inline / bare loop that evaluates too": inline / with_evaluations,
            "inline / bare loop that only trains": inline / plain,
            "processes / bare loop that evaluates too": processes / with_evaluations,
            "processes / bare loop that only trains": processes / plain,
        }.items():
            ratios.setdefault(name, []).append(value)
        print(
            f"bare {plain:.1f} s, bare with evaluations {with_evaluations:.1f} s, "
            f"inline {inline:.1f} s, processes {processes:.1f} s"
        )
    for name, values in ratios.items():
        print(f"{name:42} {statistics.median(values):.2f}  (goal 1.15)")


if __name__ == "__main__":
    main()
