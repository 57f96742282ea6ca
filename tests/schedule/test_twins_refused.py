"""Where torch fails, fails late or does something other than documented, the twin says so at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from torch.optim import lr_scheduler

from stepwell import Horizon, Schedule, twins
from stepwell.errors import ScheduleError
from torch_twins import optimizer_of, ours, theirs


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: twins.step_lr(0), "step_size is a whole number of steps of at least 1, got 0; leave"),
        (lambda: twins.step_lr(2.5), "step_size is a whole number of steps"),  # type: ignore[arg-type]  # the wrong input itself
        (lambda: twins.step_lr(5, -0.1), "gamma is a number of at least 0, got -0.1"),
        (lambda: twins.step_lr(5, float("nan")), "gamma is a finite number, got nan"),
        (lambda: twins.multi_step_lr([60, 30]), r"must ascend, but 30 follows 60; pass \[30, 60\]"),
        (lambda: twins.multi_step_lr([30, 30]), "must ascend, but 30 follows 30"),
        (lambda: twins.multi_step_lr([-1]), "torch would never reach it"),
        (lambda: twins.exponential_lr(-0.9), "gamma is a number of at least 0"),
        (lambda: twins.exponential_lr("0.9"), "gamma is a finite number, got '0.9'"),  # type: ignore[arg-type]  # the wrong input itself
        (lambda: twins.constant_lr(0.5, 0), "total_iters is a whole number of steps of at least 1, got 0"),
        (lambda: twins.constant_lr(1.5), "factor is a number from 0 to 1, got 1.5"),
        (lambda: twins.linear_lr(total_iters=0), "leave the scheduler away for no warm-up"),
        (lambda: twins.linear_lr(0.0), "write 'linear 0..1.0 over 5'"),
        (lambda: twins.linear_lr(0.1, 2.0), "end_factor is a number from 0 to 1"),
        (lambda: twins.polynomial_lr(0), "total_iters is a whole number"),
        (lambda: twins.polynomial_lr(5, -1.0), "power is a number of at least 0"),
        (lambda: twins.cosine_annealing_lr(0), "T_max is a whole number of steps of at least 1, got 0"),
        (lambda: twins.cosine_annealing_lr(7.5), "write 'cosine 1..0 over 7.5'"),  # type: ignore[arg-type]  # the wrong input itself
        (lambda: twins.cosine_annealing_lr(5, -0.1), "eta_min is a number of at least 0"),
        (lambda: twins.cosine_annealing_warm_restarts(10, 0), "T_mult is a whole number"),
        (lambda: twins.cyclic_lr(0.1, 0.2, 0), "step_size_up is above 0"),
        (lambda: twins.cyclic_lr(0.1, 0.2, 2.5, 2), "together they are whole steps; got 2.5 and 2"),
        (lambda: twins.cyclic_lr(0.1, 0.2, mode="square"), "mode is 'triangular'"),  # type: ignore[arg-type]  # the wrong input itself
        (lambda: twins.cyclic_lr([0.1, 0.05], [0.2, 0.3]), "another ratio in each parameter group"),
        (lambda: twins.cyclic_lr(0.1, 0.2, base_momentum=[0.8, 0.7]), "here they differ; make one Scheduler per group"),
        (lambda: twins.cyclic_lr(0.1, 0.2, scale_fn=lambda x: x), "scale_fn becomes a table"),
        (lambda: twins.one_cycle_lr(0.1, total_steps=10, pct_start=0.1), "torch divides by 0; pass pct_start=0.0"),
        (lambda: twins.one_cycle_lr(0.1, total_steps=1, pct_start=1.0), "one step has no room"),
        (lambda: twins.one_cycle_lr(0.1), "needs total_steps, or epochs and steps_per_epoch"),
        (lambda: twins.one_cycle_lr(0.1, 10, pct_start=30.0), "pct_start is a number from 0 to 1"),
        (lambda: twins.one_cycle_lr(0.1, 10, div_factor=0.0), "so they are above 0"),
        (lambda: twins.lambda_lr(lambda t: -t, 10), "value at step 1 is a number of at least 0, got -1"),
        (lambda: twins.lambda_lr([lambda t: 1.0, lambda t: 0.5], 10), "parameter groups 0 and 1 differ"),
        (lambda: twins.lambda_lr(lambda t: 1.0, 0), "total_steps is a whole number of steps"),
        (lambda: twins.multiplicative_lr(0.9, 10), "lr_lambda is a function"),  # type: ignore[arg-type]  # the wrong input itself
        (lambda: twins.sequential_lr(["hold", "hold"], [5, 6]), "2 schedules have 1 milestones between them, got 2"),
        (lambda: twins.sequential_lr(["hold"] * 3, [6, 5]), "must ascend, but 5 follows 6"),
        (lambda: twins.sequential_lr(["hold", "hold"], [0]), "leave a schedule without steps away"),
        (lambda: twins.sequential_lr(["linear 0..1 for 5", "hold"], [9]), "ends before the milestone after 9 steps"),
        (lambda: twins.sequential_lr(["linear 0..1 for 5% | hold", "hold"], [9]), "write its length in steps"),
        (lambda: twins.sequential_lr(["hold * plateau(x0.5)"], []), "put it last"),
        (lambda: twins.chained_scheduler([]), "needs at least one schedule"),
        (lambda: twins.chained_scheduler(["hold", "cosine 1..=0.1"]), "torch would let the last of them win"),
        (lambda: twins.chained_scheduler(["hold", "momentum: hold"]), "multiplies rates alone"),
        (lambda: twins.reduce_lr_on_plateau(factor=1.0), "factor between 0 and 1, got x1"),
        (lambda: twins.reduce_lr_on_plateau(min_lr=0.1), "pass base_lr="),
        (lambda: twins.reduce_lr_on_plateau(min_lr=[0.1, 0.1, 0.2], base_lr=0.4), "in another ratio"),
    ],
)  # fmt: skip
def test_what_torch_takes_badly_is_refused_with_the_reason(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        make()


@pytest.mark.parametrize(
    ("twin", "build", "late"),
    [
        ("", lambda o: lr_scheduler.StepLR(o, 0), ZeroDivisionError),
        ("", lambda o: lr_scheduler.CosineAnnealingLR(o, 0), ZeroDivisionError),
        ("", lambda o: lr_scheduler.ConstantLR(o, 0.0, 5), ZeroDivisionError),
        ("", lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=10, pct_start=0.1), ZeroDivisionError),
    ],
)
def test_torch_really_fails_there(twin: str, build: Callable[[Any], Any], late: type[Exception]) -> None:
    with pytest.raises(late):
        theirs(build, [0.1], 10)


def test_a_constant_factor_of_zero_gives_what_is_documented() -> None:
    np.testing.assert_array_equal(ours(twins.constant_lr(0.0, 3), [0.5], 5)[:, 0], [0, 0, 0, 0.5, 0.5])


@pytest.mark.parametrize(
    ("build", "stuck"),
    [
        (lambda o: lr_scheduler.LinearLR(o, total_iters=0), 0.1),
        (lambda o: lr_scheduler.ConstantLR(o, total_iters=0), 0.1),
        (lambda o: lr_scheduler.PolynomialLR(o, total_iters=0), 0.3),
    ],
)
def test_torch_really_is_stuck_without_a_length(build: Callable[[Any], Any], stuck: float) -> None:
    np.testing.assert_allclose(theirs(build, [0.3], 9), stuck)


def test_warm_restarts_miss_nothing_where_torchs_own_epoch_formula_does() -> None:
    optimizer = optimizer_of([0.3])
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 1, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler.step(121)
    assert optimizer.param_groups[0]["lr"] == 0.0
    twin = twins.cosine_annealing_warm_restarts(1, 3)
    assert twin.resolve(Horizon())(121) == 1.0


def test_one_cycle_holds_where_torch_climbs_again() -> None:
    twin: Schedule = twins.one_cycle_lr(0.3, total_steps=10, cycle_momentum=False)
    torchs = theirs(lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=10, cycle_momentum=False), [0.3], 11)
    curve = twin.resolve(Horizon(), base_lr=0.3)
    assert curve.total_steps == 10
    assert curve(9) == curve(10) == pytest.approx(4e-6)
    assert torchs[10, 0] > 1000 * torchs[9, 0]
