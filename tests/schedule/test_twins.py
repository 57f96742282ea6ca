from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.optim import lr_scheduler

from stepwell import Horizon, Schedule, twins
from torch_twins import CASES, STEPS, Build, apart, optimizer_of, ours, theirs

TOLERANCE = 1e-12

factors = st.floats(0.01, 1.0) | st.sampled_from([0.1, 0.5, 1.0])
rates = st.lists(st.floats(1e-4, 2.0), min_size=1, max_size=3)
rate = st.floats(1e-6, 0.1) | st.sampled_from([0.001, 0.1])  # a floor far above the base costs torch its digits
horizons = st.integers(60, 200)
cycles = st.integers(1, 60)


def holds(schedule: Schedule, build: Build, bases: list[float], steps: int, *, momentum: bool = False) -> None:
    """The twin is torch's, for every group and entry."""
    far = apart(ours(schedule, bases, steps), theirs(build, bases, steps), bases)
    assert far <= TOLERANCE, f"{schedule} is {far:.1e} away"
    if momentum:
        one = [1.0] * len(bases)
        far = apart(ours(schedule, bases, steps, "momentum"), theirs(build, bases, steps, "momentum"), one)
        assert far <= TOLERANCE, f"momentum of {schedule} is {far:.1e} away"


@given(st.integers(1, 80), st.floats(0, 1.05), rates, horizons)
def test_step_lr(size: int, gamma: float, bases: list[float], steps: int) -> None:
    holds(twins.step_lr(size, gamma), lambda o: lr_scheduler.StepLR(o, size, gamma), bases, steps)


@given(st.sets(st.integers(0, 150), max_size=6).map(sorted), st.floats(0, 1.5), rates, horizons)
def test_multi_step_lr(milestones: list[int], gamma: float, bases: list[float], steps: int) -> None:
    holds(
        twins.multi_step_lr(milestones, gamma), lambda o: lr_scheduler.MultiStepLR(o, milestones, gamma), bases, steps
    )


@given(st.floats(0, 1.05), rates, horizons)
def test_exponential_lr(gamma: float, bases: list[float], steps: int) -> None:
    holds(twins.exponential_lr(gamma), lambda o: lr_scheduler.ExponentialLR(o, gamma), bases, steps)


@given(factors, st.integers(1, 250), rates, horizons)
def test_constant_lr(factor: float, length: int, bases: list[float], steps: int) -> None:
    holds(twins.constant_lr(factor, length), lambda o: lr_scheduler.ConstantLR(o, factor, length), bases, steps)


@given(factors, st.floats(0.0, 1.0), st.integers(1, 250), rates, horizons)
def test_linear_lr(start: float, end: float, length: int, bases: list[float], steps: int) -> None:
    holds(twins.linear_lr(start, end, length), lambda o: lr_scheduler.LinearLR(o, start, end, length), bases, steps)


@given(st.integers(1, 250), st.floats(0, 4) | st.sampled_from([0.0, 1.0, 2.0]), rates, horizons)
def test_polynomial_lr(length: int, power: float, bases: list[float], steps: int) -> None:
    holds(twins.polynomial_lr(length, power), lambda o: lr_scheduler.PolynomialLR(o, length, power), bases, steps)


@given(st.integers(1, 250), st.just(0.0) | rate, rates, horizons)
def test_cosine_annealing_lr_also_past_its_end(length: int, floor: float, bases: list[float], steps: int) -> None:
    build = partial(lr_scheduler.CosineAnnealingLR, T_max=length, eta_min=floor)
    twin = ours(twins.cosine_annealing_lr(length, floor), bases, steps)
    assert apart(twin, closed_form(build, bases, steps), bases) <= TOLERANCE
    # A floor far above the base costs torch's recursion its digits, and more of them in every cycle.
    bound = TOLERANCE * max(1.0, 100 * floor / min(bases))
    assert apart(twin, theirs(build, bases, steps), bases) <= bound


def closed_form(build: Build, bases: list[float], steps: int) -> NDArray[np.float64]:
    """What torch's own closed form gives, shape (steps, groups)."""
    scheduler: Any = build(optimizer_of(bases))
    values = []
    for step in range(steps):
        scheduler.last_epoch = step
        values.append([float(value) for value in scheduler._get_closed_form_lr()])
    return np.array(values)


