"""What users of other schedulers complain about in public threads does not happen here, or is one sentence.

Every test names its threads. Where torch still shows the complaint, the test shows it too, so that the comparison stays
honest: the day torch is mended, the test says so.
"""

from __future__ import annotations

import copy
import gc
import io
import json
import pickle
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from stepwell import Horizon, Recorder, Schedule, Scheduler, parse, schedule, twins
from stepwell.errors import HorizonError, OptimizerError, OverrunError, ResumeError, ScheduleError, StepwellError

BASE = 0.1


def weight() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(2))


def sgd(lr: Any = BASE, momentum: float = 0.9) -> torch.optim.SGD:
    return torch.optim.SGD([weight()], lr=lr, momentum=momentum)


def update(optimizer: torch.optim.Optimizer) -> None:
    for group in optimizer.param_groups:
        for one in group["params"]:
            one.grad = torch.ones(2)
    optimizer.step()


def used(scheduler: Any, updates: int, entry: str = "lr") -> list[float]:
    """What the next updates use."""
    seen = []
    for _ in range(updates):
        seen.append(float(scheduler.optimizer.param_groups[0][entry]))
        update(scheduler.optimizer)
        scheduler.step()
    return seen


def factors(one: Schedule | str, updates: int, **figures: int) -> list[float]:
    values = schedule(one).resolve(Horizon(updates, **figures), base_lr=BASE, momentum=0.9)(np.arange(updates))
    return [float(value) for value in values]


def through(state: dict[str, Any], way: str) -> dict[str, Any]:
    """The state as it comes back from a file."""
    if way == "json":
        back: dict[str, Any] = json.loads(json.dumps(state, allow_nan=False))
        return back
    file = io.BytesIO()
    torch.save(state, file)
    loaded: dict[str, Any] = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    return loaded


# One after the other


def test_the_first_phase_rules_first() -> None:
    """pytorch#72874, pytorch#185872: SequentialLR began with the rate of its last or a wrong member."""
    assert factors("hold 0.5 for 3 | hold 0.1", 5) == [0.5, 0.5, 0.5, 0.1, 0.1]
    assert factors(twins.sequential_lr(["hold 0.5", "hold 0.1"], [3]), 5) == [0.5, 0.5, 0.5, 0.1, 0.1]


def test_phases_follow_each_other_whatever_their_shape() -> None:
    """pytorch#67586, pytorch#82684: wrong after an ExponentialLR; several ConstantLR were applied together."""
    assert factors("decay x0.5 per 1 for 3 | hold 0.3 for 2 | hold 0.2", 7) == [1, 0.5, 0.25, 0.3, 0.3, 0.2, 0.2]
    twin = twins.sequential_lr(
        [twins.exponential_lr(0.5), twins.constant_lr(0.5, 2), twins.constant_lr(0.2, 9)], [3, 5]
    )
    assert factors(twin, 20)[:7] == [1, 0.5, 0.25, 0.5, 0.5, 0.2, 0.2]


NESTED = [
    (["hold 0.5 for 1 | hold 0.2", "hold 0.1"], [3]),
    (["hold 0.1", "hold 0.5 for 1 | hold 0.2"], [3]),
]


@pytest.mark.parametrize(("members", "milestones"), NESTED)
def test_a_sequence_within_a_sequence_is_no_step_off(members: list[str], milestones: list[int]) -> None:
    """pytorch#196243, pytorch#132745, pytorch#67957: nested ones are a step ahead, or stop with NotImplementedError."""
    whole = twins.sequential_lr([twins.sequential_lr(members, milestones), "hold 0.01"], [6])
    flat = [part for member in members for part in factors(member, 3)]
    assert factors(whole, 8) == [*flat, 0.01, 0.01]
    product = twins.sequential_lr(["hold", twins.chained_scheduler(["hold 0.5", "decay x0.5 per 1"])], [2])
    assert factors(product, 4) == [1.0, 1.0, 0.5, 0.25]


def test_torch_is_a_step_ahead_there() -> None:
    """pytorch#196243."""
    optimizer = sgd()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the false order warning that the thread speaks of
        inner = lr_scheduler.SequentialLR(
            optimizer, [lr_scheduler.ConstantLR(optimizer, 0.5, 9), lr_scheduler.ConstantLR(optimizer, 0.2, 9)], [2]
        )
        outer = lr_scheduler.SequentialLR(optimizer, [inner, lr_scheduler.ConstantLR(optimizer, 0.1, 9)], [6])
        assert used(outer, 3) == pytest.approx([0.05, 0.02, 0.02])


def test_feedback_multiplies_any_schedule() -> None:
    """pytorch#68978, pytorch#110761, pytorch#82859, lightning#10759: no ReduceLROnPlateau in a sequence or chain."""
    scheduler = Scheduler(sgd(), "(linear 0.5..1 for 2 | cosine to 0) * plateau(x0.5, patience 0)", total_steps=6)
    plain = factors("linear 0.5..1 for 2 | cosine to 0", 6)
    scheduler.observe(1.0)
    scheduler.observe(1.0)
    assert used(scheduler, 6) == pytest.approx([BASE * 0.5 * factor for factor in plain])


