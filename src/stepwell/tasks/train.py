"""The only training loop in the house: from what is wanted to what happened."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from torch.optim import Optimizer

from stepwell.drive.recorder import Recorder
from stepwell.drive.scheduler import Scheduler
from stepwell.errors import HorizonError, OptionError, ResumeError
from stepwell.record.run import Run
from stepwell.record.store import Store
from stepwell.record.trial import Trial
from stepwell.schedule import Horizon
from stepwell.tasks.blame import file_of, user_code
from stepwell.tasks.determinism import environment, pinned, seed_all
from stepwell.tasks.load import load_task, written
from stepwell.tasks.optimizers import FAMILIES, make_optimizer
from stepwell.tasks.task import Task, Workload
from stepwell.tasks.training import Training


def train(
    trial: Trial,
    *,
    task: Task | None = None,
    store: Store | None = None,
    progress: Callable[[int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Run:
    """Train what the trial describes; everything in the result but `seconds` and `train_seconds` follows from it.

    One thread, every random generator seeded, and seeded anew for each epoch, so that the order of the data depends on
    seed and epoch alone. Only divergence ends a run early. Validation once per epoch and at the end, the test split
    before the first update and after the last.

    Args:
        trial: its budget gives `total_steps`, which need not be whole epochs.
        task: stands for `trial.task`, which is loaded if this is not given.
        store: keeps the run, and a checkpoint every minute. A trial that it holds a checkpoint of goes on from there,
            to the same result bit for bit, or begins again with a warning if the checkpoint is damaged or does not fit;
            one that has finished in it is returned as it was. While another process trains the same trial into it, this
            one keeps no checkpoint, and the run that is finished first counts.
        progress: hears how many updates were made: when training begins, and after each but the last.
        should_stop: asked after each update; once it says yes, the run ends as stopped and leaves a checkpoint.

    Returns:
        The run. `results` has `initial_`, `final_` and `best_` of each validation metric (best: where the goal was
        best), `initial_test_` and `test_` of each test metric, `seconds` in all and `train_seconds` in updates. After a
        number that is not finite, what would be measured then is `nan`.

    Raises:
        TaskError: the task cannot be loaded, or its code raised, with the user's file and line.
        OptionError, OptimizerError, ScheduleError: the trial holds something that cannot be.
        HorizonError: the budget and the task disagree, or the schedule does not fit.
        StoreError: the store cannot be written.
    """
    began = time.perf_counter()
    key = trial.key()
    if store is not None and store.finished([key]):
        return _as_stored(trial, store, progress)
    if trial.seed < 0:
        raise OptionError(f"a seed must be a whole number of at least 0, got {trial.seed}")
    task = load_task(trial.task) if task is None else task
    ours = store is not None and store.claim(key)
    try:
        if store is not None and store.finished([key]):  # by another process, until we had the claim
            return _as_stored(trial, store, progress)
        with pinned(trial.seed):
            training = _begun(trial, task, store if ours else None)
            training.progress, training.should_stop, training.began = progress, should_stop, began
            with training.recorder:
                training.begin()
                run = training.finish(training.run())
    finally:
        if store is not None and ours:
            store.release(key)
    if store is not None and not ours:
        run = store.keep(run)
    return replace(run, name=trial.strategy.name)


def _as_stored(trial: Trial, store: Store, progress: Callable[[int], None] | None) -> Run:
    run = replace(store.load(trial.key()), name=trial.strategy.name)
    if progress is not None:
        progress(run.outcome.step)
    return run


def _begun(trial: Trial, task: Task, store: Store | None) -> Training:
    """The training run where its checkpoint left it, or at its beginning."""
    training = _training(trial, task, store)
    kept = None if store is None else store.load_checkpoint(trial.key())
    if kept is not None:
        try:
            training.go_on(kept[1])
        except ResumeError as error:
            warnings.warn(f"{trial.strategy.name} begins again: {error}", UserWarning, stacklevel=3)
            seed_all(trial.seed)
            training = _training(trial, task, store)
    return training


def _training(trial: Trial, task: Task, store: Store | None) -> Training:
    """A training run at its beginning."""
    file = file_of(task)
    with user_code(file, f"task {trial.task.name!r} was called with seed {trial.seed}"):
        work = task(trial.seed)
    horizon, total_steps = _horizon(trial, work)
    strategy = trial.strategy
    optimizer = make_optimizer(strategy.optimizer, work, trial.base_lr, strategy.options)
    return Training(
        trial=trial,
        work=work,
        file=file,
        total_steps=total_steps,
        optimizer=optimizer,
        scheduler=Scheduler(optimizer, strategy.schedule, **asdict(horizon), on_change="raise"),
        recorder=_recorder(trial, work, optimizer, horizon, store),
        store=store,
    )


def _recorder(trial: Trial, work: Workload, optimizer: Optimizer, horizon: Horizon, store: Store | None) -> Recorder:
    return Recorder(
        optimizer,
        name=trial.strategy.name,
        store=store,
        run_id=trial.key(),
        schedule=trial.strategy.schedule,
        horizon=horizon,
        base_lr=trial.base_lr,
        optimizer_name=trial.strategy.optimizer,
        task=written(trial.task),
        seed=trial.seed,
        settings=_settings(trial, work),
        shared=True,
    )


def _horizon(trial: Trial, work: Workload) -> tuple[Horizon, int]:
    """The budget, completed with the task's own length of an epoch; and its total steps, which must be known."""
    budget, steps_per_epoch = trial.budget, work.steps_per_epoch
    if budget.total_steps is None:
        raise HorizonError("a trial needs an end: give its budget total_steps, as in Horizon.epochs(20, ...)")
    if budget.steps_per_epoch not in (None, steps_per_epoch):
        raise HorizonError(
            f"the budget has {budget.steps_per_epoch} steps per epoch, task {trial.task.name!r} has {steps_per_epoch}"
        )
    return replace(budget, steps_per_epoch=steps_per_epoch), budget.total_steps


def _settings(trial: Trial, work: Workload) -> dict[str, Any]:
    strategy = trial.strategy
    return {
        **environment(next(work.model.parameters()).device),
        "optimizer_options": {**FAMILIES[strategy.optimizer].defaults, **strategy.options},
        "task_arguments": dict(trial.task.arguments),
        "task_source": trial.task.source_hash,
        "parameters": sum(parameter.numel() for parameter in work.model.parameters() if parameter.requires_grad),
        "goal": list(work.goal),
        "test_split": work.test is not None,
    }
