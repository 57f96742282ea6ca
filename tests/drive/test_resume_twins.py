"""A resume is exact: every twin, every order of building and loading, steps around every milestone."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch

from stepwell import Schedule, Scheduler
from torch_twins import CASES, STEPS, optimizer_of, theirs

BASES = [0.3, 0.3]
ORDERS = [
    "build, optimizer, scheduler",
    "build, scheduler, optimizer",
    "optimizer, build, scheduler",
    "build, scheduler",
]


def run(scheduler: Scheduler, updates: int) -> list[list[float]]:
    """The rates and momenta that the next updates use."""
    seen = []
    for _ in range(updates):
        groups = scheduler.optimizer.param_groups
        seen.append([float(group[entry]) for group in groups for entry in ("lr", "momentum")])
        for group in groups:
            group["params"][0].grad = torch.ones(1)
        scheduler.optimizer.step()
        scheduler.step()
    return seen


def resumed(schedule: Schedule, state: dict[str, Any], order: str) -> Scheduler:
    """A new scheduler on a new optimizer, built and loaded in this order."""
    optimizer = optimizer_of(BASES)
    scheduler = None
    for part in order.split(", "):
        match part:
            case "build":
                scheduler = Scheduler(optimizer, schedule, total_steps=STEPS)
            case "optimizer":
                optimizer.load_state_dict(state["optimizer"])
            case "scheduler" if scheduler is not None:
                scheduler.load_state_dict(state["scheduler"])
    assert scheduler is not None
    return scheduler


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", CASES)
def test_a_twin_goes_on_exactly(name: str, order: str) -> None:
    case = CASES[name]
    expected = run(Scheduler(optimizer_of(BASES), case.schedule, total_steps=STEPS), STEPS)
    torchs = theirs(case.build, BASES, STEPS)
    for stop in sorted({max(milestone + side, 0) for milestone in case.milestones for side in (-1, 0, 1)}):
        first = Scheduler(optimizer_of(BASES), case.schedule, total_steps=STEPS)
        assert run(first, stop) == expected[:stop]
        saved = io.BytesIO()
        torch.save({"optimizer": first.optimizer.state_dict(), "scheduler": first.state_dict()}, saved)
        saved.seek(0)
        second = resumed(case.schedule, torch.load(saved, weights_only=True), order)
        after = run(second, STEPS - stop)
        assert after == expected[stop:], f"after a stop at step {stop}"
        assert [row[0] for row in after] == pytest.approx(list(torchs[stop:, 0]), rel=1e-12, abs=1e-13)