def test_members_that_would_overwrite_each_other_are_refused_or_multiplied() -> None:
    """composer's documentation says that schedulers multiply, and the last one wins; torch's LambdaLR erases others."""
    product = twins.chained_scheduler([twins.exponential_lr(0.5), twins.lambda_lr(lambda step: 0.1, 4)])
    assert factors(product, 4) == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    with pytest.raises(ScheduleError, match="sets an absolute rate, so it cannot multiply another"):
        twins.chained_scheduler([twins.exponential_lr(0.5), twins.one_cycle_lr(0.1, 4, cycle_momentum=False)])


def test_a_sequence_warns_of_nothing() -> None:
    """pytorch#76113, pytorch#116776, pytorch#130018: a warning of `epoch` at every milestone. Warnings are errors."""
    used(Scheduler(sgd(), "linear 0..1 for 2 | steps x0.5 every 2 for 4 | hold 0.1", total_steps=8), 8)


def test_a_warmup_before_one_cycle_rises_to_the_optimizers_rate() -> None:
    """pytorch#21965 and SequentialLR before OneCycleLR: `initial_lr` was rewritten by the later member."""
    optimizer = sgd()
    one_cycle = twins.one_cycle_lr(0.5, 10, cycle_momentum=False)
    scheduler = Scheduler(optimizer, twins.sequential_lr([twins.linear_lr(0.1, 1.0, 3), one_cycle], [4]))
    assert used(scheduler, 5)[3:] == pytest.approx([BASE, 0.5 / 25])
    assert optimizer.param_groups[0]["initial_lr"] == BASE


# Shapes


@pytest.mark.parametrize("t", [0, 1, 37, 49, 50])
def test_a_cosine_is_its_formula(t: int) -> None:
    """pytorch#152081, pytorch#40971, pytorch#17913: torch's recursion is not the formula of its documentation."""
    value = parse("cosine 1..0.1").resolve(Horizon(50))(t)
    assert value == pytest.approx(0.1 + 0.9 * (1 + np.cos(np.pi * t / 50)) / 2, rel=1e-15)


def test_a_cosine_stays_down() -> None:
    """particulate#22, and torch and transformers past their end: a cosine that climbs again."""
    scheduler = Scheduler(sgd(), "cosine 1..0.1 over 5")
    assert used(scheduler, 12)[5:] == pytest.approx([BASE * 0.1] * 7)
    eight_times = "repeat (cosine 1..0 for 5 | cosine to 1 for 5)"
    assert parse(eight_times).resolve(Horizon(40)).preflight() == []  # whoever writes cycles means them
    assert [f.code for f in parse("cosine 1..0 for 20 | cosine to 1").resolve(Horizon(40)).preflight()] == ["SW105"]


def test_restarts_may_come_more_often() -> None:
    """pytorch#95122: T_mult below 1 is refused."""
    assert factors("repeat (linear 1..0 for 4) longer x0.5", 7) == pytest.approx([1, 0.75, 0.5, 0.25, 1, 0.5, 1])


@pytest.mark.parametrize("cycle", range(0, 1000, 83))
def test_a_peak_is_the_peak(cycle: int) -> None:
    """torch's CyclicLR reaches its max_lr exactly in one of 1000 cycles of 3 up and 4 down."""
    curve = twins.cyclic_lr(0.01, 0.3, 3, 4, cycle_momentum=False).resolve(Horizon(), base_lr=1.0)
    assert curve(7 * cycle + 3) == 0.3


def test_the_end_of_one_cycle_is_its_end() -> None:
    """pytorch#91765, pytorch#38170, GrowSP#11, flair#2954, PiFold#6: up again in the last step, then an error."""
    scheduler = Scheduler(sgd(), twins.one_cycle_lr(0.3, 10, cycle_momentum=False))
    low = used(scheduler, 10)[-1]
    with pytest.warns(
        UserWarning, match="the schedule ends after 10 updates; the run goes on at the last rate, 1.2e-06"
    ):
        assert used(scheduler, 3) == pytest.approx([low] * 3)
    strict = Scheduler(sgd(), twins.one_cycle_lr(0.3, 10, cycle_momentum=False), overrun="raise")
    with pytest.raises(OverrunError, match="ends after 10 updates and this is one more; pass the real total_steps"):
        used(strict, 11)


@pytest.mark.parametrize("name", ["one_cycle_lr", "cyclic_lr"])
def test_momentum_is_not_turned_on_behind_ones_back(name: str) -> None:
    """torch's CyclicLR and OneCycleLR give an SGD without momentum one of 0.9 or 0.95."""
    made = twins.one_cycle_lr(0.1, 10) if name == "one_cycle_lr" else twins.cyclic_lr(0.1, 0.2, 5)
    optimizer = sgd(momentum=0.0)
    with pytest.raises(ScheduleError, match="cannot be a factor of a base of 0; start from a base above 0"):
        Scheduler(optimizer, made)
    assert optimizer.param_groups[0]["momentum"] == 0.0


