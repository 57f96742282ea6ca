"""What a resume under another plan does to every group, and feedback to groups that have none or their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

from stepwell.drive.scheduler import Scheduler
from stepwell.drive.track import Track
from stepwell.errors import OptimizerError, OptionError, ResumeError, ScheduleError, StepwellError
from stepwell.schedule import parse

Plan = Any
STALLED = 1.0  # a metric; told twice it makes a plateau without patience cut


def sgd(*rates: float) -> torch.optim.Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates or (0.4,)]
    return torch.optim.SGD(groups, momentum=0.9, weight_decay=0.01)


def rates(scheduler: Scheduler) -> list[float]:
    return [group["lr"] for group in scheduler.optimizer.param_groups]


def go(scheduler: Scheduler, steps: int) -> list[list[float]]:
    seen = []
    for _ in range(steps):
        seen.append(rates(scheduler))
        scheduler.optimizer.step()
        scheduler.step()
    return seen


def stall(scheduler: Scheduler) -> None:
    scheduler.observe(STALLED)
    scheduler.observe(STALLED)


def through_json(scheduler: Scheduler) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.dumps(scheduler.state_dict(), allow_nan=False))
    return state


# Resumes

BEFORE: dict[str, tuple[Plan, Callable[[Scheduler], object]]] = {
    "as planned": ("linear 1..0", lambda scheduler: None),
    "extended": ("linear 1..0", lambda scheduler: scheduler.extend(40)),
    "cooling down": ("linear 1..0", lambda scheduler: scheduler.cool_down(9, to=0.2)),
    "cut by a plateau": ("(linear 1..0) * plateau(x0.1, patience 0)", stall),
    "a schedule for each group": ({0: "linear 1..0", 1: "cosine 1..0.3"}, lambda scheduler: None),
    "absolute": ("linear 1..=0.05", lambda scheduler: None),
}
AFTER: dict[str, Plan] = {
    "another shape": "cosine 1..0",
    "absolute": "cosine 1..=0.01",
    "a schedule for each group": {0: "hold", 1: "linear 1..=0.02"},
    "other feedback": "(hold) * greedy(x0.5, patience 0)",
    "the same feedback": "(hold 0.7) * plateau(x0.1, patience 0)",
    "one group alone": {1: "linear 1..0"},
}


def stopped(before: str) -> Scheduler:
    plan, change = BEFORE[before]
    scheduler = Scheduler(sgd(0.4, 0.1), plan, total_steps=20)
    go(scheduler, 7)
    change(scheduler)
    go(scheduler, 2)
    return scheduler


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("before", BEFORE)
def test_a_rescaled_plan_goes_on_without_a_jump_in_any_group(before: str, after: str) -> None:
    scheduler = stopped(before)
    again = Scheduler(sgd(0.4, 0.1), AFTER[after], total_steps=30, on_change="rescale")
    again.load_state_dict(through_json(scheduler))
    assert rates(again) == pytest.approx(rates(scheduler), rel=1e-12)
    kept = Scheduler(sgd(0.4, 0.1), AFTER[after], total_steps=30, on_change="keep")
    kept.load_state_dict(through_json(again))
    assert go(kept, 8) == go(again, 8)


@pytest.mark.parametrize("before", BEFORE)
def test_a_kept_plan_goes_on_as_it_would_have(before: str) -> None:
    scheduler = stopped(before)
    again = Scheduler(sgd(0.4, 0.1), "hold", total_steps=30, on_change="keep")
    again.load_state_dict(through_json(scheduler))
    assert go(again, 5) == go(scheduler, 5)


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("before", BEFORE)
def test_the_error_tells_rates_that_are_true(before: str, after: str) -> None:
    state = stopped(before).state_dict()
    with pytest.raises(ResumeError, match="Build the Scheduler with on_change=") as raised:
        Scheduler(sgd(0.4, 0.1), AFTER[after], total_steps=30).load_state_dict(state)
    kept, switched = (
        Scheduler(sgd(0.4, 0.1), AFTER[after], total_steps=30, on_change=how) for how in ("keep", "switch")
    )
    kept.load_state_dict(state)
    switched.load_state_dict(state)
    pairs = zip(rates(kept), rates(switched), strict=True)
    told = [
        f"At step 9 the rate of parameter group {group} was {old:.4g} and would be {new:.4g};"
        for group, (old, new) in enumerate(pairs)
    ]
    assert any(one in str(raised.value) for one in told)


def test_the_worst_difference_of_many_groups_is_found_where_rates_are_multiples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of a hundred groups was read over the whole run, which took seconds; of multiples one tells."""
    bases = [0.1, 0.4, 0.2, 0.3]
    state = Scheduler(sgd(*bases), "linear 1..0", total_steps=20).state_dict()
    new = Scheduler(sgd(*bases[:3], 0.9), "hold", total_steps=20)  # the last three times as high as before
    read: set[int] = set()
    over = Track.over

    def counted(track: Track, steps: Any, group: int) -> Any:
        read.add(group)
        return over(track, steps, group)

    monkeypatch.setattr(Track, "over", counted)
    with pytest.raises(ResumeError, match=r"group 3 was 0\.3 and would be 0\.9; at worst, at step 19, 0\.015 and 0\.9"):
        new.load_state_dict(state)
    assert read == {1, 3}


