from __future__ import annotations

import json
import types
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

from stepwell import Horizon, Scheduler, from_torch, parse
from stepwell.errors import OptimizerError, ScheduleError
from torch_twins import CASES, STEPS, Build, apart, optimizer_of, ours, theirs

PEERS = json.loads((Path(__file__).parent / "golden" / "peers.json").read_text())
ASKED = ("lambda_lr", "multiplicative_lr")  # a function has no length of its own


def stepped(build: Build, steps: int, rates: list[float] | None = None) -> Any:
    """A live scheduler that was stepped so often."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # updates are left out
        scheduler = build(optimizer_of(rates or [0.3, 0.3]))
        for _ in range(steps):
            scheduler.step()
    return scheduler


@pytest.mark.parametrize("steps", [0, 1, 7, 13])
@pytest.mark.parametrize("name", CASES)
def test_a_live_scheduler_is_read_from_its_very_start(name: str, steps: int) -> None:
    case = CASES[name]
    assert from_torch(stepped(case.build, steps), total_steps=STEPS if name in ASKED else None) == case.schedule


@pytest.mark.parametrize("name", CASES)
def test_what_was_read_drives_a_new_optimizer(name: str) -> None:
    case = CASES[name]
    scheduler = stepped(case.build, 5, [0.3])
    schedule = from_torch(scheduler, total_steps=STEPS if name in ASKED else None)
    anew = Scheduler(optimizer_of([0.3]), schedule, total_steps=None if "for 40" in str(schedule) else STEPS)
    wanted = theirs(case.build, [0.3], STEPS)
    for step in range(STEPS):
        assert anew.get_last_lr() == pytest.approx(list(wanted[step]), rel=1e-12, abs=1e-13)
        if step < STEPS - 1:
            anew.step()


def exponential_then_lambda(optimizer: torch.optim.Optimizer) -> Any:
    members = [lr_scheduler.ExponentialLR(optimizer, 0.9), lr_scheduler.LambdaLR(optimizer, lambda t: 0.5)]
    return lr_scheduler.ChainedScheduler(members)


def nested(optimizer: torch.optim.Optimizer) -> Any:
    inner = lr_scheduler.SequentialLR(
        optimizer, [lr_scheduler.ConstantLR(optimizer, 0.5, 3), lr_scheduler.ExponentialLR(optimizer, 0.9)], [2]
    )
    return lr_scheduler.SequentialLR(optimizer, [inner, lr_scheduler.StepLR(optimizer, 4)], [8])


def one_cycle_after_a_warm_up(optimizer: torch.optim.Optimizer) -> Any:
    members = [lr_scheduler.LinearLR(optimizer, 0.1, 1.0, 5), lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=30)]
    return lr_scheduler.SequentialLR(optimizer, members, [5])


@pytest.mark.parametrize(
    "build",
    [
        exponential_then_lambda,  # the later erases the earlier
        nested,  # one step off, pytorch#196243
        one_cycle_after_a_warm_up,  # the warm-up rises to OneCycleLR's first rate
        lambda o: lr_scheduler.MultiStepLR(o, [9, 4, 4], 0.5),
        lambda o: lr_scheduler.LinearLR(o, total_iters=0),
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.ExponentialLR(o, 0.5), lr_scheduler.MultiplicativeLR(o, lambda t: 0.9)], [3]
        ),
    ],
)
@pytest.mark.parametrize("steps", [0, 6])
def test_where_the_twin_is_not_what_torch_does_a_table_is(build: Build, steps: int) -> None:
    scheduler = stepped(build, steps, [0.2])
    with pytest.raises(ScheduleError, match="pass total_steps= to write down what torch does at every step"):
        from_torch(scheduler)
    schedule = from_torch(scheduler, total_steps=34)
    assert "table(" in str(schedule)
    assert apart(ours(schedule, [0.2], 34), theirs(build, [0.2], 34), [0.2]) <= 1e-12


@pytest.mark.parametrize(("strategy", "epochs"), [("cos", 12), ("linear", 7), ("cos", 0)])
def test_the_averaging_scheduler(strategy: Any, epochs: int) -> None:
    def build(optimizer: torch.optim.Optimizer) -> Any:
        return SWALR(optimizer, 0.05, anneal_epochs=epochs, anneal_strategy=strategy)

    schedule = from_torch(build(optimizer_of([0.3])))
    assert apart(ours(schedule, [0.3], 30), theirs(build, [0.3], 30), [0.3]) <= 1e-12


def test_a_plateau_keeps_its_settings() -> None:
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer_of([0.1]), "max", 0.5, patience=3, threshold=0.01, threshold_mode="abs", cooldown=2, min_lr=0.001
    )
    assert str(from_torch(scheduler)) == (
        "(hold) * plateau(x0.5, patience 3, threshold 0.01, cooldown 2, floor 0.01, least 1e-7, abs, max)"
    )


def test_the_controllers_of_other_libraries() -> None:
    """Stand-ins with the names and attributes that transformers 5.23 and timm 1.0 give theirs."""
    greedy = type("GreedyLR", (), {})()
    vars(greedy).update(factor=0.9, patience=3, threshold=1e-6, threshold_mode="abs", cooldown=0, warmup=2, mode="min")
    vars(greedy).update(min_lrs=[0.001], max_lrs=[1.0], _init_lrs=[0.1], smooth=True, window_size=5)
    greedy.reset_start_original = 500
    assert str(from_torch(greedy)) == "(hold) * greedy(x0.9, patience 3, warmup 2, window 5)"
    plateau = type("PlateauLRScheduler", (), {})()
    vars(plateau).update(warmup_t=0, warmup_lr_init=0.0, noise_range_t=None)
    plateau.lr_scheduler = lr_scheduler.ReduceLROnPlateau(optimizer_of([0.1]), patience=2, eps=0.0)
    assert str(from_torch(plateau)) == "(hold) * plateau(x0.1, patience 2)"
    plateau.warmup_t = 5
    with pytest.raises(ScheduleError, match=r"'\(linear 0..1 for 5ep \| hold\) \* plateau\(...\)'"):
        from_torch(plateau)


def test_a_rate_in_a_float32_tensor_is_allowed_its_rounding() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=torch.tensor(0.1))
    scheduler = stepped(lambda o: lr_scheduler.CosineAnnealingLR(o, 10), 7)
    scheduler.optimizer = optimizer
    optimizer.param_groups[0].update(lr=torch.tensor(scheduler.get_last_lr()[0]), initial_lr=0.3)
    assert str(from_torch(scheduler)) == "repeat (cosine 1..0 for 10 | cosine to 1 for 10)"


def test_milestones_that_went_through_json_are_never_reached_and_it_shows() -> None:
    scheduler = lr_scheduler.MultiStepLR(optimizer_of([0.1]), [3, 6])
    scheduler.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    with pytest.raises(ScheduleError, match="got '3'; torch would never reach it"):
        from_torch(scheduler)
    assert str(from_torch(scheduler, total_steps=4)) == "table(1 1 1 1 1) for 4"


def test_groups_may_differ_in_rate_but_not_in_shape() -> None:
    build = partial(lr_scheduler.CosineAnnealingLR, T_max=10, eta_min=0.01)
    schedule = from_torch(build(optimizer_of([0.3, 0.02])))
    assert apart(ours(schedule, [0.3, 0.02], 50), theirs(build, [0.3, 0.02], 50), [0.3, 0.02]) <= 1e-12
    scheduler = lr_scheduler.LambdaLR(optimizer_of([0.1, 0.1]), [lambda t: 1.0, lambda t: 0.5**t])
    with pytest.raises(ScheduleError, match="the parameter groups move apart"):
        from_torch(scheduler, total_steps=10)


@pytest.mark.parametrize(
    ("build", "bases"),
    [
        (lambda o: lr_scheduler.OneCycleLR(o, [0.3, 0.02], total_steps=40), [0.3, 0.02]),
        (lambda o: lr_scheduler.CyclicLR(o, [0.03, 0.002], [0.3, 0.02], 4, mode="exp_range", gamma=0.9), [0.3, 0.02]),
        (lambda o: lr_scheduler.CyclicLR(o, [0.03, 0.002], 0.5, 4, mode="triangular2"), [0.03, 0.002]),
    ],
)
def test_lists_of_rates_are_the_base(build: Build, bases: list[float]) -> None:
    schedule = from_torch(build(optimizer_of([0.1, 0.1])))
    assert "table(" not in str(schedule)
    assert apart(ours(schedule, bases, 40), theirs(build, [0.1, 0.1], 40), bases) <= 1e-12


def by_hand(scheduler: Any) -> None:
    scheduler.optimizer.param_groups[0]["lr"] *= 0.5


@pytest.mark.parametrize("name", ["cosine_annealing_lr", "step_lr", "sequential_lr"])
def test_a_rate_that_its_parameters_do_not_explain_is_refused(name: str) -> None:
    scheduler = stepped(CASES[name].build, 6)
    by_hand(scheduler)
    with pytest.raises(ScheduleError, match=r"is at the rate .* at step 6, where a \w+ with these parameters has"):
        from_torch(scheduler)


class Own(lr_scheduler.StepLR):
    """A user's class: its name says nothing about what it does."""