def test_the_first_update_trains() -> None:
    """verl#3674, torchtitan#1261: the first update is wasted at a rate of 0."""
    assert factors("linear 0..1 for 4 | hold", 6) == [0.25, 0.5, 0.75, 1, 1, 1]
    (finding,) = parse("linear 0..1 for 40 @left | cosine to 0").resolve(Horizon(1000)).preflight()
    assert str(finding).startswith("SW102 at step 0: the first update has a rate of 0 and changes nothing")


def test_the_first_update_uses_the_schedule() -> None:
    """accelerate#2124, DeepSpeed#5731, DeepSpeed#6569: the first update ignores the schedule."""
    optimizer = sgd()
    Scheduler(optimizer, "linear 0.25..1 for 4 | hold")
    assert optimizer.param_groups[0]["lr"] == BASE * 0.25


def test_a_warmup_ends_where_the_next_phase_begins() -> None:
    """timm#1242, timm#2312: a cosine that drops sharply after the warm-up, or never reaches its lowest rate."""
    curve = parse("linear 0..1 for 5ep | cosine to 0.1").resolve(Horizon(1000, 10))
    assert (curve(49), curve(50), curve(1000)) == (1.0, 1.0, 0.1)
    assert curve.preflight() == []


def test_milestones_fall_where_they_are_written() -> None:
    """timm#2753: MultiStepLRScheduler falls one epoch early."""
    assert factors("steps x0.1 at 3ep", 10, steps_per_epoch=2) == pytest.approx([1] * 6 + [0.1] * 4)


@pytest.mark.parametrize("best", [-1.0, -0.01])
def test_a_metric_below_zero_is_judged_by_its_size(best: float) -> None:
    """pytorch#47513, pytorch#38622: with a relative threshold torch takes a worse negative metric for better."""
    scheduler = Scheduler(sgd(), "hold * plateau(x0.5, patience 0, threshold 0.1)")
    scheduler.observe(best)
    scheduler.observe(best * 0.95)  # worse
    assert scheduler.get_last_lr() == [BASE * 0.5]
    torchs = lr_scheduler.ReduceLROnPlateau(sgd(), factor=0.5, patience=0, threshold=0.1)
    torchs.step(best)
    torchs.step(best * 0.95)
    assert torchs.get_last_lr() == [BASE]


def test_the_floor_of_feedback_holds_for_every_group() -> None:
    """ignite's plateau forces min_lr to 0 where no group is named; a relative floor is one per group here."""
    groups = [{"params": [weight()], "lr": rate} for rate in (0.1, 0.4)]
    scheduler = Scheduler(torch.optim.SGD(groups), "hold * plateau(x0.1, patience 0, floor 0.05)")
    for _ in range(9):
        scheduler.observe(1.0)
    assert scheduler.get_last_lr() == pytest.approx([0.005, 0.02])


# Going on


def test_a_state_is_enough_for_a_resume() -> None:
    """pytorch#29697, pytorch#65342, pytorch#119168, timm#871: the optimizer must be restored too, in one order."""
    text = "steps x0.1 at 3 6 9"
    whole = used(Scheduler(sgd(), text), 12)
    first = Scheduler(sgd(), text)
    used(first, 6)
    second = Scheduler(sgd(), text)
    second.load_state_dict(first.state_dict())
    assert used(second, 6) == whole[6:]


@pytest.mark.parametrize("stop", range(0, 40, 3))
def test_restarts_go_on_beyond_two_cycles(stop: int) -> None:
    """pytorch#52236, pytorch#49630, pytorch#36989, pytorch#88791, pytorch#162591: lost cycles on resume."""
    twin = twins.sequential_lr([twins.cosine_annealing_warm_restarts(2, 2), "hold 0.1"], [35])
    whole = used(Scheduler(sgd(), twin), 40)
    first = Scheduler(sgd(), twin)
    used(first, stop)
    second = Scheduler(sgd(), twin)
    second.load_state_dict(first.state_dict())
    assert used(second, 40 - stop) == whole[stop:]


def test_loading_twice_counts_once() -> None:
    """slime#1547: Megatron's scheduler adds the saved steps to its own every time it loads."""
    first = Scheduler(sgd(), "linear 1..0", total_steps=10)
    used(first, 5)
    second = Scheduler(sgd(), "linear 1..0", total_steps=10)
    for _ in range(3):
        second.load_state_dict(first.state_dict())
    assert (second.last_epoch, second.get_last_lr()) == (5, first.get_last_lr())


def test_a_checkpoint_after_the_update_is_not_a_step_behind() -> None:
    """lightning#4655, lightning#1772, lightning#7637: saved before the scheduler moved, it lags after every resume."""
    first = Scheduler(sgd(), "linear 1..0", total_steps=10, follow=True)
    update(first.optimizer)
    state = first.state_dict()  # before the framework's call of step()
    first.step()
    second = Scheduler(sgd(), "linear 1..0", total_steps=10, follow=True)
    second.load_state_dict(state)
    update(second.optimizer)
    assert second.get_last_lr() == pytest.approx([BASE * 0.8])


