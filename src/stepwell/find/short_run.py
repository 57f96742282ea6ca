"""One real short run: a complete miniature of the schedule, trained from the start of a seed and scored."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from stepwell.errors import HorizonError, OptionError
from stepwell.find.bench import Bench, TrialMemoryError
from stepwell.find.whole_run import check_whole, misfit
from stepwell.record.suggestion import Fate, Probe
from stepwell.schedule import Horizon, Schedule
from stepwell.schedule.stretch import stretched

# A run whose training loss is this many untrained losses above the untrained one is given up: no rate that is any good
# comes near, and a diverged run costs its few updates only.
GIVEN_UP = 10.0
FINE = "refine"  # the stage whose runs tell whether training and validation agree
# One that ends this share above the untrained loss has diverged too, as in a whole run.
ENDS_ABOVE = 0.5


@dataclass(frozen=True, slots=True)
class Setting:
    """What every short run of a search has in common.

    Args:
        schedule: of the real run; a short run follows a miniature of it.
        total_steps: updates of the real run; None where it is not known, or the schedule has no end.
        scored: training batches that a run is scored on.
        metric: what is scored: `loss`, of training batches, or `val`.
        first: the untrained training loss, where it is `val` that is scored; infinite where it is not known.
        unit: how far losses move at least: what a rise is measured by where the loss is closer to 0 than that.

    Raises:
        HorizonError: the schedule does not fit the real run.
    """

    schedule: Schedule
    total_steps: int | None = None
    scored: int = 4
    metric: Literal["loss", "val"] = "loss"
    first: float = math.inf
    unit: float = 0.0

    def __post_init__(self) -> None:
        check_whole(self.schedule, self.total_steps)


def untrained(bench: Bench, setting: Setting) -> float:
    """The score at the start of the seed that the bench stands on."""
    bench.rewind()
    return _scores(bench, setting, also=False)[0]


def no_memory(error: TrialMemoryError, *, lr: float, steps: int, seed: int, stage: str) -> Probe:
    """The record of a short run for which there was too little memory."""
    return Probe(
        lr=lr,
        seed=seed,
        stage=stage,
        steps=steps,
        losses=np.zeros(0),
        score=math.nan,
        fate=Fate.FAILED,
        words=str(error),
    )


def short_run(bench: Bench, setting: Setting, *, lr: float, steps: int, initial: float, seed: int, stage: str) -> Probe:
    """Train `steps` updates at base rate `lr` from the start of the seed that the bench stands on, and score.

    Args:
        bench: stands on the seed.
        setting: of the search.
        lr: of the first parameter group.
        steps: updates; at least 1.
        initial: the score before the first update.
        seed: for the record.
        stage: the same.
    """
    probe = Probe(lr=lr, seed=seed, stage=stage, steps=steps, losses=np.zeros(0), score=math.nan)
    try:
        bench.rewind()
        losses = _train(bench, setting, lr, steps, initial)
        probe = replace(probe, losses=np.asarray(losses))
        if len(losses) < steps or not math.isfinite(losses[-1]):
            words = f"diverged: the training loss was {losses[-1]:.3g} at update {len(losses) - 1}"
            return replace(probe, fate=Fate.DIVERGED, words=words)
        score, train, val = _scores(bench, setting, also=stage == FINE)
    except TrialMemoryError as error:
        return no_memory(error, lr=lr, steps=steps, seed=seed, stage=stage)
    if not math.isfinite(score) or score > initial + ENDS_ABOVE * max(abs(initial), setting.unit):
        words = f"diverged: the score went from {initial:.3g} to {score:.3g}"
        return replace(probe, fate=Fate.DIVERGED, words=words, train=train, val=val)
    return replace(probe, score=score, train=train, val=val)


def miniature(schedule: Schedule, steps: int, *, total_steps: int | None, steps_per_epoch: int | None) -> Schedule:
    """The schedule for a run of `steps` updates, with every phase that fits.

    Lengths in updates and epochs shrink with the run. Where a phase would round away, the schedule is laid over the
    short run as it is.
    """
    if total_steps is None or total_steps <= steps:
        return schedule
    small = stretched(schedule, Fraction(steps, total_steps))
    try:
        small.resolve(Horizon(steps, steps_per_epoch), base_lr=1.0, momentum=1.0)
    except HorizonError:
        return schedule
    return small


def factors(bench: Bench, setting: Setting, lr: float, steps: int) -> dict[str, np.ndarray]:
    """The value of every entry at each update of a short run.

    Raises:
        HorizonError: the schedule does not fit.
    """
    small = miniature(setting.schedule, steps, total_steps=setting.total_steps, steps_per_epoch=bench.steps_per_epoch)
    others = {entry.name: bench.base(entry.name) for entry in small.entries if entry.name != "lr"}
    try:
        curve = small.resolve(Horizon(steps, bench.steps_per_epoch), base_lr=lr, **others)
    except HorizonError as error:
        raise misfit(setting.schedule, steps, setting.total_steps, error) from error
    at = np.arange(steps)
    return {name: curve(at, name) * (lr if name == "lr" else others[name]) for name in curve.entries}


def check_schedule(bench: Bench, setting: Setting, steps: int) -> None:
    """Refuse a schedule for which no rate can be found.

    Raises:
        HorizonError: it does not fit the real run, or no short run of this many updates can be made of it.
        OptionError: its rates are all absolute, or 0.
    """
    check_whole(setting.schedule, setting.total_steps, bench.steps_per_epoch)
    one, other = (factors(bench, setting, lr, steps).get("lr") for lr in (1e-3, 2e-3))
    if one is not None and other is not None and np.array_equal(one, other):
        raise OptionError(
            f"the schedule '{setting.schedule}' trains at the same rates whatever the base rate is, so there is none "
            "to find; give it a value that is a factor of the base rate, and not 0"
        )


def _train(bench: Bench, setting: Setting, lr: float, steps: int, initial: float) -> list[float]:
    """The training losses, up to the first that says the run is lost."""
    values = factors(bench, setting, lr, steps)
    rates = values.pop("lr", np.full(steps, lr))
    before = initial if setting.metric == "loss" else setting.first  # a validation score may be an accuracy
    limit = before + GIVEN_UP * max(abs(before), setting.unit, 1e-12)
    losses: list[float] = []
    for step in range(steps):
        losses.append(bench.update(rates[step], **{name: column[step] for name, column in values.items()}))
        if not losses[-1] <= limit:
            break
    return losses


def _scores(bench: Bench, setting: Setting, *, also: bool) -> tuple[float, float, float]:
    """What the rates are ranked by, and the two losses that it may be; the other one only if it is `also` wanted."""
    by_val = setting.metric == "val"
    val = bench.validate() if by_val or also else None
    train = bench.losses(setting.scored) if also or not by_val else math.nan
    shown = math.nan if val is None else val
    return (shown if by_val else train), train, shown