def test_a_kept_plan_that_the_optimizer_cannot_follow_changes_nothing() -> None:
    """The step was taken over before the entry was missed, and every later update erred."""
    saved = Scheduler(sgd(), "lr: linear 1..0; momentum: linear 1..0.5", total_steps=10)
    go(saved, 3)
    optimizer = torch.optim.Adagrad([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    scheduler = Scheduler(optimizer, "linear 1..0.1", total_steps=10, on_change="keep")
    before, groups = scheduler.state_dict(), dict(optimizer.param_groups[0])
    with pytest.raises(OptimizerError, match="the optimizer has no entry 'momentum' to schedule"):
        scheduler.load_state_dict(saved.state_dict())
    assert (scheduler.state_dict(), dict(optimizer.param_groups[0])) == (before, groups)
    go(scheduler, 2)


def test_a_script_that_asks_for_the_extended_run_hears_that_nothing_moves() -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    go(scheduler, 5)
    scheduler.extend(20)
    again = Scheduler(sgd(), "linear 1..0", total_steps=20)
    with pytest.raises(ResumeError, match=r"From step 5 on the rates are the same, 0\.3 now"):
        again.load_state_dict(scheduler.state_dict())


@pytest.mark.parametrize("on_change", ["keep", "switch"])
def test_an_entry_that_the_other_plan_leaves_alone_goes_back_to_its_base(on_change: Any) -> None:
    texts = ["weight_decay: hold 0.5", "lr: hold 0.3; momentum: hold 0.5"]
    if on_change == "switch":
        texts.reverse()
    saved = Scheduler(sgd(), texts[0], total_steps=10)
    again = Scheduler(sgd(), texts[1], total_steps=10, on_change=on_change)
    again.load_state_dict(through_json(saved))
    assert (rates(again), again.optimizer.param_groups[0]["momentum"]) == ([0.4], 0.9)


@pytest.mark.parametrize(("here", "there"), [("hold", "linear 1..0 over 3"), ("linear 1..0 over 3", "hold")])
def test_what_cannot_be_scaled_is_refused(here: str, there: str) -> None:
    scheduler = Scheduler(sgd(), there, total_steps=10)
    go(scheduler, 5)
    again = Scheduler(sgd(), here, total_steps=10, on_change="rescale")
    with pytest.raises(ResumeError, match=r"cannot be scaled; use 'switch'"):
        again.load_state_dict(scheduler.state_dict())
    assert (again.last_epoch, rates(again)) == (0, [0.4])


# Feedback and groups

CUT = "(hold) * plateau(x0.1, patience 0)"
HALVED = "(hold) * plateau(x0.5, patience 0)"


@pytest.mark.parametrize(
    ("plan", "factors"),
    [
        (CUT, [0.1, 0.1]),
        ({0: CUT, 1: "hold"}, [0.1, 1.0]),
        ({0: "hold", 1: CUT}, [1.0, 0.1]),
        ({1: CUT}, [1.0, 0.1]),
        ({0: CUT, 1: HALVED}, [0.1, 0.5]),
        ({0: CUT, 1: CUT}, [0.1, 0.1]),
        ({0: "(hold) * greedy(x0.5, patience 0)", 1: CUT}, [1.0, 0.1]),
    ],
)
def test_feedback_is_that_of_the_groups_own_schedule(plan: Plan, factors: list[float]) -> None:
    scheduler = Scheduler(sgd(0.4, 0.1), plan)
    stall(scheduler)
    if "greedy" in str(plan):  # it raises the rate at the first metric, and cuts it at the second
        assert scheduler.state_dict()["controllers"].keys() == {"lr", "lr of group 1"}
    assert rates(scheduler) == pytest.approx([0.4 * factors[0], 0.1 * factors[1]])
    again = Scheduler(sgd(0.4, 0.1), plan)
    again.load_state_dict(through_json(scheduler))
    stall(scheduler)
    stall(again)
    assert rates(again) == rates(scheduler)


def test_a_late_group_has_the_feedback_of_its_schedule() -> None:
    plan: Plan = {0: CUT, "*": HALVED}
    scheduler = Scheduler(sgd(0.4, 0.1), plan)
    stall(scheduler)
    scheduler.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 1.0})
    go(scheduler, 1)
    assert rates(scheduler) == pytest.approx([0.04, 0.05, 0.5])
    stall(scheduler)
    again = Scheduler(sgd(0.4, 0.1, 1.0), plan)
    again.load_state_dict(through_json(scheduler))
    assert rates(again) == rates(scheduler)