@pytest.mark.parametrize(
    ("rate", "total", "said"),
    [
        (0.05, 10, "base rate 0.1 became 0.05"),  # the user's new rate
        (0.1, 20, "horizon of 10 steps became of 20 steps"),  # a lambda's new horizon, which torch does not save
    ],
)
def test_a_changed_plan_is_not_passed_over(rate: float, total: int, said: str) -> None:
    """transformers#9099, transformers#27749, transformers#23099, transformers#34053, lightning#5486, composer#3154."""
    first = Scheduler(sgd(), "linear 1..0", total_steps=10)
    used(first, 5)
    state = first.state_dict()
    with pytest.raises(ResumeError, match=f"{said}.* on_change='keep' to go on as saved, 'switch' to take the new"):
        Scheduler(sgd(rate), "linear 1..0", total_steps=total).load_state_dict(state)
    kept = Scheduler(sgd(rate), "linear 1..0", total_steps=total, on_change="keep")
    kept.load_state_dict(state)
    assert kept.get_last_lr() == first.get_last_lr()
    switched = Scheduler(sgd(rate), "linear 1..0", total_steps=total, on_change="switch")
    switched.load_state_dict(state)
    assert switched.get_last_lr() == pytest.approx([rate * (1 - 5 / total)])


def test_a_changed_plan_names_what_changed() -> None:
    one = Scheduler(sgd(), "lr: linear 1..0 for 1ep | hold 0; momentum: hold", total_steps=10, steps_per_epoch=5)
    other = Scheduler(
        sgd(momentum=0.8), "lr: linear 1..0 for 1ep | hold 0; momentum: hold", total_steps=10, steps_per_epoch=2
    )
    with pytest.raises(ResumeError) as raised:
        other.load_state_dict(one.state_dict())
    assert "horizon of 10 steps, 5 per epoch became of 10 steps, 2 per epoch" in str(raised.value)
    assert "base momentum 0.9 became 0.8" in str(raised.value)


def test_the_rate_that_is_loaded_with_the_optimizer_does_not_win() -> None:
    """pytorch#156846: an optimizer's state brings its old rate back, and no scheduler is told."""
    saved = sgd(0.5)
    optimizer = sgd()
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10)
    optimizer.load_state_dict(saved.state_dict())
    assert scheduler.get_last_lr() == [BASE]


MOVING = {
    "cyclic": twins.cyclic_lr(0.01, 0.1, 3),
    "one cycle": twins.one_cycle_lr(0.1, 40),
    "milestones": twins.multi_step_lr([10, 25]),
    "lambda": twins.lambda_lr(lambda step: 0.9**step, 40),
    "swa": schedule("torch.swalr(anneal_epochs=10)"),
    "plateau": schedule("hold * plateau(x0.5)"),
}


@pytest.mark.parametrize("way", ["torch", "json", "pickle"])
@pytest.mark.parametrize("name", MOVING)
def test_a_state_is_small_plain_data(name: str, way: str) -> None:
    """pytorch#90414, pytorch#94450, pytorch#98921, pytorch#163105, lightning#15901: states that hold methods, the
    optimizer or a Counter; MultiStepLR's milestones do not survive JSON."""
    first = Scheduler(sgd(), MOVING[name])
    used(first, 9)
    state = first.state_dict()
    assert len(json.dumps(state)) < 3000
    second = Scheduler(sgd(), MOVING[name])
    if way == "pickle":
        second = copy.deepcopy(pickle.loads(pickle.dumps(first)))  # noqa: S301 -- our own bytes
    else:
        second.load_state_dict(through(state, way))
    assert used(second, 20) == used(first, 20)
    assert used(second, 5, "momentum") == used(first, 5, "momentum")


def test_torch_loses_its_milestones_in_json() -> None:
    """pytorch#98921."""
    first = lr_scheduler.MultiStepLR(sgd(), [2])
    second = lr_scheduler.MultiStepLR(sgd(), [2])
    second.load_state_dict(through(first.state_dict(), "json"))
    assert used(second, 4) == [BASE] * 4


# Who calls what, how often


def test_a_framework_may_call_step_as_often_as_it_likes() -> None:
    """accelerate#2926, accelerate#2142, accelerate#2773, transformers#24088, diffusers#3954, HALOs#33, lightning#1476:
    a scheduler that is stepped once per process, or once per batch under accumulation, is through too early."""
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10, follow=True)
    for batch in range(8):
        if batch % 4 == 3:
            update(scheduler.optimizer)
        for _ in range(8):
            scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([BASE * 0.8])


