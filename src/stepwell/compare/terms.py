"""From what a user asks for to the terms of a comparison; what is wrong with it is said here, before it begins."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from stepwell.compare.assemble import Rules
from stepwell.compare.conduct import conduct
from stepwell.compare.decide import MIN_SEEDS, decide
from stepwell.compare.ledger import Status
from stepwell.compare.plan import FIRST_TUNING_SEED, Terms, log_grid
from stepwell.compare.strategy import select
from stepwell.drive.scheduler import Scheduler
from stepwell.engines.engine import Engine
from stepwell.engines.inline import Inline
from stepwell.engines.processes import Processes
from stepwell.errors import HorizonError, OptimizerError, OptionError, ScheduleError
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, TaskRef
from stepwell.schedule import Horizon, Unit, schedule
from stepwell.schedule.text import parse_length
from stepwell.tasks.determinism import environment, place
from stepwell.tasks.load import load_task, reference, written
from stepwell.tasks.optimizers import base_momentum, make_optimizer, rate_grid
from stepwell.tasks.preflight import preflight
from stepwell.view.words import replaced

if TYPE_CHECKING:
    from stepwell.record.comparison import Comparison

TUNING_SEEDS = 2
ENGINES: dict[str, Callable[..., Engine]] = {"processes": Processes, "inline": Inline}


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of `stepwell.compare`, as they were given."""

    task: str | TaskRef
    extra: Mapping[str, str] | Sequence[str]
    only: tuple[str, ...]
    optimizer: str
    options: Mapping[str, float]
    budget: str
    lr: str | float | Sequence[float]
    seeds: int
    alpha: float
    margin: float


def run(
    request: Request,
    *,
    engine: str | Engine,
    store: str | Path | None,
    watch: Callable[[Status], None] | None,
) -> Comparison:
    """Check the request, then conduct the comparison; see `stepwell.compare`."""
    rates = read_rates(request.lr, request.optimizer)
    make_optimizer(request.optimizer, torch.nn.Linear(1, 1), rates[0], request.options)
    strategies = select(
        request.extra,
        request.only,
        optimizer=request.optimizer,
        options=request.options,
        has_momentum=bool(base_momentum(request.optimizer, request.options)),
    )
    for strategy in strategies:
        if built_in := replaced(strategy):
            _note(f"strategy {strategy.name!r} is yours, {strategy.schedule!r}, not the built-in {built_in!r}")
    if isinstance(request.seeds, bool) or not isinstance(request.seeds, int) or request.seeds < MIN_SEEDS:
        raise OptionError(f"seeds must be a whole number of at least {MIN_SEEDS}, got {request.seeds!r}")
    decide(
        np.zeros((1, MIN_SEEDS)), alpha=request.alpha, margin=request.margin
    )  # an option out of its range is said now
    if isinstance(engine, str) and engine not in ENGINES:
        raise OptionError(f"unknown engine {engine!r}; known engines: {', '.join(sorted(ENGINES))}")
    task = reference(request.task) if isinstance(request.task, str) else request.task
    facts = preflight(load_task(task), 0)
    terms = Terms(
        task,
        read_budget(request.budget, facts.steps_per_epoch),
        tuple(range(request.seeds)),
        tuple(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + TUNING_SEEDS)),
        place(environment(torch.device(facts.device))),
    )
    _check_fit(strategies, terms, rates)
    goal, direction = facts.goal
    metric = f"test_{goal.removeprefix('val_')}" if facts.has_test else goal
    widen = isinstance(request.lr, str) and request.lr == "auto"
    rules = Rules(goal, metric, direction, rates, widen, request.alpha, request.margin, facts.has_groups)
    with _opened(store) as runs, _running(engine, store) as machinery:
        if runs is not None:
            _notice_unused(runs, task, terms.environment)
        return conduct(terms, strategies, rules, machinery, store=runs, watch=watch)


def read_budget(text: str, steps_per_epoch: int) -> Horizon:
    """The horizon that `20ep` or `600` stands for on this task.

    Raises:
        ScheduleError: not a length.
        OptionError: a share of the run or tokens, or less than one update.
    """
    length = parse_length(str(text))
    if length.unit not in (Unit.EPOCHS, Unit.STEPS):
        raise OptionError(f"a budget is in epochs (20ep) or updates (600), got {text!r}")
    steps = length.in_steps(Horizon(steps_per_epoch=steps_per_epoch))
    if steps.denominator != 1 or steps < 2:
        raise OptionError(f"the budget {text!r} is {float(steps):g} updates; it must be a whole number of at least 2")
    return Horizon(int(steps), steps_per_epoch)


