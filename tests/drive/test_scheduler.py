from __future__ import annotations

import copy
import gc
import io
import json
import linecache
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from stepwell.drive.scheduler import Scheduler
from stepwell.errors import OptimizerError, OptionError, OverrunError, ResumeError, StepwellError

STEPS = 40


def weights() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(7)
    return [torch.nn.Parameter(torch.randn(3, generator=generator))]


def sgd(lr: float = 0.3, momentum: float = 0.9) -> torch.optim.SGD:
    return torch.optim.SGD(weights(), lr=lr, momentum=momentum)


def update(optimizer: torch.optim.Optimizer) -> None:
    for group in optimizer.param_groups:
        for weight in group["params"]:
            weight.grad = torch.sin(weight.detach())
    optimizer.step()


def rates(scheduler: lr_scheduler.LRScheduler, steps: int = STEPS, entry: str = "lr") -> list[float]:
    seen = []
    for _ in range(steps):
        group = scheduler.optimizer.param_groups[0]
        seen.append(float(group["betas"][0] if entry == "beta1" else group[entry]))
        update(scheduler.optimizer)
        scheduler.step()
    return seen


TWINS: dict[str, tuple[str, Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]]] = {
    "cosine": ("cosine 1..0.1", lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.03)),
    "step": ("steps x0.5 every 7", lambda o: lr_scheduler.StepLR(o, 7, 0.5)),
    "milestones": ("steps x0.1 at 10 25", lambda o: lr_scheduler.MultiStepLR(o, [10, 25], 0.1)),
    "exponential": ("decay x0.97 per 1", lambda o: lr_scheduler.ExponentialLR(o, 0.97)),
    "linear": ("linear 0.1..1 over 10", lambda o: lr_scheduler.LinearLR(o, 0.1, 1.0, 10)),
    "polynomial": ("poly(2) 1..0 over 30", lambda o: lr_scheduler.PolynomialLR(o, 30, 2.0)),
    "constant": ("hold 0.5 for 9 | hold 1", lambda o: lr_scheduler.ConstantLR(o, 0.5, 9)),
    "restarts": (
        "repeat (cosine 1..0.1 for 5) longer x2",
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 2, 0.03),
    ),
    "triangular": (
        "repeat (linear 0.1..1 for 3 | linear to 0.1 for 5)",
        lambda o: lr_scheduler.CyclicLR(o, 0.03, 0.3, 3, 5, cycle_momentum=False),
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_text_sets_the_rates_of_its_torch_twin(name: str) -> None:
    text, twin = TWINS[name]
    np.testing.assert_allclose(rates(Scheduler(sgd(), text, total_steps=STEPS)), rates(twin(sgd())), rtol=1e-12)


@pytest.mark.parametrize("entry", ["lr", "momentum"])
def test_one_cycle_drives_rate_and_momentum_like_torch(entry: str) -> None:
    text = (
        "lr: cosine 0.04..1 over 11 for 12 | cosine to 4e-6 over 27; "
        "momentum: cosine =0.95..=0.85 over 11 for 12 | cosine to =0.95 over 27"
    )
    # torch reaches its peak at update pct_start * T - 1 = 11; the phase after it begins there, not one later
    text = text.replace("over 27", "over 28 from 1")
    ours = rates(Scheduler(sgd(), text, total_steps=STEPS), entry=entry)
    theirs = rates(lr_scheduler.OneCycleLR(sgd(), 0.3, total_steps=STEPS), entry=entry)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_momentum_means_beta1_where_the_optimizer_has_betas() -> None:
    optimizer = torch.optim.AdamW(weights(), lr=1e-3)
    scheduler = Scheduler(optimizer, "lr: hold; momentum: linear =0.95..=0.85", total_steps=10)
    np.testing.assert_allclose(rates(scheduler, 10, "beta1"), np.linspace(0.95, 0.85, 11)[:-1], rtol=1e-12)
    assert optimizer.param_groups[0]["betas"][1] == 0.999


def test_groups_keep_their_ratios_and_absolute_values_are_absolute() -> None:
    a, b = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.2}], lr=1.0)
    scheduler = Scheduler(optimizer, "linear 1..0.5 for 5 | linear to =0.01", total_steps=10)
    update_rates = []
    for _ in range(10):
        update_rates.append(scheduler.get_last_lr())
        scheduler.step()
    assert update_rates[5] == pytest.approx([0.05, 0.1])
    assert scheduler.get_last_lr() == pytest.approx([0.01, 0.01])


