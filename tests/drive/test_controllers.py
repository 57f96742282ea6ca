from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import pytest
import torch

from stepwell.drive.scheduler import Scheduler
from stepwell.errors import OptionError, ResumeError
from stepwell.schedule import Controller, Schedule, parse
from stepwell.schedule.control.contract import ControllerContract
from stepwell.schedule.control.controller import restored
from stepwell.schedule.schedule import Entry

METRICS = [3.0, 2.0, 1.0, 1.0, 1.0, math.nan, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4]


@dataclass(frozen=True, slots=True)
class HalvedState:
    factors: tuple[float, ...]
    checks: int = 0


@dataclass(frozen=True, slots=True)
class HalveEvery:
    """A user's own controller: halve at every third check, whatever the metric."""

    every: int = 3
    mode: Literal["min", "max"] = "min"

    def init(self, base_lrs: Sequence[float]) -> HalvedState:
        return HalvedState((1.0,) * len(base_lrs))

    def update(self, state: HalvedState, metric: float) -> HalvedState:
        checks = state.checks + 1
        cut = 0.5 if checks % self.every == 0 else 1.0
        return HalvedState(tuple(factor * cut for factor in state.factors), checks)

    def restore(self, saved: Mapping[str, Any]) -> HalvedState:
        return restored(HalvedState, saved)

    def stretched(self, ratio: Fraction) -> HalveEvery:
        return HalveEvery(max(1, round(self.every * ratio)), self.mode)


class TestHalveEvery(ControllerContract):
    def controllers(self) -> list[Controller]:
        return [HalveEvery(), HalveEvery(5, "max")]


SCHEDULES = [
    parse("(linear 1..0) * plateau(x0.5, patience 1)"),
    parse("(linear 1..0) * greedy(x0.5, patience 0, cooldown 1, window 2)"),
    parse("lr: hold * greedy(x0.5, patience 0); weight_decay: hold * plateau(x0.5, patience 0)"),
    Schedule((Entry("lr", parse("linear 1..0")["lr"].expression, HalveEvery()),)),
]


def optimizer() -> torch.optim.Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in (0.1, 0.3)]
    return torch.optim.SGD(groups, weight_decay=0.01)


def values(scheduler: Scheduler) -> list[float]:
    return [group[entry] for group in scheduler.optimizer.param_groups for entry in ("lr", "weight_decay")]


def advance(scheduler: Scheduler, metric: float) -> list[float]:
    scheduler.optimizer.step()
    scheduler.step()
    scheduler.observe(metric)
    return values(scheduler)


def test_a_state_of_a_users_own_may_name_types_that_only_a_type_checker_sees() -> None:
    class Trend: ...

    @dataclass(frozen=True)
    class TrendState:
        factors: tuple[float, ...]
        trend: Trend | None = None  # a name of this function: nobody else can look it up

    assert restored(TrendState, {"factors": [0.5], "trend": None}) == TrendState((0.5,))
    for damaged in (0.5, ["half"], [-1.0], ["nan"]):
        with pytest.raises(ResumeError, match="the state is damaged: factors of a TrendState cannot be"):
            restored(TrendState, {"factors": damaged, "trend": None})


@pytest.mark.parametrize("metric", [torch.tensor([1.0, 2.0]), 1j, 10**400, "1", None, True], ids=repr)
def test_a_metric_that_is_not_one_number_is_refused(metric: Any) -> None:
    scheduler = Scheduler(optimizer(), "hold * plateau(x0.5, patience 0)")
    with pytest.raises(OptionError, match="a metric is one number, got"):
        scheduler.observe(metric)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_the_rate_is_the_curve_times_the_factor(schedule: Schedule) -> None:
    scheduler = Scheduler(optimizer(), schedule, total_steps=20)
    entry = schedule["lr"]
    curve = Schedule((Entry("lr", entry.expression),)).resolve(scheduler.horizon)
    controller = entry.controller
    assert controller is not None
    state = controller.init([0.1, 0.3])
    for step, metric in enumerate(METRICS, 1):
        state = controller.update(state, metric)
        rates = advance(scheduler, metric)[::2]
        assert rates == pytest.approx([base * curve(step) * state.factors[i] for i, base in enumerate((0.1, 0.3))])


