"""`find_lr`: a learning rate for a model, its data, its optimizer and its schedule, with the evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from torch.optim import Optimizer

from stepwell.errors import OptionError
from stepwell.find.answer import Answer, answer
from stepwell.find.bench import Loss
from stepwell.find.conduct import Search, Watch
from stepwell.find.grid import places_within, rate_at
from stepwell.find.how import How
from stepwell.find.of_factory import Data, MakeOptimizer
from stepwell.find.range_test import range_test
from stepwell.find.short_run import Setting
from stepwell.find.subject import Given, Subject, read_subject
from stepwell.record.suggestion import LrSuggestion, RangeTest, Verdict
from stepwell.schedule import Schedule
from stepwell.schedule import schedule as read_schedule

BUDGET = 600  # updates
SCORED = 4  # batches that a short run is scored on
VAL_BATCHES = {"loss": 4, "val": 8}  # that it is validated on at most, by what ranks the rates
LOWEST, HIGHEST = 1e-7, 10.0  # of a range test, unless given
UTMOST = (1e-9, 1e5)  # of a race with one end given
SWEPT = 100  # updates of a range test
RULE = "fastai.minimum"  # of the rules that read a range test, the one with the least regret


def find_lr(  # noqa: PLR0913 -- what is trained, what is asked, and how far to go
    subject: Any,
    optimizer: MakeOptimizer | Optimizer | None = None,
    *,
    loss: Loss | None = None,
    data: Data | None = None,
    val: Data | None = None,
    options: Mapping[str, float] | None = None,
    schedule: str | Schedule = "hold",
    total_steps: int | None = None,
    budget: int = BUDGET,
    metric: Literal["loss", "val"] = "loss",
    seed: int = 0,
    low: float | None = None,
    high: float | None = None,
    method: Literal["race", "range"] = "race",
    scheduler: object = None,
    how: How | None = None,
    watch: Watch | None = None,
) -> LrSuggestion:
    """The learning rate for a model, measured by real short runs, with an interval and a verdict.

    Rates are trained from one and the same start on the same batches, each with a complete miniature of the schedule:
    first over half decades, then over quarter decades, longer and on fresh seeds. Afterwards everything is as it was,
    bit for bit, also after an error or Ctrl-C.

    Args:
        subject: a task (its name, a `TaskRef`, or the function itself); or a function that makes a model; or a live
            model, whose `optimizer` is the torch optimizer that trains it.
        optimizer: for a task its family, such as `adamw` (`momentum` unless given); for a factory a family, or a
            function from parameters to an optimizer; for a live model the optimizer.
        loss: model, batch -> the scalar training loss. Tasks have their own.
        data: the training loader; for a factory also a function from a seed to an epoch's batches.
        val: validation batches, for `metric="val"` and to see whether training and validation agree.
        options: of an optimizer given by its family.
        schedule: what the real run will follow.
        total_steps: updates of the real run, so that lengths in updates and epochs shrink with the short runs.
        budget: updates that the search may take, scored batches counted as updates.
        metric: what rates are ranked by: the training `loss`, or `val`.
        seed: of the first short runs.
        low: the lowest rate to try; about 1e-8 unless given.
        high: the highest; about 10,000 unless given.
        method: `race`, or the classical `range` test, which is quicker to run and easier to mislead.
        scheduler: of a live model's loop; it does not move.
        how: what a loop does beside `loss.backward()` and `optimizer.step()`: accumulation, a scaler, clipping.
        watch: hears of every short run before it begins.

    Returns:
        The suggestion. Its `lr` is `nan` only where the verdict says why.

    Raises:
        OptionError: an argument that cannot be, or one that the subject needs and lacks.
        TaskError, OptimizerError: what cannot be trained, with what to do.
        ScheduleError, HorizonError: the schedule cannot be read, or does not fit its short runs.

    Example:
        >>> found = find_lr("diabetes-mlp", "adam", budget=120)
        >>> 1e-4 < found.lr < 1.0, found.spent <= 120
        (True, True)
    """
    _check(metric, method, low, high)
    _check_counts(budget=budget, total_steps=total_steps)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise OptionError(f"a seed must be a whole number of at least 0, got {seed!r}")
    setting = Setting(read_schedule(schedule), total_steps, SCORED, metric)
    given = Given(loss, data, val, options, scheduler, how, VAL_BATCHES[metric])
    asked = read_subject(subject, optimizer, given)
    if metric == "val" and not asked.has_val:
        raise OptionError("metric='val' ranks rates by the validation loss, so it needs val=..., a validation loader")
    with asked.bench as bench:
        if method == "range":
            sweep = range_test(bench, low or LOWEST, high or HIGHEST, min(budget, SWEPT), seed)
            return _suggestion(_read_off(sweep), asked, setting, budget, sweep.suggestions[RULE], sweep=sweep)
        bounds = _bounds(low, high)
        search = Search(bench, setting, budget, seed, bounds, watch, given.limit if asked.has_val else 0)
        search.run()
    found = answer(search.heats, bounds, search.probes if metric == "loss" else (), rises=search.rises)
    lr = math.nan if found.place is None else rate_at(found.place)
    return _suggestion(found, asked, setting, budget, lr, search=search)


def _check(metric: str, method: str, low: float | None, high: float | None) -> None:
    if metric not in ("loss", "val"):
        raise OptionError(f"metric is 'loss' or 'val', got {metric!r}")
    if method not in ("race", "range"):
        raise OptionError(f"method is 'race' or 'range', got {method!r}")
    for name, rate in (("low", low), ("high", high)):
        if rate is not None and not (isinstance(rate, int | float) and 0 < rate < math.inf):
            raise OptionError(f"{name} is a rate above 0, got {rate!r}")
    lowest, highest = low or UTMOST[0], high or UTMOST[1]
    if lowest * 1.5 > highest:
        raise OptionError(f"low must be well below high, at most two thirds of it; got {lowest:g} and {highest:g}")


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise OptionError(f"{name} is a whole number of updates of at least 1, got {count!r}")


def _bounds(low: float | None, high: float | None) -> tuple[int, int] | None:
    """The first and the last place of the grid that a race may try; None for no bounds.

    Raises:
        OptionError: there are too few for any to lie between two others.
    """
    if low is None and high is None:
        return None
    lowest, highest = low or UTMOST[0], high or UTMOST[1]
    first, last = places_within(lowest, highest)
    if last - first < 2:
        raise OptionError(
            f"a race needs three rates of its grid, four in a decade (0.01, 0.0178, 0.0316, 0.0562), and between "
            f"{lowest:g} and {highest:g} there is {last - first + 1 or 'none'}; give wider limits"
        )
    return first, last


def _read_off(sweep: RangeTest) -> Answer:
    """What a range test alone allows to say."""
    if math.isfinite(sweep.suggestions[RULE]):
        words = f"Read from one sweep by the rule {RULE}; nothing was trained at this rate, so there is no interval."
        return Answer(Verdict.FOUND, words)
    if not math.isfinite(sweep.losses[0]):
        words = f"The loss is {sweep.losses[0]:g} before the first update, so nothing can be read from it."
        return Answer(Verdict.NO_SIGNAL, words)
    return Answer(Verdict.NO_SIGNAL, "The sweep's loss has no shape that the rule could read.")


def _suggestion(
    found: Answer,
    asked: Subject,
    setting: Setting,
    budget: int,
    lr: float,
    *,
    search: Search | None = None,
    sweep: RangeTest | None = None,
) -> LrSuggestion:
    def rate(place: int | None) -> float:
        return math.nan if place is None else rate_at(place)

    initials = list(search.initials.values()) if search else []
    schedule = str(setting.schedule)
    return LrSuggestion(
        lr=lr,
        verdict=found.verdict,
        words=found.words,
        low=rate(found.low),
        high=rate(found.high),
        edge=rate(found.edge),
        spread=math.nan if asked.bench.seeds_vary == "nothing" else found.spread,
        tolerance=found.tolerance,
        moved=rate_at(found.moved),
        probes=tuple(search.probes) if search else (),
        sweep=search.sweep if search else sweep,
        spent=asked.bench.spent,
        budget=budget,
        seeds=asked.bench.seeds_vary,
        ratios=tuple(asked.bench.ratios),
        initial=sum(initials) / len(initials) if initials else math.nan,
        task=asked.task,
        optimizer=asked.optimizer,
        schedule=schedule,
        metric=setting.metric,
        code=asked.paste(lr, schedule, setting.total_steps) if math.isfinite(lr) else "",
    )