@pytest.mark.parametrize(
    ("scheduler", "message"),
    [
        (lambda: Own(optimizer_of([0.1]), 3), "Own is no scheduler that from_torch knows; it reads ConstantLR"),
        (lambda: Scheduler(optimizer_of([0.1]), "hold"), "Scheduler is no scheduler that from_torch knows"),
        (lambda: "cosine", "from_torch reads schedulers of torch, transformers and timm, got str"),
        (lambda: lr_scheduler.LambdaLR(optimizer_of([0.1]), lambda t: 1.0), "one value per step; pass total_steps="),
    ],
)
def test_what_cannot_be_read_is_one_sentence(scheduler: Callable[[], Any], message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        from_torch(scheduler())


def test_where_torch_itself_fails_it_says_so() -> None:
    with pytest.raises(ScheduleError, match="torch's own CosineAnnealingLR fails at step 1 of this run: ZeroDivision"):
        from_torch(lr_scheduler.CosineAnnealingLR(optimizer_of([0.1]), 0), total_steps=10)


# Other libraries


def transformers_function(peer: dict[str, Any]) -> Callable[[int], float]:
    """A stand-in with the name and the keywords of the function that gave the values."""

    def function(step: int, **keywords: Any) -> float:
        return float(peer["rates"][step] / PEERS["rate"])

    function.__name__ = peer["function"]
    return partial(function, **peer["keywords"]) if peer["keywords"] else function


TEXTS = {
    "constant": "hold",
    "constant_with_warmup": "linear 0..1 for 12 @left | hold 1",
    "linear": "linear 0..1 for 12 @left | linear 1..0 for 48",
    "cosine": "linear 0..1 for 12 @left | cosine 1..0 for 48",
    "polynomial": "linear 0..1 for 12 @left | poly(2) 1..0.01 for 48",
    "inverse_sqrt": "linear 0..1 for 12 @left | inverse-sqrt 1 over 40",
    "cosine_with_min_lr": "linear 0..1 for 12 @left | cosine 1..0.1 for 48",
}


@pytest.mark.parametrize("peer", PEERS["transformers"], ids=lambda peer: peer["name"])
def test_the_schedulers_of_transformers(peer: dict[str, Any]) -> None:
    optimizer = optimizer_of([PEERS["rate"]])
    scheduler = lr_scheduler.LambdaLR(optimizer, transformers_function(peer))
    schedule = from_torch(scheduler, total_steps=PEERS["total_steps"])
    text = TEXTS.get(peer["name"])
    if text is not None:
        assert schedule == parse(text)
    values = schedule.resolve(Horizon(PEERS["total_steps"]))(np.arange(PEERS["total_steps"] + 1)) * PEERS["rate"]
    np.testing.assert_allclose(values, peer["rates"], rtol=1e-12, atol=1e-13)


def test_a_function_of_transformers_that_does_something_else_stays_a_table() -> None:
    peer = {**next(peer for peer in PEERS["transformers"] if peer["name"] == "cosine")}
    peer["rates"] = [0.1] * 61
    scheduler = lr_scheduler.LambdaLR(optimizer_of([PEERS["rate"]]), transformers_function(peer))
    assert "table(" in str(from_torch(scheduler))


def timm_scheduler(peer: dict[str, Any]) -> Any:
    """A stand-in with the methods and attributes that every scheduler of timm has."""
    made = type(peer["name"], (), {})()
    vars(made).update(peer["attributes"], param_group_field="lr", optimizer=optimizer_of([PEERS["rate"]]))
    made._get_lr = types.MethodType(lambda self, t: [peer["rates"][t]], made)
    return made


@pytest.mark.parametrize("peer", PEERS["timm"], ids=lambda peer: f"{peer['name']} {peer['settings']}")
def test_the_schedulers_of_timm(peer: dict[str, Any]) -> None:
    total = PEERS["total_steps"]
    schedule = from_torch(timm_scheduler(peer), total_steps=total)
    in_epochs = peer["attributes"]["t_in_epochs"]
    updates = 3 if in_epochs else 1
    curve = schedule.resolve(Horizon(total * updates, steps_per_epoch=updates), base_lr=PEERS["rate"])
    values = curve(np.arange(total * updates)) * PEERS["rate"]
    np.testing.assert_allclose(values, np.repeat(peer["rates"][:total], updates), rtol=1e-12, atol=1e-13)
    is_text = peer["name"] == "CosineLRScheduler" and peer["attributes"]["cycle_limit"] == 1
    assert ("cosine" in str(schedule)) == is_text


def test_timm_with_noise_or_scaled_groups_is_refused() -> None:
    noisy = timm_scheduler(PEERS["timm"][0])
    noisy.noise_range_t = [10, 20]
    with pytest.raises(ScheduleError, match="adds noise to its rates"):
        from_torch(noisy, total_steps=60)
    scaled = timm_scheduler(PEERS["timm"][0])
    scaled.optimizer.param_groups[0]["lr_scale"] = 0.5
    with pytest.raises(ScheduleError, match="multiply each group's lr"):
        from_torch(scaled, total_steps=60)
    with pytest.raises(ScheduleError, match="pass total_steps=, in epochs"):
        from_torch(timm_scheduler(PEERS["timm"][0]))


def test_a_rate_that_is_back_at_its_base_goes_on_from_it() -> None:
    """torch's own recursion comes back to 0.1 but for its rounding; the new optimizer gets both rates as they are."""
    scheduler = stepped(lambda optimizer: lr_scheduler.LinearLR(optimizer, 0.1, total_iters=50), 60, [0.1])
    new = optimizer_of([0.1])
    new.load_state_dict(scheduler.optimizer.state_dict())
    group = new.param_groups[0]
    assert group["lr"] != group["initial_lr"]
    Scheduler(new, from_torch(scheduler, total_steps=100), total_steps=100)
    assert group["lr"] == group["initial_lr"] * 0.1


def test_rates_that_differ_in_their_last_digits_are_shown_with_them() -> None:
    optimizer = optimizer_of([0.1])
    optimizer.param_groups[0].update(lr=0.1, initial_lr=0.1 + 1e-8)
    with pytest.raises(OptimizerError, match=r"has lr 0\.1, .* initial_lr 0\.10000001; .* base_lr=0\.10000001$"):
        Scheduler(optimizer, "hold")