@given(cycles, st.integers(1, 4), st.just(0.0) | rate, rates, horizons)
def test_cosine_annealing_warm_restarts(first: int, mult: int, floor: float, bases: list[float], steps: int) -> None:
    holds(
        twins.cosine_annealing_warm_restarts(first, mult, floor),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, first, mult, floor),
        bases,
        steps,
    )


@st.composite
def cyclic(draw: st.DrawFn) -> dict[str, Any]:
    """What CyclicLR takes, with steps that are not whole among it."""
    total = draw(st.integers(2, 60))
    up = draw(st.integers(1, total) | st.floats(0.1, total).map(lambda share: round(share, 2)))
    return {
        "base_lr": draw(st.just(0.0) | rate),
        "max_lr": draw(rate),
        "step_size_up": up,
        "step_size_down": round(total - up, 2),
        "mode": draw(st.sampled_from(["triangular", "triangular2", "exp_range"])),
        "gamma": draw(st.floats(0, 1.01) | st.just(1.0)),
        "base_momentum": draw(st.floats(0.0, 0.99)),
        "max_momentum": draw(st.floats(0.0, 0.99)),
    }


@given(cyclic(), rates, horizons)
def test_cyclic_lr_with_its_momentum(arguments: dict[str, Any], bases: list[float], steps: int) -> None:
    schedule = twins.cyclic_lr(**arguments)
    holds(schedule, lambda o: lr_scheduler.CyclicLR(o, **arguments), bases, steps, momentum=True)


@pytest.mark.parametrize("scale_mode", ["cycle", "iterations"])
def test_cyclic_lr_with_a_scale_function(scale_mode: Any) -> None:
    def scale(x: float) -> float:
        return 0.5 * (1 + math.sin(x * math.pi / 2))

    arguments: dict[str, Any] = {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 4, "scale_fn": scale}
    schedule = twins.cyclic_lr(**arguments, scale_mode=scale_mode, total_steps=100)
    holds(schedule, lambda o: lr_scheduler.CyclicLR(o, **arguments, scale_mode=scale_mode), [0.2], 100, momentum=True)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_rates_that_differ_by_group_are_the_base(mode: Any) -> None:
    peaks, feet = [0.3, 0.05], [0.03, 0.005]
    shape: dict[str, Any] = {"step_size_up": 4, "mode": mode, "gamma": 0.98, "cycle_momentum": False}
    pairs: list[tuple[Any, Any, list[float]]] = [(feet, peaks, peaks), (0.01, peaks, peaks), (feet, 0.4, feet)]
    for low, high, base in pairs:
        build = partial(lr_scheduler.CyclicLR, base_lr=low, max_lr=high, **shape)
        holds(twins.cyclic_lr(low, high, **shape), build, base, 90)
    schedule = twins.one_cycle_lr(peaks, total_steps=90, cycle_momentum=False)
    assert "=" not in str(schedule)
    holds(schedule, lambda o: lr_scheduler.OneCycleLR(o, peaks, total_steps=90, cycle_momentum=False), peaks, 90)


@st.composite
def one_cycle(draw: st.DrawFn) -> dict[str, Any]:
    """What OneCycleLR takes and does not divide by 0 for."""
    total = draw(st.integers(1, 200))
    share = draw(st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.3, 0.5, 0.6, 1.0]))
    return {
        "max_lr": draw(rate),
        "total_steps": total,
        "pct_start": share if abs(share * total - 1) > 1e-3 else 0.0,
        "anneal_strategy": draw(st.sampled_from(["cos", "linear"])),
        "base_momentum": draw(st.floats(0.0, 0.99)),
        "max_momentum": draw(st.floats(0.0, 0.99)),
        "div_factor": draw(st.floats(0.5, 100)),
        "final_div_factor": draw(st.floats(0.5, 1e5)),
        "three_phase": draw(st.booleans()),
    }


@given(one_cycle(), rates)
def test_one_cycle_lr_with_its_momentum(arguments: dict[str, Any], bases: list[float]) -> None:
    schedule = twins.one_cycle_lr(**arguments)
    total = arguments["total_steps"]
    holds(schedule, lambda o: lr_scheduler.OneCycleLR(o, **arguments), bases, total, momentum=True)
    assert schedule.resolve(Horizon(), base_lr=1.0, momentum=1.0).total_steps == total