def read_rates(lr: str | float | Sequence[float], optimizer: str) -> tuple[float, ...]:
    """The grid of the race, ascending.

    Raises:
        OptionError: not `auto`, a rate or a list of different rates, all positive and finite.
        OptimizerError: an unknown optimizer.
    """
    if lr == "auto":
        return log_grid(*rate_grid(optimizer))
    given = lr.replace(",", " ").split() if isinstance(lr, str) else lr if isinstance(lr, Sequence) else [lr]
    rates = []
    for one in given:
        try:
            rate = float(one)
        except (TypeError, ValueError):
            raise OptionError(f"a rate is a number such as 0.1, or 'auto', got {one!r}") from None
        if not (math.isfinite(rate) and rate > 0):
            raise OptionError(f"a rate must be positive and finite, got {one!r}")
        rates.append(rate)
    if not rates or len(set(rates)) < len(rates):
        raise OptionError(f"give at least one rate, each once, got {lr!r}")
    return tuple(sorted(rates))


def _check_fit(strategies: Sequence[Strategy], terms: Terms, rates: tuple[float, ...]) -> None:
    """Every schedule fits the budget and drives only what the optimizer has, before anything is trained.

    Raises:
        StepwellError: of the kind that it is, with the name of the strategy and what to do.
    """
    for strategy in strategies:
        named = f"strategy {strategy.name!r}"
        optimizer = make_optimizer(strategy.optimizer, torch.nn.Linear(1, 1), rates[0], strategy.options)
        entries = {entry.name for entry in schedule(strategy.schedule).entries}
        momentum = base_momentum(strategy.optimizer, strategy.options)
        if "momentum" in entries and momentum is None:
            raise OptionError(f"{named} schedules momentum, which {strategy.optimizer!r} lacks")
        if "momentum" in entries and momentum == 0:
            raise OptionError(
                f"{named} schedules momentum, which is 0 here; give the optimizer one, such as momentum=0.9, or take "
                "the entry out of the schedule"
            )
        if re.search(r"\dtok\b", strategy.schedule):
            raise ScheduleError(
                f"{named} counts tokens, which a comparison does not know; count epochs (5ep) or updates"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # what it thinks of the plan is said where it is trained
                Scheduler(optimizer, strategy.schedule, **asdict(terms.budget))
        except HorizonError as error:
            raise HorizonError(f"{named} does not fit {terms.steps} updates: {error}") from None
        except OptimizerError as error:
            raise OptimizerError(f"{named}: {error}; take it out, or choose another --optimizer") from None
        except (ScheduleError, OptionError) as error:
            raise type(error)(f"{named} cannot be used with {strategy.optimizer!r}: {error}") from None


def _notice_unused(store: Store, task: TaskRef, here: str) -> None:
    """Say how many stored runs of this task are not taken: it has changed since, or they were made elsewhere."""
    name = written(task)
    found = [one.settings for one in store.summaries() if one.task == name and "task_source" in one.settings]
    present = [settings for settings in found if settings["task_source"] == task.source_hash]
    elsewhere = [settings for settings in present if place(settings) != here]
    if found and not present:
        _note(f"task {name!r} was edited since its runs were stored; its {_runs(len(found))} kept but not used")
    if elsewhere:
        _note(
            f"of task {name!r}, {_runs(len(elsewhere))} kept but not used: made with {place(elsewhere[-1])}, "
            f"while this is {here}"
        )


def _runs(count: int) -> str:
    return "1 stored run is" if count == 1 else f"{count} stored runs are"


def _note(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)


@contextmanager
def _running(engine: str | Engine, store: str | Path | None) -> Iterator[Engine]:
    """The engine, closed at the end whatever happens."""
    path = None if store is None else Path(store)
    machinery = ENGINES[engine](store=path) if isinstance(engine, str) else engine
    try:
        yield machinery
    finally:
        machinery.close()


def _opened(store: str | Path | None) -> Store | nullcontext[None]:
    return nullcontext() if store is None else Store.open(store)
