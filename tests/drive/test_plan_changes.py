"""Changes of plan: while a run goes on, and between a saved state and the Scheduler that loads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from stepwell.drive.scheduler import Scheduler
from stepwell.errors import OptimizerError, OptionError, ResumeError, ScheduleError
from stepwell.schedule import Schedule
from stepwell.schedule.schedule import Entry, Table
from stepwell.schedule.table import Values

BASE = 0.4


def sgd(*rates: float, names: tuple[str, ...] = ()) -> torch.optim.SGD:
    groups: list[dict[str, Any]] = [
        {"params": [torch.nn.Parameter(torch.ones(2))], "lr": rate} for rate in rates or (BASE,)
    ]
    for group, name in zip(groups, names, strict=False):
        group["name"] = name
    return torch.optim.SGD(groups, lr=1.0, momentum=0.9)


def go(scheduler: Scheduler, steps: int, group: int = 0) -> list[float]:
    rates = []
    for _ in range(steps):
        rates.append(float(scheduler.get_last_lr()[group]))
        scheduler.optimizer.step()
        scheduler.step()
    return rates


# While a run goes on

EDITS: dict[str, tuple[Callable[[Scheduler], Any], list[float]]] = {
    "extend": (lambda s: s.extend(20), [BASE * (1 - t / 20) for t in range(5, 20)]),
    "shorten": (lambda s: s.extend(8), [BASE * (1 - t / 8) for t in range(5, 8)]),
    "cool down": (lambda s: s.cool_down(4, shape="linear"), [BASE * 0.5 * (1 - t / 4) for t in range(4)]),
    "cool down to": (lambda s: s.cool_down(2, to=0.25, shape="linear"), [BASE * f for f in (0.5, 0.375)]),
    "re-warm": (lambda s: s.rewarm(2), [BASE * f for f in (0.5, 0.75, 1, 1, 1)]),
    "replace": (lambda s: s.replace("hold for 2 | linear to 0"), [BASE * f for f in (0.5, 0.5, 0.5, 1 / 3, 1 / 6)]),
    "replace and extend": (
        lambda s: s.replace("linear to 0", total_steps=15),
        [BASE * 0.05 * (10 - t) for t in range(10)],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_change_rules_from_the_next_update_on(name: str) -> None:
    change, expected = EDITS[name]
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    assert go(scheduler, 5) == pytest.approx([BASE * (1 - t / 10) for t in range(5)])
    edit = change(scheduler)
    assert scheduler.total_steps == 5 + len(expected)
    assert go(scheduler, len(expected)) == pytest.approx(expected)
    assert scheduler.edits == (edit,)
    assert edit.before == pytest.approx([BASE * 0.5])
    assert edit.after == pytest.approx([expected[0]])
    assert str(edit).startswith(f"step 5: {edit.kind}: ")


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("when", [5, 6])
def test_a_resume_replays_the_changes(name: str, when: int) -> None:
    change, expected = EDITS[name]
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    go(scheduler, 5)
    change(scheduler)
    go(scheduler, when - 5)
    state = json.loads(json.dumps(scheduler.state_dict()))
    resumed = Scheduler(sgd(), "linear 1..0", total_steps=10)
    resumed.load_state_dict(state)
    assert go(resumed, 5 + len(expected) - when) == pytest.approx(expected[when - 5 :])
    assert [edit.kind for edit in resumed.edits] == [edit.kind for edit in scheduler.edits]


def test_changes_follow_each_other() -> None:
    scheduler = Scheduler(sgd(), "hold")
    go(scheduler, 3)
    scheduler.replace("linear to 0.5", total_steps=7)
    assert go(scheduler, 2) == pytest.approx([BASE, BASE * 0.875])
    scheduler.extend(11)  # the line now goes from 1 to 0.5 over 8 updates
    assert go(scheduler, 2) == pytest.approx([BASE * 0.875, BASE * 0.8125])
    scheduler.cool_down(2, shape="linear")
    assert go(scheduler, 2) == pytest.approx([BASE * 0.75, BASE * 0.375])
    with pytest.warns(UserWarning, match="SW101"):
        go(scheduler, 1)


def test_other_entries_go_on_as_they_were() -> None:
    scheduler = Scheduler(sgd(), "lr: linear 1..0; momentum: linear 1..0.5", total_steps=10)
    go(scheduler, 4)
    scheduler.cool_down(6)
    momenta = []
    for _ in range(6):
        momenta.append(scheduler.optimizer.param_groups[0]["momentum"])
        go(scheduler, 1)
    np.testing.assert_allclose(momenta, 0.9 * (1 - 0.5 * np.arange(4, 10) / 10))


def test_a_change_that_does_not_fit_changes_nothing() -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    go(scheduler, 5)
    before = scheduler.state_dict()
    with pytest.raises(OptionError, match="has made 5 updates already"):
        scheduler.extend(5)
    with pytest.raises(ScheduleError, match="fills 3 of 5 steps"):
        scheduler.replace("linear to 0 for 3")
    with pytest.raises(ScheduleError, match="unknown shape"):
        scheduler.replace("lin to 0")
    with pytest.raises(OptionError, match="drives what was driven before"):
        scheduler.replace("lr: hold; weight_decay: hold")
    with pytest.raises(OptionError, match="nothing of the run is left"):
        scheduler.replace("hold", total_steps=5)
    assert scheduler.state_dict() == before


# Between a saved state and the Scheduler that loads it


def saved(text: str = "linear 1..0", total: int = 10, steps: int = 5) -> dict[str, Any]:
    scheduler = Scheduler(sgd(), text, total_steps=total)
    go(scheduler, steps)
    return scheduler.state_dict()


@pytest.mark.parametrize(
    ("on_change", "rates"),
    [
        ("keep", [BASE * (1 - t / 10) for t in range(5, 10)]),
        ("switch", [BASE * (1 - t / 20) for t in range(5, 10)]),
        ("rescale", [BASE * (1 - t / 20) * 0.5 / 0.75 for t in range(5, 10)]),
    ],
)
def test_a_changed_plan_is_kept_switched_or_rescaled(on_change: Any, rates: list[float]) -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=20, on_change=on_change)
    scheduler.load_state_dict(saved())
    assert go(scheduler, 5) == pytest.approx(rates)
    again = Scheduler(sgd(), "linear 1..0", total_steps=20, on_change="keep")
    again.load_state_dict(scheduler.state_dict())
    assert again.get_last_lr() == pytest.approx(scheduler.get_last_lr())


def test_a_changed_plan_is_an_error_with_both_rates_and_what_to_pass() -> None:
    scheduler = Scheduler(sgd(), "cosine 1..0", total_steps=20)
    with pytest.raises(ResumeError) as raised:
        scheduler.load_state_dict(saved())
    text = str(raised.value)
    assert "schedule 'linear 1..0' became 'cosine 1..0'; horizon of 10 steps became of 20 steps" in text
    assert "At step 5 the rate was 0.2 and would be 0.3414" in text
    assert "at worst, at step 10, 0 and 0.2" in text
    assert "on_change='keep'" in text
    assert scheduler.last_epoch == 0


def test_a_changed_base_rate_is_a_changed_plan() -> None:
    with pytest.raises(ResumeError, match=r"base rate 0\.4 became 0\.1"):
        Scheduler(sgd(0.1), "linear 1..0", total_steps=10).load_state_dict(saved())
    with pytest.raises(ResumeError, match="1 parameter groups, this one 2"):
        Scheduler(sgd(0.1, 0.2), "linear 1..0", total_steps=10).load_state_dict(saved())
    with pytest.raises(ResumeError, match="cannot be scaled"):
        Scheduler(sgd(), "hold 0", on_change="rescale").load_state_dict(saved())


# Groups


def test_groups_follow_schedules_of_their_own() -> None:
    optimizer = sgd(0.1, 0.2, 0.3, names=("body", "neck", "head"))
    scheduler = Scheduler(optimizer, {"head": "linear 1..0", 0: "hold 0.5", "*": "hold"}, total_steps=10)
    go(scheduler, 5)
    assert scheduler.get_last_lr() == pytest.approx([0.05, 0.2, 0.15])
    resumed = Scheduler(
        sgd(0.1, 0.2, 0.3, names=("body", "neck", "head")),
        {"head": "linear 1..0", 0: "hold 0.5", "*": "hold"},
        total_steps=10,
    )
    resumed.load_state_dict(scheduler.state_dict())
    assert resumed.get_last_lr() == pytest.approx(scheduler.get_last_lr())
    with pytest.raises(OptionError, match=r"no parameter group 'tail'; there are 0 \('body'\), 1 \('neck'\)"):
        Scheduler(sgd(0.1, 0.2, names=("body", "neck")), {"tail": "hold"})


def test_a_group_that_joins_later_starts_from_its_own_rate() -> None:
    optimizer = sgd(0.1)
    scheduler = Scheduler(optimizer, "(linear 1..0) * plateau(x0.5, patience 0)", total_steps=10)
    go(scheduler, 5)
    scheduler.observe(1.0)
    scheduler.observe(1.0)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.8})
    go(scheduler, 1)
    assert scheduler.get_last_lr() == pytest.approx([0.1 * 0.4 * 0.5, 0.8 * 0.4 * 0.5])
    assert scheduler.base_lrs == [0.1, 0.8]


def test_a_frozen_group_stays_frozen() -> None:
    scheduler = Scheduler(sgd(0.0, 0.1), "linear 1..0", total_steps=10)
    go(scheduler, 5)
    assert scheduler.get_last_lr() == pytest.approx([0.0, 0.05])


def test_a_stale_initial_rate_is_an_error_that_names_both() -> None:
    optimizer = sgd()
    Scheduler(optimizer, "linear 1..0", total_steps=10).detach()
    optimizer.param_groups[0]["lr"] = 0.05
    with pytest.raises(OptimizerError, match=r"has lr 0\.05, but .* initial_lr 0\.4; .* base_lr=0\.05 or base_lr=0\.4"):
        Scheduler(optimizer, "hold")
    assert Scheduler(optimizer, "hold", base_lr=0.05).get_last_lr() == [0.05]


def test_an_optimizer_has_one_scheduler() -> None:
    optimizer = sgd()
    first = Scheduler(optimizer, "linear 1..0", total_steps=10)
    with pytest.raises(OptimizerError, match="call its detach"):
        Scheduler(optimizer, "hold")
    first.detach()
    Scheduler(optimizer, "hold").detach()
    other = sgd()
    torch.optim.lr_scheduler.StepLR(other, 3)
    with pytest.raises(OptimizerError, match="a torch scheduler is already on this optimizer"):
        Scheduler(other, "hold")


def test_a_long_table_is_resumed_changed_and_kept() -> None:
    values = np.linspace(1, 0.5, 100)
    table = Schedule((Entry("lr", Table(Values.of(values))),))
    scheduler = Scheduler(sgd(), table, total_steps=100)
    go(scheduler, 5)
    state = json.loads(json.dumps(scheduler.state_dict()))
    resumed = Scheduler(sgd(), table, total_steps=100)
    resumed.load_state_dict(state)
    assert go(resumed, 3) == pytest.approx(BASE * values[5:8])
    resumed.extend(120)
    assert go(resumed, 3) == pytest.approx(BASE * values[8:11])
    kept = Scheduler(sgd(), "hold", on_change="keep")
    kept.load_state_dict(json.loads(json.dumps(resumed.state_dict())))
    assert go(kept, 3) == pytest.approx(BASE * values[11:14])