@pytest.mark.parametrize("through", ["torch", "json"])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_a_resumed_run_has_the_rates_of_one_that_never_stopped(schedule: Schedule, through: str) -> None:
    for stop in range(len(METRICS)):
        whole = Scheduler(optimizer(), schedule, total_steps=20)
        for metric in METRICS[:stop]:
            advance(whole, metric)
        resumed = Scheduler(optimizer(), schedule, total_steps=20)
        resumed.load_state_dict(sent(whole.state_dict(), through))
        assert values(resumed) == values(whole)
        assert [advance(resumed, metric) for metric in METRICS[stop:]] == [
            advance(whole, metric) for metric in METRICS[stop:]
        ]


def sent(state: dict[str, Any], through: str) -> dict[str, Any]:
    """The state as it comes back from a file."""
    if through == "json":
        back: dict[str, Any] = json.loads(json.dumps(state))
        return back
    file = io.BytesIO()
    torch.save(state, file)
    loaded: dict[str, Any] = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    return loaded


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_a_run_that_is_extended_keeps_its_feedback_and_is_resumed(schedule: Schedule) -> None:
    scheduler = Scheduler(optimizer(), schedule, total_steps=10)
    for metric in METRICS[:5]:
        advance(scheduler, metric)
    scheduler.extend(30)
    state = json.loads(json.dumps(scheduler.state_dict(), allow_nan=False))
    again = Scheduler(optimizer(), schedule, total_steps=10)
    again.load_state_dict(state)
    for metric in METRICS[5:]:
        assert advance(again, metric) == advance(scheduler, metric)
    longer = Scheduler(optimizer(), schedule, total_steps=30, on_change="switch")
    longer.load_state_dict(state)  # the plan alone has changed, so also a user's own feedback goes on
    assert longer.state_dict()["controllers"] == state["controllers"]


@pytest.mark.parametrize(
    "damage",
    [
        {"factors": ["a", "b"]},
        {"factors": [-1.0, 1.0]},
        {"factors": ["nan", "nan"]},
        {"factors": None},
        {"best": "low"},
        {"bad_checks": "1"},
        {"bad_checks": -1},
        {"resting": 1.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("schedule", SCHEDULES[:2], ids=str)
def test_a_damaged_feedback_is_refused_before_it_is_used(schedule: Schedule, damage: dict[str, Any]) -> None:
    scheduler = Scheduler(optimizer(), schedule, total_steps=20)
    state = scheduler.state_dict()
    before = json.dumps(state)
    state["controllers"]["lr"] |= damage
    with pytest.raises(ResumeError, match=f"the state is damaged: {next(iter(damage))}"):
        scheduler.load_state_dict(state)
    assert json.dumps(scheduler.state_dict()) == before


def test_a_damaged_state_changes_nothing() -> None:
    scheduler = Scheduler(optimizer(), SCHEDULES[0], total_steps=20)
    state = scheduler.state_dict()
    state["step"] = 7
    state["controllers"]["lr"] = {"factors": [0.5, 0.5]}
    with pytest.raises(ResumeError, match="a PlateauState has bad_checks, best, factors, resting"):
        scheduler.load_state_dict(state)
    assert scheduler.last_epoch == 0
    assert values(scheduler)[0] == 0.1


def test_a_controller_alone_drives_the_groups_that_it_is_given_to() -> None:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "name": name} for name in ("body", "head")]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    scheduler = Scheduler(optimizer, {"head": HalveEvery(1)})
    scheduler.observe(1.0)
    assert scheduler.get_last_lr() == [0.1, 0.05]