def test_following_needs_no_call_and_a_call_changes_nothing() -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10, follow=True)
    for step in range(10):
        assert scheduler.get_last_lr() == pytest.approx([0.3 * (1 - step / 10)])
        update(scheduler.optimizer)
        scheduler.step()


@pytest.mark.parametrize("fused", [False, True])
def test_a_follower_does_not_move_on_an_update_that_the_scaler_skips(fused: bool) -> None:
    optimizer = torch.optim.SGD(weights(), lr=0.3, fused=fused)
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10, follow=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    weight = optimizer.param_groups[0]["params"][0]
    for scale in (1.0, float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale((weight * scale).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    assert scheduler.last_epoch == 2


def test_a_second_follower_replaces_the_first_with_a_warning() -> None:
    optimizer = sgd()
    first = Scheduler(optimizer, "linear 1..0", total_steps=10, follow=True)
    with pytest.warns(UserWarning, match="replaces the first") as caught:
        second = Scheduler(optimizer, "hold 0.5", follow=True)
    assert "second = Scheduler(" in linecache.getline(caught[0].filename, caught[0].lineno)
    update(optimizer)
    assert (first.last_epoch, second.last_epoch) == (0, 1)


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])  # noqa: S301 -- our own bytes
def test_copies_follow_their_own_optimizer(copier: Callable[[Scheduler], Scheduler]) -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10, follow=True)
    update(scheduler.optimizer)
    twin = copier(scheduler)
    update(twin.optimizer)
    assert (scheduler.last_epoch, twin.last_epoch) == (1, 2)


ORDERS = ["build, optimizer, scheduler", "build, scheduler, optimizer", "optimizer, build, scheduler"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("stop", [4, 5, 7, 10])
def test_a_resume_is_exact_in_every_order(name: str, order: str, stop: int) -> None:
    text, _ = TWINS[name]
    expected = rates(Scheduler(sgd(), text, total_steps=STEPS))
    first = Scheduler(sgd(), text, total_steps=STEPS)
    assert rates(first, stop) == expected[:stop]
    saved = io.BytesIO()
    torch.save({"optimizer": first.optimizer.state_dict(), "scheduler": first.state_dict()}, saved)
    saved.seek(0)
    state = torch.load(saved, weights_only=True)
    optimizer = sgd()
    if order.startswith("optimizer"):
        optimizer.load_state_dict(state["optimizer"])
    second = Scheduler(optimizer, text, total_steps=STEPS)
    for part in order.split(", "):
        if part == "scheduler":
            second.load_state_dict(state["scheduler"])
        elif part == "optimizer" and order.startswith("build"):
            optimizer.load_state_dict(state["optimizer"])
    assert rates(second, STEPS - stop) == expected[stop:]


def test_a_plateau_survives_a_resume() -> None:
    text = "(linear 0..1 for 4 | hold) * plateau(x0.5, patience 1)"
    losses = [1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8]

    def go(scheduler: Scheduler, some: list[float]) -> list[float]:
        seen = []
        for loss in some:
            update(scheduler.optimizer)
            scheduler.step()
            scheduler.observe(loss)
            seen.append(scheduler.get_last_lr()[0])
        return seen

    expected = go(Scheduler(sgd(), text), losses)
    assert expected[-1] == pytest.approx(0.3 * 0.125)
    first = Scheduler(sgd(), text)
    begun = go(first, losses[:4])
    second = Scheduler(sgd(), text)
    second.load_state_dict(first.state_dict())
    assert begun + go(second, losses[4:]) == expected


def test_past_the_end_holds_and_says_so_once() -> None:
    scheduler = Scheduler(sgd(), "linear 1..0.1", total_steps=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rates(scheduler, 5)
    with pytest.warns(UserWarning, match=r"SW101 .*ends after 5 updates") as caught:
        rates(scheduler, 3)
    assert len(caught) == 1
    assert scheduler.get_last_lr() == pytest.approx([0.03])
    assert [finding.code for finding in scheduler.findings] == ["SW101"]
    strict = Scheduler(sgd(), "linear 1..0.1", total_steps=5, overrun="raise")
    with pytest.raises(OverrunError, match="ends after 5 updates"):
        rates(strict, 6)


def test_a_tensor_rate_is_filled_in_place() -> None:
    rate = torch.tensor(0.25, dtype=torch.float64)
    optimizer = torch.optim.SGD(weights(), lr=rate)
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=4)
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert float(rate) == 0.1875


def test_bad_use_is_one_sentence() -> None:
    with pytest.raises(OptionError, match="must be above 0, got 0 for every"):
        Scheduler(sgd(lr=0.0), "hold")
    with pytest.raises(OptionError, match="2 rates for 1 parameter groups"):
        Scheduler(sgd(), "hold", base_lr=[0.1, 0.2])
    with pytest.raises(OptimizerError, match="no entry 'wd'"):
        Scheduler(sgd(), "lr: hold; wd: hold")
    with pytest.raises(OptionError, match="takes no epoch"):
        Scheduler(sgd(), "hold").step(3)
    with pytest.raises(OptionError, match=r"takes no metric: give it to observe\(value\)"):
        Scheduler(sgd(), "hold * plateau(x0.1)").step(0.7)  # type: ignore[arg-type]  # as torch's ReduceLROnPlateau
    with pytest.raises(OptionError, match="takes no metric"):
        Scheduler(sgd(), "hold").step(metrics=0.7)
    with pytest.raises(OptionError, match="observes a metric"):
        Scheduler(sgd(), "hold").observe(1.0)
    with pytest.raises(OptionError, match="one number"):
        Scheduler(sgd(), "hold * plateau(x0.1)").observe("low")  # type: ignore[arg-type]  # the wrong input itself
    saved = Scheduler(sgd(), "cosine 1..0", total_steps=10).state_dict()
    with pytest.raises(ResumeError, match="horizon of 10 steps became of 20 steps"):
        Scheduler(sgd(), "cosine 1..0", total_steps=20).load_state_dict(saved)
    with pytest.raises(ResumeError, match="newer than 1"):
        Scheduler(sgd(), "cosine 1..0", total_steps=10).load_state_dict({**saved, "version": 2})
    with pytest.raises(ResumeError, match="not a Stepwell"):
        Scheduler(sgd(), "hold").load_state_dict(lr_scheduler.StepLR(sgd(), 3).state_dict())


def test_a_follower_works_though_nobody_holds_it() -> None:
    optimizer = sgd()
    Scheduler(optimizer, "linear 1..0", total_steps=10, follow=True)
    gc.collect()
    for _ in range(5):
        update(optimizer)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.15)