def test_lengths_say_what_they_count() -> None:
    """lightning#1476, lightning#20436, lightning#21491, pytorch#65417, pytorch#69753: epochs, steps or batches?"""
    accumulating = Horizon.epochs(20, steps_per_epoch=31, tokens_per_step=4096.0)
    curve = parse("linear 0..1 for 2ep | hold for 1e6tok | cosine to 0 for 20%").resolve
    with pytest.raises(HorizonError, match="leave the length of one phase away"):
        curve(accumulating)
    laid = parse("linear 0..1 for 2ep | hold for 1e6tok | cosine to 0").resolve(accumulating)
    assert laid.breakpoints() == (0, 62, 62 + 244)
    with pytest.raises(HorizonError, match="the length '2ep' needs steps_per_epoch; pass steps_per_epoch="):
        parse("linear 0..1 for 2ep | hold").resolve(Horizon(100))


def test_a_skipped_update_needs_no_warning() -> None:
    """pytorch#44511, pytorch#55585, pytorch#67590, lightning#18828, transformers#11106: the order warning that is
    false where GradScaler skipped the update, and a scheduler that moved all the same. Warnings are errors."""
    optimizer = sgd(momentum=0.0)
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10, follow=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    one = optimizer.param_groups[0]["params"][0]
    for scale in (float("inf"), 1.0, float("nan"), 1.0):
        optimizer.zero_grad()
        torch.autograd.backward(scaler.scale((one * scale).sum()))
        scaler.step(optimizer)
        scaler.update()
        scheduler.step()
    assert scheduler.last_epoch == 2


def test_the_rate_that_is_recorded_is_the_one_that_was_used() -> None:
    """transformers#35942: the logged rate is that of the next update."""
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=4, follow=True)
    with Recorder(scheduler.optimizer) as recorder:
        for _ in range(4):
            update(scheduler.optimizer)
            recorder.step(1.0)
        run = recorder.finish()
    assert run["lr"].tolist() == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_asking_for_the_rate_moves_nothing() -> None:
    """torch's `get_lr()` gives the rate of the step after the next, and warns."""
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    used(scheduler, 3)
    for _ in range(3):
        assert scheduler.get_lr() == scheduler.get_last_lr() == [scheduler.optimizer.param_groups[0]["lr"]]
    assert scheduler.get_last_lr() == pytest.approx([BASE * 0.7])


def test_warnings_are_heard_though_a_library_silences_torchs() -> None:
    """Importing accelerate silences every UserWarning of torch.optim.lr_scheduler."""
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=2)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", category=UserWarning, module="torch.optim.lr_scheduler")
        used(scheduler, 3)
    assert [str(one.message).split(":")[0] for one in heard] == ["SW101 at step 2"]


# Groups and entries


def test_late_groups_follow() -> None:
    """pytorch#20997, pytorch#104361, pytorch#79888: a group that is added later is ignored, or an error."""
    for text in ("repeat (cosine 1..0 for 4)", "linear 0.5..1 over 8", "hold * plateau(x0.5)"):
        scheduler = Scheduler(sgd(), text)
        used(scheduler, 2)
        scheduler.optimizer.add_param_group({"params": [weight()], "lr": 0.5})
        used(scheduler, 1)
        one, late = scheduler.get_last_lr()
        assert late == pytest.approx(5 * one)


def test_every_entry_of_every_group_has_its_schedule() -> None:
    """pytorch#22343, pytorch#101082, pytorch#63488: weight decay, or groups with shapes of their own."""
    groups = [{"params": [weight()], "lr": 0.1, "name": "body"}, {"params": [weight()], "lr": 0.2, "name": "head"}]
    scheduler = Scheduler(
        torch.optim.AdamW(groups, weight_decay=0.1),
        {"body": "lr: linear 1..0; weight_decay: cosine 1..0", "head": "lr: hold 0.5; beta2: hold 0.5"},
        total_steps=10,
    )
    used(scheduler, 5)
    body, head = scheduler.optimizer.param_groups
    assert (body["lr"], head["lr"]) == pytest.approx((0.05, 0.1))
    assert (body["weight_decay"], head["weight_decay"]) == pytest.approx((0.05, 0.1))
    assert head["betas"] == pytest.approx((0.9, 0.999 * 0.5))


def test_other_betas_stay() -> None:
    """pytorch#84485: OneCycleLR fails for an optimizer with more than two betas."""
    optimizer = torch.optim.AdamW([weight()], lr=0.1)
    optimizer.param_groups[0]["betas"] = (0.9, 0.92, 0.99)
    Scheduler(optimizer, twins.one_cycle_lr(0.1, 10))
    assert optimizer.param_groups[0]["betas"] == pytest.approx((0.95, 0.92, 0.99))


def test_a_schedule_needs_no_optimizer() -> None:
    """pytorch#67761, pytorch#68332, pytorch#168044, pytorch#184517: rates without an optimizer, at any step."""
    curve = schedule("linear 0..1 for 5% | cosine to 0").resolve(Horizon(10_000))
    assert curve(np.array([9999, 0, 499])).tolist() == [curve(9999), curve(0), curve(499)]