@pytest.mark.parametrize("on_change", ["switch", "rescale"])
def test_feedback_of_another_kind_starts_anew(on_change: Any) -> None:
    scheduler = Scheduler(sgd(), CUT)
    stall(scheduler)
    again = Scheduler(sgd(), "(hold) * greedy(x0.5, patience 3)", on_change=on_change)
    again.load_state_dict(scheduler.state_dict())
    assert again.state_dict()["controllers"]["lr"]["factors"] == [1.0]
    assert rates(again) == pytest.approx([0.4 if on_change == "switch" else 0.04])


# Changes of plan


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "3", True, None])
@pytest.mark.parametrize("change", ["extend", "cool_down", "rewarm"])
def test_a_change_takes_whole_updates(change: str, wrong: Any) -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    with pytest.raises(OptionError, match="whole number of updates of at least 1, got"):
        getattr(scheduler, change)(wrong)
    if wrong is not None:
        with pytest.raises(OptionError, match="total_steps is a whole number of updates"):
            scheduler.replace("hold", total_steps=wrong)
    assert scheduler.edits == ()


@pytest.mark.parametrize("wrong", [-1, "3", None, True, float("nan")])
def test_a_change_goes_to_a_factor(wrong: Any) -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    for change in (scheduler.cool_down, scheduler.rewarm):
        with pytest.raises(ScheduleError, match="a factor must be a finite number of at least 0, got"):
            change(3, to=wrong)


def test_no_digit_of_a_factor_is_lost() -> None:
    scheduler = Scheduler(sgd(1.0), "hold", total_steps=10)
    scheduler.cool_down(3, to=0.123456789)
    go(scheduler, 3)
    assert rates(scheduler) == [0.123456789]


@pytest.mark.parametrize("text", ["linear 1..0", "linear =0.4..=0.04", "linear 1..0.5 for 5 | hold"])
def test_a_group_that_joins_after_a_change_has_the_rates_of_one_that_was_there(text: str) -> None:
    late, there = (Scheduler(sgd(*some), text, total_steps=20) for some in ((0.4,), (0.4, 0.8)))
    for scheduler in (late, there):
        go(scheduler, 4)
        scheduler.rewarm(4, to=0.9)
        go(scheduler, 2)
        scheduler.extend(30)
        go(scheduler, 1)
    late.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.8})
    go(late, 1)
    go(there, 1)
    assert go(late, 9) == [pytest.approx(one) for one in go(there, 9)]


@pytest.mark.parametrize(
    "wrong", [None, 3, "repeat (linear 1..0)", parse("(hold) * plateau(x0.1)"), "lr: hold; eps: hold"]
)
def test_a_change_to_what_cannot_be_changes_nothing(wrong: Any) -> None:
    scheduler = Scheduler(sgd(), {"*": "linear 1..0"}, total_steps=10)
    with pytest.raises(StepwellError):
        scheduler.replace(wrong)
    with pytest.raises(StepwellError):
        scheduler.cool_down(3, shape=str(wrong))
    assert scheduler.edits == ()