def test_dead_schedulers_leave_nothing_on_the_optimizer() -> None:
    optimizer = sgd()
    for _ in range(20):
        Scheduler(optimizer, "hold")
        gc.collect()
    assert len(optimizer._optimizer_load_state_dict_post_hooks) == 0


@pytest.mark.parametrize("rate", [np.float32(0.25), torch.tensor(0.25), np.array([0.25]), [0.25], (np.float64(0.25),)])
def test_a_base_rate_may_come_in_any_numeric_type(rate: Any) -> None:
    assert Scheduler(sgd(), "hold", base_lr=rate).get_last_lr() == [0.25]


@pytest.mark.parametrize("rate", ["0.1", True, None.__class__, [None], {}])
def test_a_base_rate_that_is_no_number_is_refused(rate: Any) -> None:
    with pytest.raises(OptionError, match="base_lr is a number such as"):
        Scheduler(sgd(), "hold", base_lr=rate)


def test_groups_that_share_a_tensor_rate_get_one_each() -> None:
    groups = [{"params": weights()}, {"params": weights()}]
    optimizer = torch.optim.SGD(groups, lr=torch.tensor(1.0, dtype=torch.float64))
    assert Scheduler(optimizer, "hold", base_lr=[0.1, 0.2]).get_last_lr() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr: hold; momentum: linear 1..2", r"takes momentum of parameter group 0 from 0\.9 to 1\.7.*stay in \[0, 1\)"),
        ("lr: hold; weight_decay: hold 0.5", "multiplies weight_decay, which is 0 in every parameter group"),
        ("lr: hold; nesterov: hold", "no entry 'nesterov'"),
        ("lr: hold; initial_lr: hold", "no entry 'initial_lr'"),
        ("lr: hold; foreach: hold", "no entry 'foreach'"),
    ],
)
def test_what_an_optimizer_cannot_work_with_is_refused_before_the_first_update(text: str, message: str) -> None:
    with pytest.raises(StepwellError, match=message):
        Scheduler(sgd(), text, total_steps=10)