def test_a_schedule_can_be_seen_before_it_is_used() -> None:
    """sd_dreambooth_extension#724, skorch#266, mmengine#267: a preview of the rate."""
    one = schedule("linear 0..1 for 5% | cosine to 0")
    assert "<svg" in (one._repr_svg_() or "")
    assert "<svg" in one.resolve(Horizon(1000))._repr_svg_()


@pytest.mark.parametrize("follow", [False, True])
def test_a_step_that_is_compiled_already_can_be_scheduled(follow: bool) -> None:
    """torchtune#2263: torch's schedulers cannot be made once `optimizer.step` is compiled."""
    optimizer = sgd()
    plain = optimizer.step
    optimizer.step = lambda closure=None: plain(closure)  # type: ignore[method-assign]  # what torch.compile returns
    with pytest.raises(AttributeError):
        lr_scheduler.StepLR(optimizer, 3)
    optimizer = sgd()
    plain_again = optimizer.step
    optimizer.step = lambda closure=None: plain_again(closure)  # type: ignore[method-assign]  # the same
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10, follow=follow)
    used(scheduler, 5)
    assert scheduler.get_last_lr() == pytest.approx([BASE * 0.5])


# Tensors and memory


def test_a_tensor_rate_is_the_same_tensor_throughout() -> None:
    """pytorch#163093, pytorch#107076, pytorch#120934, and timm, ignite and mmengine, which replace the tensor."""
    rate = torch.tensor(BASE)
    scheduler = Scheduler(sgd(rate), "(linear 1..0.5) * plateau(x0.5, patience 0)", total_steps=10)
    used(scheduler, 3)
    for _ in range(3):
        scheduler.observe(1.0)
    scheduler.load_state_dict(scheduler.state_dict())
    assert scheduler.optimizer.param_groups[0]["lr"] is rate


def test_the_base_rates_are_not_the_tensor_that_is_written() -> None:
    """pytorch#162359, pytorch#163103: aliased tensors corrupt `base_lrs` and what `get_last_lr` gave before."""
    scheduler = Scheduler(sgd(torch.tensor(0.5)), "linear 1..0", total_steps=4)
    before = scheduler.get_last_lr()
    used(scheduler, 2)
    assert before == [0.5]
    assert scheduler.base_lrs == [0.5]
    assert scheduler.get_last_lr() == [0.25]


def test_a_float32_rate_does_not_drift() -> None:
    """torch's recursion in float32 is 7e-5 off after 5000 steps of ExponentialLR(0.999)."""
    scheduler = Scheduler(sgd(torch.tensor(BASE)), "decay x0.999 per 1")
    used(scheduler, 2000)
    assert scheduler.get_last_lr()[0] == pytest.approx(float(np.float32(BASE)) * 0.999**2000, rel=1e-7)


def test_betas_in_tensors_are_filled_in_place() -> None:
    """pytorch#133898: momentum as a Python float is compiled anew for every value."""
    betas = torch.tensor(0.9), torch.tensor(0.999)
    optimizer = torch.optim.AdamW([weight()], lr=torch.tensor(0.1), betas=betas, capturable=True, foreach=False)
    Scheduler(optimizer, twins.one_cycle_lr(0.1, 10))
    assert optimizer.param_groups[0]["betas"][0] is betas[0]
    assert float(betas[0]) == pytest.approx(0.95)


@pytest.mark.parametrize("follow", [False, True])
def test_nothing_stays_in_memory(follow: bool) -> None:
    """pytorch#85410, pytorch#25605, pytorch#47589, pytorch#126131: schedulers keep models and optimizers alive."""
    optimizer = sgd()
    scheduler = Scheduler(optimizer, "(linear 1..0) * plateau(x0.5)", total_steps=10, follow=follow)
    used(scheduler, 2)
    alive = weakref.ref(optimizer.param_groups[0]["params"][0])
    gc.disable()
    try:
        del scheduler, optimizer
        if follow:  # the optimizer holds its follower, so the two go together
            gc.collect()
        assert alive() is None
    finally:
        gc.enable()


# What is refused, and leaves everything as it was


def text_rate() -> torch.optim.Optimizer:
    optimizer = sgd()
    optimizer.param_groups[0]["lr"] = "1e-3"
    return optimizer


def no_rate() -> torch.optim.Optimizer:
    optimizer = sgd()
    del optimizer.param_groups[0]["lr"]
    return optimizer


def with_torchs() -> torch.optim.Optimizer:
    optimizer = sgd()
    lr_scheduler.ExponentialLR(optimizer, 0.9)
    return optimizer


def stale() -> torch.optim.Optimizer:
    optimizer = with_torchs()
    optimizer.param_groups[0]["lr"] = 0.02
    return sgd_like(optimizer)