@given(st.floats(0.5, 1.01), st.floats(0.1, 9), rates, horizons)
def test_functions_become_tables(gamma: float, wave: float, bases: list[float], steps: int) -> None:
    def function(step: int) -> float:
        return gamma * (1.5 + math.sin(step / wave))

    holds(twins.lambda_lr(function, steps), lambda o: lr_scheduler.LambdaLR(o, function), bases, steps)

    def step_by_step(step: int) -> float:
        return gamma if step % 3 else 1.0

    holds(
        twins.multiplicative_lr([step_by_step] * 3, steps),
        lambda o: lr_scheduler.MultiplicativeLR(o, step_by_step),
        bases,
        steps,
    )


MEMBERS: list[tuple[Schedule, Build]] = [
    (twins.step_lr(5, 0.5), lambda o: lr_scheduler.StepLR(o, 5, 0.5)),
    (twins.multi_step_lr([3, 20]), lambda o: lr_scheduler.MultiStepLR(o, [3, 20])),
    (twins.exponential_lr(0.95), lambda o: lr_scheduler.ExponentialLR(o, 0.95)),
    (twins.constant_lr(0.3, 12), lambda o: lr_scheduler.ConstantLR(o, 0.3, 12)),
    (twins.linear_lr(0.1, 0.9, 15), lambda o: lr_scheduler.LinearLR(o, 0.1, 0.9, 15)),
    (twins.polynomial_lr(200, 1.5), lambda o: lr_scheduler.PolynomialLR(o, 200, 1.5)),
    (twins.cosine_annealing_lr(100), lambda o: lr_scheduler.CosineAnnealingLR(o, 100)),
]
MORE = [
    *MEMBERS,
    (twins.cosine_annealing_lr(9, 0.01), lambda o: lr_scheduler.CosineAnnealingLR(o, 9, 0.01)),
    (twins.cosine_annealing_warm_restarts(4, 2), lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2)),
    (twins.lambda_lr(lambda t: 1 / (1 + t), 200), lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t))),
]


@given(
    st.lists(st.sampled_from(MORE), min_size=1, max_size=4),
    st.lists(st.integers(1, 90), min_size=3, max_size=3, unique=True).map(sorted),
    rates,
)
def test_sequential_lr_restarts_at_the_base(
    members: list[tuple[Schedule, Build]], milestones: list[int], bases: list[float]
) -> None:
    places = milestones[: len(members) - 1]
    schedule = twins.sequential_lr([schedule for schedule, _ in members], places)
    holds(
        schedule,
        lambda o: lr_scheduler.SequentialLR(o, [build(o) for _, build in members], places),
        bases,
        90,
    )


@given(st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=4, unique_by=id), rates)
def test_chained_scheduler_multiplies(members: list[tuple[Schedule, Build]], bases: list[float]) -> None:
    schedule = twins.chained_scheduler([schedule for schedule, _ in members])
    holds(schedule, lambda o: lr_scheduler.ChainedScheduler([build(o) for _, build in members]), bases, 90)


def test_one_cycle_after_a_warm_up_rises_to_the_optimizers_rate() -> None:
    schedule = twins.sequential_lr([twins.linear_lr(0.1, 1.0, 10), twins.one_cycle_lr(0.3, total_steps=50)], [10])
    laid = schedule.resolve(Horizon(60), base_lr=0.1, momentum=0.9)
    assert laid(9) == pytest.approx(0.91)
    assert laid(10) * 0.1 == pytest.approx(0.3 / 25)
    assert laid(5, "momentum") == 1.0
    assert laid(10, "momentum") * 0.9 == pytest.approx(0.95)


@pytest.mark.parametrize("name", CASES)
def test_the_cases_that_other_tests_use_are_twins(name: str) -> None:
    case = CASES[name]
    holds(case.schedule, case.build, [0.3], STEPS, momentum=case.momentum)


def test_where_torch_drifts_the_twin_has_its_closed_form() -> None:
    """torch's recursion is 1e-11 off after 20 000 steps of short cosines; its own closed form is not."""
    build, bases, steps = partial(lr_scheduler.CosineAnnealingLR, T_max=5), [0.3], 20_000
    twin, closed = ours(twins.cosine_annealing_lr(5), bases, steps), closed_form(build, bases, steps)
    assert apart(twin, closed, bases) <= TOLERANCE
    assert apart(theirs(build, bases, steps), closed, bases) > TOLERANCE