@pytest.mark.parametrize("wrong", [2.5, "3", None])
def test_a_count_is_a_whole_number(wrong: Any) -> None:
    scheduler = Scheduler(sgd(), "linear 1..0", total_steps=10)
    with pytest.raises(OptionError, match="last_epoch is the number of the coming update, a whole number; got"):
        scheduler.last_epoch = wrong
    assert scheduler.last_epoch == 0


def test_two_names_of_one_entry_are_refused() -> None:
    adam = torch.optim.Adam([{"params": weights()}], lr=0.1)
    with pytest.raises(OptimizerError, match="momentum and beta1 are one entry of this optimizer"):
        Scheduler(adam, "lr: hold; momentum: hold 0.5; beta1: hold 0.9")


def test_an_entry_may_be_0_in_some_groups() -> None:
    groups = [{"params": weights(), "weight_decay": 0.1}, {"params": weights(), "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.1)
    Scheduler(optimizer, "lr: hold; weight_decay: hold 0.5")
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.05, 0.0]


@pytest.mark.parametrize("metric", ["low", "1.5", None, True, [1.0], torch.ones(2), 1j])
def test_a_metric_that_is_not_one_number_is_refused(metric: Any) -> None:
    scheduler = Scheduler(sgd(), "hold * plateau(x0.1)")
    before = scheduler.state_dict()
    with pytest.raises(OptionError, match="a metric is one number, got"):
        scheduler.observe(metric)
    assert scheduler.state_dict() == before


@pytest.mark.parametrize("group", [True, -1, 1, "head", None])
def test_a_group_that_there_is_not_is_refused(group: Any) -> None:
    with pytest.raises(OptionError, match="there is no parameter group"):
        Scheduler(sgd(), {group: "hold"})


def test_momentum_starts_from_what_it_is_now() -> None:
    optimizer = sgd()
    Scheduler(optimizer, "lr: hold; momentum: hold 0.5").detach()
    Scheduler(optimizer, "lr: hold; momentum: hold").detach()
    assert optimizer.param_groups[0]["momentum"] == 0.9  # what a Scheduler wrote is not a new base
    optimizer.param_groups[0]["momentum"] = 0.8
    Scheduler(optimizer, "lr: hold; momentum: hold")
    assert optimizer.param_groups[0]["momentum"] == 0.8


@pytest.mark.parametrize("field", ["version", "horizon", "bases", "findings", "controllers", "edits"])
def test_an_incomplete_state_is_one_sentence(field: str) -> None:
    scheduler = Scheduler(sgd(), "hold")
    state = scheduler.state_dict()
    del state[field]
    with pytest.raises(ResumeError, match=f"it lacks {field}"):
        scheduler.load_state_dict(state)


def test_a_state_with_an_infinite_metric_is_strict_json() -> None:
    scheduler = Scheduler(sgd(), "hold * plateau(x0.5, patience 3, max)")
    scheduler.observe(float("inf"))
    state = json.loads(json.dumps(scheduler.state_dict(), allow_nan=False))
    twin = Scheduler(sgd(), "hold * plateau(x0.5, patience 3, max)")
    twin.load_state_dict(state)
    assert twin.state_dict() == scheduler.state_dict()


def test_a_rate_that_other_code_writes_is_set_again_and_said_once() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.5
    with pytest.warns(UserWarning, match=r"SW110.*from 0\.1 to 0\.5 by other code") as said:
        scheduler.step()
    assert said[0].filename == __file__
    assert scheduler.get_last_lr() == [pytest.approx(0.09)]
    optimizer.param_groups[0]["lr"] = 0.7
    scheduler.step()
    assert [finding.code for finding in scheduler.findings] == ["SW110"]


def test_a_torch_scheduler_that_is_put_on_later_is_an_error_once_it_writes() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10)
    theirs = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    theirs.step()
    with pytest.raises(OptimizerError, match=r"a torch scheduler was put on this optimizer too .* one schedule text"):
        scheduler.step()


def test_a_rate_that_a_float32_tensor_rounds_is_no_change() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=torch.tensor(0.1))
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10)
    for _ in range(10):
        scheduler.step()
    assert scheduler.findings == []