def sgd_like(other: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Another optimizer with the state of this one, as after a resume."""
    optimizer = sgd()
    optimizer.load_state_dict(other.state_dict())
    return optimizer


UNFIT: dict[str, tuple[Callable[[], Any], str, dict[str, Any], str]] = {
    "a rate that is a text": (text_rate, "hold", {}, "parameter group 0 has the lr '1e-3', a str; give it a number"),
    "a group without a rate": (no_rate, "hold", {}, "parameter group 0 has no lr; give it a number such as 0.1"),
    "a base rate that is a text": (sgd, "hold", {"base_lr": "0.1"}, "base_lr is a number such as 0.1, .* got '0.1'"),
    "a base rate below 0": (sgd, "hold", {"base_lr": -0.1}, "must be a finite number of at least 0, got -0.1"),
    "a group without the entry": (sgd, "lr: hold; beta2: hold", {}, "no entry 'beta2' to schedule; its groups have"),
    "a base of 0 for a rate": (
        sgd,
        "lr: hold; weight_decay: hold =0.1",
        {"base_lr": 0.2},
        "cannot be a factor of a base of 0",
    ),
    "a run that is too short": (
        sgd,
        "linear 0..1 for 50 | hold",
        {"total_steps": 20, "base_lr": 0.2},
        "nothing is left for 'hold'; shorten them or lengthen the run",
    ),
    "no total": (sgd, "cosine 1..0", {"base_lr": 0.2}, "takes the rest of a run without end; pass total_steps=..."),
    "half a step": (sgd, "hold", {"total_steps": 10.5}, "total_steps must be a positive whole number, got 10.5"),
    "a total that is a text": (sgd, "hold", {"total_steps": "100"}, "total_steps must be a positive whole number"),
    "another scheduler": (with_torchs, "hold", {"base_lr": 0.2}, "a torch scheduler is already on this optimizer"),
    "a stale initial_lr": (stale, "hold", {}, "has lr 0.02, but an earlier scheduler left initial_lr 0.1; say which"),
    "no group at all": (sgd, {}, {}, "a mapping gives at least one parameter group a schedule"),  # type: ignore[dict-item]  # the wrong input itself
    "a live scheduler": (
        sgd,
        lr_scheduler.StepLR(sgd(), 3),  # type: ignore[dict-item]  # the wrong input itself
        {},
        "stepwell.from_torch.* reads a live scheduler",
    ),
}


def seen(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    return [{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups]


@pytest.mark.parametrize("mistake", UNFIT)
def test_what_does_not_fit_leaves_the_optimizer_as_it_was(mistake: str) -> None:
    make, text, options, message = UNFIT[mistake]
    optimizer = make()
    before = copy.deepcopy(seen(optimizer))
    with pytest.raises(StepwellError, match=message):
        Scheduler(optimizer, text, **options)
    after = seen(optimizer)
    for group in after:  # a note of what the value was, which nobody but the next Scheduler reads, and checks
        group.pop("initial_weight_decay", None)
    assert after == before
    assert len(optimizer._optimizer_load_state_dict_post_hooks) == 0


def test_a_refused_scheduler_does_not_stand_in_the_way_of_the_next() -> None:
    optimizer = sgd()
    with pytest.raises(HorizonError):
        Scheduler(optimizer, "linear 0..1 for 50 | hold", total_steps=20, base_lr=0.2)
    assert Scheduler(optimizer, "hold").get_last_lr() == [BASE]


def test_a_torch_scheduler_that_comes_later_is_told_of_at_the_first_update() -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10, follow=True)
    lr_scheduler.ExponentialLR(scheduler.optimizer, 0.9)
    with pytest.raises(OptimizerError, match="both would write its rates; put both shapes into one schedule text"):
        update(scheduler.optimizer)


@pytest.mark.parametrize("follow", [False, True])
def test_a_later_member_of_a_torch_sequence_is_refused_before_the_first_update(follow: bool) -> None:
    """It erred at its milestone, in words that did not say why."""
    optimizer = sgd()
    ours = Scheduler(optimizer, "linear 1..0", total_steps=10, follow=follow)
    lr_scheduler.SequentialLR(optimizer, [lr_scheduler.LinearLR(optimizer), ours], [3])
    optimizer.load_state_dict(optimizer.state_dict())  # as a resume does first
    for _ in range(2):
        with pytest.raises(OptimizerError, match="cannot be a later member of torch's SequentialLR"):
            optimizer.step()


def test_the_only_member_of_a_torch_sequence_works() -> None:
    optimizer = sgd()
    scheduler = Scheduler(optimizer, "linear 0.5..0.1", total_steps=4)
    sequence = lr_scheduler.SequentialLR(optimizer, [scheduler], [])
    seen = []
    for _ in range(4):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        sequence.step()
    assert seen == pytest.approx([BASE * factor for factor in (0.5, 0.4, 0.3, 0.2)], rel=1e-12)
    assert scheduler.findings == []


def test_a_member_of_a_torch_sequence_leaves_the_hooks_after_its_own_alone() -> None:
    """Its own went away in the middle of an update, and torch could not go on to the next."""
    optimizer = sgd()
    heard: list[int] = []
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=4)
    lr_scheduler.SequentialLR(optimizer, [scheduler], [])
    optimizer.register_step_pre_hook(lambda *_: heard.append(scheduler.last_epoch))
    for _ in range(2):
        optimizer.step()
        scheduler.step()
    assert heard == [0, 1]
    scheduler.detach()
    assert len(optimizer._optimizer_step_pre_hooks) == 1


@pytest.mark.parametrize("rate", [None, 0.1])
def test_a_torch_scheduler_that_is_there_is_told_of_first(rate: float | None) -> None:
    """The stale rate was told of, and with `base_lr=` that one was told to pass, the next error."""
    optimizer = sgd()
    torchs = lr_scheduler.LinearLR(optimizer, 0.1)
    with pytest.raises(OptimizerError, match="a torch scheduler is already on this optimizer"):
        Scheduler(optimizer, "linear 1..0", total_steps=10, base_lr=rate)
    assert torchs.last_epoch == 0


def test_two_schedulers_are_not_on_one_optimizer() -> None:
    optimizer = sgd()
    first = Scheduler(optimizer, "linear 1..0", total_steps=10)
    before = copy.deepcopy(seen(optimizer))
    with pytest.raises(OptimizerError, match="call its detach\\(\\) first, or put both into one schedule text"):
        Scheduler(optimizer, "hold", base_lr=0.7)
    assert seen(optimizer) == before
    assert first.base_lrs == [BASE]


GOOD = Scheduler(sgd(), "(linear 1..0) * plateau(x0.5)", total_steps=10).state_dict()
DAMAGE: dict[str, tuple[Any, str]] = {
    "nothing": (None, "a state is what state_dict.. returned, got NoneType None"),
    "torch's": (lr_scheduler.StepLR(sgd(), 3).state_dict(), "not a Stepwell scheduler's state; it has"),
    "an optimizer's": (sgd().state_dict(), "not a Stepwell scheduler's state; it has .'param_groups', 'state'"),
    "a newer version": ({**GOOD, "version": 2}, "version 2, newer than 1; upgrade stepwell"),
    "no version": ({**GOOD, "version": None}, "version should be a whole number of at least 1, got None"),
    "a negative step": ({**GOOD, "step": -1}, "step should be the number of updates so far, got -1; load an earlier"),
    "half a step": ({**GOOD, "step": 2.5}, "step should be the number of updates so far, got 2.5"),
    "a text as step": ({**GOOD, "step": "3"}, "step should be the number of updates so far, got '3'"),
    "no schedules": ({**GOOD, "schedules": []}, "schedules should be a list with a text or document for every"),
    "no figures": ({**GOOD, "horizon": {}}, "horizon should be an object with total_steps, steps_per_epoch"),
    "half a run": ({**GOOD, "horizon": {**GOOD["horizon"], "total_steps": 9.5}}, "damaged: horizon: total_steps must"),
    "no bases": ({**GOOD, "bases": {}}, "bases should be an object with lr, got {}"),
    "a text as base": ({**GOOD, "bases": {"lr": ["0.1"]}}, "bases.lr should be 1 numbers of at least 0"),
    "no rate": ({**GOOD, "bases": {"lr": [None]}}, "bases.lr should be a rate for every parameter group"),
    "too many bases": ({**GOOD, "bases": {"lr": [0.1, 0.2]}}, "bases.lr should be 1 numbers of at least 0"),
    "no edit": ({**GOOD, "edits": [{}]}, r"edits\[0\] should be an object with step, kind, schedule"),
    "no feedback": ({**GOOD, "controllers": {}}, "should be an object with the state of the feedback of lr"),
    "wrong feedback": (
        {**GOOD, "controllers": {"lr": {"factors": [1.0, 1.0]}}},
        "factors should be 1 factors, one per",
    ),
    "no finding": ({**GOOD, "findings": [["SW101"]]}, "findings should be a list of code, place and message"),
    "two groups": (
        Scheduler(torch.optim.SGD([{"params": [weight()]}, {"params": [weight()]}], lr=0.1), "hold").state_dict(),
        "the saved run has 2 parameter groups, this one 1; build the same groups first",
    ),
    "an unreadable schedule": (
        {**GOOD, "schedules": ["lin 0..1"]},
        "is not this one and cannot be read, .* unknown shape 'lin'",
    ),
}


@pytest.mark.parametrize("on_change", ["raise", "keep", "rescale"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_state_that_does_not_belong_changes_nothing(damage: str, on_change: Any) -> None:
    state, message = DAMAGE[damage]
    scheduler = Scheduler(sgd(), "(linear 1..0) * plateau(x0.5)", total_steps=10, on_change=on_change)
    used(scheduler, 3)
    before, groups = scheduler.state_dict(), copy.deepcopy(seen(scheduler.optimizer))
    with pytest.raises(ResumeError, match=message):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before
    assert seen(scheduler.optimizer) == groups
    assert used(scheduler, 7) == pytest.approx([BASE * (1 - t / 10) for t in range(3, 10)])
