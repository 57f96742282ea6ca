"""torch's schedulers beside their twins: what both give, and one case of each kind for tests that need them all."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import lr_scheduler

from stepwell import Curve, Horizon, Schedule, twins
from stepwell.errors import HorizonError

Build = Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]
STEPS = 40


def optimizer_of(rates: Sequence[float], momentum: float = 0.9) -> torch.optim.SGD:
    """An optimizer with one parameter group per rate."""
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=1.0, momentum=momentum)


def theirs(build: Build, rates: Sequence[float], steps: int, entry: str = "lr") -> NDArray[np.float64]:
    """What torch's scheduler sets for the first updates, shape (steps, groups)."""
    optimizer = optimizer_of(rates)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # updates are left out, and nested schedulers complain about their order
        scheduler = build(optimizer)
        values = []
        for step in range(steps):
            values.append([float(group[entry]) for group in optimizer.param_groups])
            if step < steps - 1:
                scheduler.step()
    return np.array(values)


def ours(
    schedule: Schedule, rates: Sequence[float], steps: int, entry: str = "lr", momentum: float = 0.9
) -> NDArray[np.float64]:
    """What the schedule gives for the same updates, shape (steps, groups)."""
    columns = []
    for rate in rates:
        curve = _laid(schedule, steps, rate, momentum)
        columns.append(curve(np.arange(steps), entry) * (rate if entry == "lr" else momentum))
    return np.stack(columns, axis=1)


def apart(one: NDArray[np.float64], other: NDArray[np.float64], rates: Sequence[float]) -> float:
    """The largest difference in units of the value and the base rate together."""
    return float(np.max(np.abs(one - other) / (np.abs(other) + np.asarray(rates))))


def _laid(schedule: Schedule, steps: int, base_lr: float, momentum: float) -> Curve:
    """Over its own length, as of a one-cycle or a table; or without end; what grows needs an end."""
    try:
        return schedule.resolve(Horizon(), base_lr=base_lr, momentum=momentum)
    except HorizonError:
        return schedule.resolve(Horizon(steps), base_lr=base_lr, momentum=momentum)


@dataclass(frozen=True)
class Case:
    """One twin and its torch scheduler over `STEPS` updates, with the steps at which something happens."""

    schedule: Schedule
    build: Build
    milestones: tuple[int, ...]
    momentum: bool = False


def _sequence(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
    warmup = lr_scheduler.LinearLR(optimizer, 0.1, 1.0, 10)
    stairs = lr_scheduler.StepLR(optimizer, 5, 0.5)
    return lr_scheduler.SequentialLR(optimizer, [warmup, stairs], [10])


def _chain(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
    return lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(optimizer, 0.5, 6), lr_scheduler.ExponentialLR(optimizer, 0.95)]
    )


def _root(step: int) -> float:
    return 1.0 / float(np.sqrt(1 + step))


CASES: dict[str, Case] = {
    "step_lr": Case(twins.step_lr(7, 0.5), lambda o: lr_scheduler.StepLR(o, 7, 0.5), (7, 14)),
    "multi_step_lr": Case(twins.multi_step_lr([10, 25]), lambda o: lr_scheduler.MultiStepLR(o, [10, 25]), (10, 25)),
    "exponential_lr": Case(twins.exponential_lr(0.97), lambda o: lr_scheduler.ExponentialLR(o, 0.97), (1,)),
    "constant_lr": Case(twins.constant_lr(0.5, 9), lambda o: lr_scheduler.ConstantLR(o, 0.5, 9), (9,)),
    "linear_lr": Case(twins.linear_lr(0.1, 1.0, 10), lambda o: lr_scheduler.LinearLR(o, 0.1, 1.0, 10), (10,)),
    "polynomial_lr": Case(twins.polynomial_lr(30, 2.0), lambda o: lr_scheduler.PolynomialLR(o, 30, 2.0), (30,)),
    "cosine_annealing_lr": Case(
        twins.cosine_annealing_lr(12, 0.03), lambda o: lr_scheduler.CosineAnnealingLR(o, 12, 0.03), (12, 24)
    ),
    "cosine_annealing_warm_restarts": Case(
        twins.cosine_annealing_warm_restarts(5, 2, 0.03),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 2, 0.03),
        (5, 15),
    ),
    "cyclic_lr": Case(
        twins.cyclic_lr(0.03, 0.3, 3, 5, mode="triangular2"),
        lambda o: lr_scheduler.CyclicLR(o, 0.03, 0.3, 3, 5, mode="triangular2"),
        (3, 8, 16),
        momentum=True,
    ),
    "one_cycle_lr": Case(
        twins.one_cycle_lr(0.3, total_steps=STEPS),
        lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=STEPS),
        (11, 12, 39),
        momentum=True,
    ),
    "lambda_lr": Case(twins.lambda_lr(_root, STEPS), lambda o: lr_scheduler.LambdaLR(o, _root), (20,)),
    "multiplicative_lr": Case(
        twins.multiplicative_lr(lambda step: 0.95, STEPS),
        lambda o: lr_scheduler.MultiplicativeLR(o, lambda step: 0.95),
        (1,),
    ),
    "sequential_lr": Case(
        twins.sequential_lr([twins.linear_lr(0.1, 1.0, 10), twins.step_lr(5, 0.5)], [10]), _sequence, (10, 15)
    ),
    "chained_scheduler": Case(
        twins.chained_scheduler([twins.constant_lr(0.5, 6), twins.exponential_lr(0.95)]), _chain, (6,)
    ),
}