def test_a_change_keeps_momentum_where_an_optimizer_can_work_with_it() -> None:
    scheduler = Scheduler(sgd(), "lr: linear 1..0; momentum: hold", total_steps=10)
    with pytest.raises(OptionError, match=r"takes momentum of parameter group 0 from 1\.8 to 1\.8"):
        scheduler.replace("momentum: hold 2")
    assert (scheduler.edits, scheduler.optimizer.param_groups[0]["momentum"]) == ((), 0.9)


def test_a_cool_down_ends_the_run_though_other_entries_would_go_on() -> None:
    scheduler = Scheduler(sgd(), "lr: linear 1..0; momentum: linear 1..0.5", total_steps=10)
    go(scheduler, 2)
    scheduler.cool_down(3)
    assert scheduler.total_steps == 5
    scheduler.extend(20)
    assert scheduler.total_steps == 20


def test_what_to_do_after_the_end_works() -> None:
    scheduler = Scheduler(sgd(), "linear 1..0.5", total_steps=4)
    with pytest.warns(UserWarning, match="SW101"):
        go(scheduler, 6)
    with pytest.raises(OptionError, match=r"nothing of the run is left after step 6; call extend\(total_steps\) first"):
        scheduler.rewarm(2)
    scheduler.extend(10)
    scheduler.rewarm(2)
    assert go(scheduler, 3)[-1] == [0.4]


# Groups that are added


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("0.1", "a str; give it a number"),
        (-1.0, "must be a finite number of at least 0"),
        (float("nan"), "finite number"),
    ],
)
def test_the_rate_of_a_late_group_is_judged_like_any_other(rate: Any, message: str) -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    scheduler.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate})
    with pytest.raises(StepwellError, match=message):
        scheduler.step()


def test_a_late_group_gets_the_tensor_rate_as_it_was_and_its_own() -> None:
    rate = torch.tensor(0.5, dtype=torch.float64)
    optimizer = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))]}], lr=rate)
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10)
    for _ in range(2):
        for _ in range(2):
            scheduler.step()
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))]})
    scheduler.step()
    assert [float(group["lr"]) for group in optimizer.param_groups] == [0.25] * 3
    assert len({id(group["lr"]) for group in optimizer.param_groups}) == 3
    assert optimizer.param_groups[0]["lr"] is rate


@pytest.mark.parametrize("on_change", ["keep", "rescale"])
@pytest.mark.parametrize("here", ["cosine 1..0", "linear 1..=0.1"])
def test_a_late_group_does_not_bring_the_other_plan_back(here: str, on_change: Any) -> None:
    saved = Scheduler(sgd(), "lr: linear 1..0; momentum: linear 1..0.5", total_steps=20)
    go(saved, 5)
    alone, joined = (
        Scheduler(sgd(), f"lr: {here}; momentum: hold 0.8", total_steps=30, on_change=on_change) for _ in range(2)
    )
    for scheduler in (alone, joined):
        scheduler.load_state_dict(saved.state_dict())
    joined.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.4})
    for scheduler in (alone, joined):
        scheduler.step()
    assert rates(joined)[:1] == rates(alone)
    assert joined.optimizer.param_groups[0]["momentum"] == alone.optimizer.param_groups[0]["momentum"]
    if on_change == "keep":
        assert rates(joined)[1] == rates(joined)[0]


@pytest.mark.parametrize("steps", [0, 1])
def test_a_state_has_all_groups_of_the_moment(steps: int) -> None:
    one, other = (Scheduler(sgd(), "linear 1..0", total_steps=10) for _ in range(2))
    go(one, 4)
    for scheduler in (one, other):
        scheduler.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.8})
    go(one, steps)
    other.load_state_dict(through_json(one))  # neither has made an update with the new group, for steps=0
    there = Scheduler(sgd(0.4, 0.8), "linear 1..0", total_steps=10)
    there.load_state_dict(through_json(one))
    assert rates(other) == rates(there) == pytest.approx([0.4 * (0.6 - steps / 10), 0.8 * (0.6 - steps / 10)])


def test_the_first_update_of_a_late_group_has_its_rate_after_write() -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    go(scheduler, 9)
    scheduler.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.8})
    scheduler.write()
    assert rates(scheduler) == pytest.approx([0.04, 0.08])
