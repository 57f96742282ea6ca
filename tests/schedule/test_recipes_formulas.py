"""Recipes against the formulas in their libraries' sources, written down once more, and against torch itself."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler, swa_utils

from stepwell.schedule import RECIPES, Horizon, schedule

TOTAL, BASE, PER_EPOCH = 120, 0.3, 4
SAME = 1e-12
Formula = Callable[[int], float]


def torchtitan(warmup: int, total: int, ratio: float | None, kind: str, low: float) -> Formula:
    decay = total - warmup if ratio is None else round(total * ratio)
    begin = total + 1 - decay  # after a virtual last step

    def factor(t: int) -> float:
        if t < warmup:
            return (t + 1) / warmup
        if t < begin:
            return 1.0
        u = (t + 1 - begin) / decay
        shapes = {"linear": 1 - u, "sqrt": 1 - math.sqrt(u), "cosine": (1 + math.cos(math.pi * u)) / 2}
        return low + (1 - low) * shapes[kind]

    return factor


def megatron(
    style: str, warmup: int, decay: int, low: float, first: float, cool: int = 0, cooling: str = ""
) -> Formula:
    """In rates, with a peak of BASE."""

    def rate(t: int) -> float:
        if warmup > 0 and t <= warmup:
            return first + (BASE - first) * t / warmup
        if style == "constant":
            return BASE
        if style == "inverse_square_root":
            return max(low, BASE * math.sqrt(max(warmup, 1) / max(t, 1)))
        if t > decay:
            return low
        u = (t - warmup) / (decay - warmup)
        if style == "wsd":
            u = max(t - (decay - cool), 0) / cool
        shapes = {
            "linear": 1 - u,
            "cosine": (math.cos(math.pi * u) + 1) / 2,
            "exponential": 2.0 * math.pow(0.5, u) - 1,
            "minus_sqrt": 1 - math.sqrt(u),
        }
        return low + (BASE - low) * shapes[cooling or style]

    return lambda t: rate(t) / BASE


def deepspeed(name: str, n: int, total: int, way: str, low: float, end: float = 0.0) -> Formula:
    """Update t reads index t - 1, the first one the minimum."""

    def ratio(index: int) -> float:
        if index < n:
            up = math.log(index + 1) / math.log(n) if way == "log" else index / n
            return low + (1 - low) * up
        if name == "warmup_decay_lr":
            return max(0.0, (total - index) / (total - n))
        if name == "warmup_cosine_lr":
            u = min(1.0, (index - n + 1) / (total - n))
            return end + (1 - end) * (1 + math.cos(math.pi * u)) / 2
        return 1.0

    return lambda t: low if t == 0 else ratio(t - 1)


def triangle(up: int, down: int, low: float, rate: float, every: int) -> Formula:
    def factor(t: int) -> float:
        if t <= up:
            return low + (1 - low) * t / up
        if t <= up + down:
            return 1 - (1 - low) * (t - up) / down
        return low / (1 + rate * (t - up - down) / every)

    return factor


def nanochat(warmup: int, ratio: float, final: float) -> Formula:
    down = round(ratio * TOTAL)

    def factor(t: int) -> float:
        if t < warmup:
            return (t + 1) / warmup
        if t <= TOTAL - down:
            return 1.0
        left = (TOTAL - t) / down
        return left + (1 - left) * final

    return factor


def warmed(warmup: int, peak: float, then: Formula) -> Formula:
    return lambda t: peak * t / warmup if t < warmup else then(t)


def share(begin: int, end: int) -> Formula:
    return lambda t: min(1.0, (t - begin) / (end - begin))


def composer_restarts(first: int, mult: float, low: float) -> Formula:
    def factor(t: int) -> float:
        length = end = first
        while end <= t:
            length = int(mult * length)
            end += length
        return low + (1 - low) * half((t - end + length) / length)

    return factor


def half(u: float) -> float:
    return (1 + math.cos(math.pi * u)) / 2


CASES: list[tuple[str, Formula]] = [
    ("torchtitan.linear_warmup_stable_decay(warmup_steps=12)", torchtitan(12, TOTAL, None, "linear", 0)),
    (
        "torchtitan.linear_warmup_stable_decay(warmup_steps=0, decay_type=cosine)",
        torchtitan(0, TOTAL, None, "cosine", 0),
    ),
    (
        "torchtitan.linear_warmup_stable_decay(warmup_steps=12, decay_ratio=0.3, decay_type=sqrt, min_lr_factor=0.1)",
        torchtitan(12, TOTAL, 0.3, "sqrt", 0.1),
    ),
    (
        "torchtitan.linear_warmup_stable_decay(warmup_steps=12, total_steps=130, decay_ratio=0.35, decay_type=cosine)",
        torchtitan(12, 130, 0.35, "cosine", 0),
    ),
    ("megatron.constant(lr_warmup_steps=12, init_lr=0.03)", megatron("constant", 12, TOTAL, 0, 0.03)),
    ("megatron.linear(lr_warmup_steps=12, lr_decay_steps=90, min_lr=0.03)", megatron("linear", 12, 90, 0.03, 0)),
    ("megatron.cosine(lr_warmup_steps=12, min_lr=0.03, init_lr=0.01)", megatron("cosine", 12, TOTAL, 0.03, 0.01)),
    (
        "megatron.inverse_square_root(lr_warmup_steps=12, min_lr=0.12)",
        megatron("inverse_square_root", 12, TOTAL, 0.12, 0),
    ),
    ("megatron.inverse_square_root(lr_warmup_steps=0)", megatron("inverse_square_root", 0, TOTAL, 0, 0)),
    *(
        (
            f"megatron.wsd(lr_warmup_steps=12, {total}wsd_decay_steps=30, lr_wsd_decay_style={cooling}, min_lr={low})",
            megatron("wsd", 12, 110 if total else TOTAL, low, 0, 30, cooling),
        )
        for cooling in ("exponential", "linear", "cosine", "minus_sqrt")
        for low in (0, 0.03)
        for total in ("", "lr_decay_steps=110, ")
    ),
    *(  # no plateau between the warm-up and the cooldown
        (
            f"megatron.wsd(lr_warmup_steps={n}, lr_decay_steps={n + 30}, wsd_decay_steps=30, "
            f"lr_wsd_decay_style={cooling}, min_lr={low})",
            megatron("wsd", n, n + 30, low, 0, 30, cooling),
        )
        for cooling in ("exponential", "linear")
        for low in (0, 0.03)
        for n in (0, 12)
    ),
    (
        f"torchtitan.linear_warmup_stable_decay(warmup_steps=60, total_steps={TOTAL}, decay_ratio=0.5)",
        torchtitan(60, TOTAL, 0.5, "linear", 0),
    ),
    *(
        (f"deepspeed.warmup_lr(warmup_num_steps={n}, warmup_type={way})", deepspeed("warmup_lr", n, TOTAL, way, 0))
        for way in ("log", "linear")
        for n in (2, 20)
    ),
    *(
        (
            f"deepspeed.warmup_decay_lr(total_num_steps={TOTAL}, warmup_num_steps=20, warmup_type={way})",
            deepspeed("warmup_decay_lr", 20, TOTAL, way, 0),
        )
        for way in ("log", "linear")
    ),
    *(
        (
            f"deepspeed.warmup_cosine_lr(total_num_steps=110, warmup=20, warmup_type={way}, cos_min_ratio=0.01)",
            deepspeed("warmup_cosine_lr", 20, 110, way, 0, 0.01),
        )
        for way in ("log", "linear")
    ),
    (
        "deepspeed.one_cycle(cycle_first_step_size=30, cycle_second_step_size=40, "
        "decay_step_size=10, decay_lr_rate=0.5)",
        triangle(30, 40, 0.1, 0.5, 10),
    ),
    ("deepspeed.lr_range_test(lr_range_test_step_size=10, lr_range_test_step_rate=0.5)", lambda t: 1 + 0.5 * t / 10),
    ("deepspeed.lr_range_test(lr_range_test_step_size=10, lr_range_test_staircase=true)", lambda t: 1 + t // 10),
    ("composer.step(step_size=25, gamma=0.5)", lambda t: 0.5 ** (t // 25)),
    ("composer.step(step_size=5ep, gamma=0.5)", lambda t: 0.5 ** (t // 20)),
    ("composer.multi_step(milestones=30 60, gamma=0.2)", lambda t: 0.2 ** ((t >= 30) + (t >= 60))),
    ("composer.constant(alpha=0.5, t_max=40)", lambda t: 0.5 if t < 40 else 1.0),
    ("composer.linear(alpha_i=0, alpha_f=0.8, t_max=90)", lambda t: 0.8 * share(0, 90)(t)),
    ("composer.exponential(gamma=0.9, decay_period=1ep)", lambda t: 0.9 ** (t / PER_EPOCH)),
    ("composer.cosine_annealing(t_max=100%, alpha_f=0.1)", lambda t: 0.1 + 0.9 * half(t / TOTAL)),
    ("composer.cosine_annealing_warm_restarts(t_0=20, t_mult=2, alpha_f=0.1)", composer_restarts(20, 2, 0.1)),
    ("composer.polynomial(power=3, t_max=100, alpha_f=0.1)", lambda t: 0.1 + 0.9 * (1 - share(0, 100)(t)) ** 3),
    (
        "composer.multi_step_with_warmup(t_warmup=12, milestones=30 60)",
        warmed(12, 1, lambda t: 0.1 ** ((t >= 30) + (t >= 60))),
    ),
    ("composer.constant_with_warmup(t_warmup=12, alpha=0.5)", warmed(12, 0.5, lambda t: 0.5)),
    (
        "composer.linear_with_warmup(t_warmup=12, alpha_i=0.9, alpha_f=0.2, t_max=110)",
        warmed(12, 0.9, lambda t: 0.9 - 0.7 * share(12, 110)(t)),
    ),
    (
        "composer.cosine_annealing_with_warmup(t_warmup=3ep, alpha_f=0.1)",
        warmed(12, 1, lambda t: 0.1 + 0.9 * half(share(12, TOTAL)(t))),
    ),
    ("composer.polynomial_with_warmup(t_warmup=12)", warmed(12, 1, lambda t: (1 - share(12, TOTAL)(t)) ** 2)),
    ("nanochat.base_train(warmup_steps=12)", nanochat(12, 0.65, 0.05)),
    ("nanochat.base_train(warmup_steps=0, warmdown_ratio=0.5, final_lr_frac=0.1)", nanochat(0, 0.5, 0.1)),
    ("nanochat.chat_sft()", lambda t: 1.0 if t <= TOTAL / 2 else 1 - (t / TOTAL - 0.5) / 0.5),
    ("nanochat.chat_rl()", lambda t: 1 - t / TOTAL),
]


@pytest.mark.parametrize(("call", "formula"), CASES, ids=[call for call, _ in CASES])
def test_a_recipe_is_the_formula_of_its_library(call: str, formula: Formula) -> None:
    curve = schedule(call).resolve(Horizon(TOTAL, PER_EPOCH), base_lr=BASE, momentum=0.9)
    wanted = [formula(t) for t in range(TOTAL)]
    np.testing.assert_allclose(curve(range(TOTAL)), wanted, rtol=SAME, atol=SAME)
    assert curve(17) == pytest.approx(wanted[17], rel=SAME, abs=SAME)


def test_muon_has_its_own_momentum_and_weight_decay() -> None:
    curve = schedule("nanochat.base_train(muon=true)").resolve(Horizon(2000), momentum=1.0, weight_decay=0.2)
    down = 1300
    for t in (0, 100, 399, 400, 650, 700, 701, 1500, 1999):
        rise, fall = min(t / 400, 1), max(t - (2000 - down), 0) / down
        momentum = 0.97 * (1 - fall) + 0.9 * fall if fall else 0.85 * (1 - rise) + 0.97 * rise
        assert curve(t, "momentum") == pytest.approx(momentum, rel=SAME)
        assert curve(t, "weight_decay") == pytest.approx(half(t / 2000), rel=SAME)


def stepped(make: Callable[[Any], Any], calls_per: int = 1) -> tuple[list[float], list[float]]:
    """The rates and momenta that a scheduler of torch gives, stepped once every so many updates."""
    one = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE, momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there are no updates, which torch warns of
        scheduler = make(one)
        rates, momenta = [], []
        for t in range(TOTAL):
            rates.append(one.param_groups[0]["lr"])
            momenta.append(one.param_groups[0]["momentum"])
            if (t + 1) % calls_per == 0 and t + 1 < TOTAL:
                scheduler.step()
    return rates, momenta


TORCH: list[tuple[str, Callable[[Any], Any], int]] = [
    ("torch.step_lr(step_size=25)", lambda o: lr_scheduler.StepLR(o, 25), 1),
    ("torch.step_lr(step_size=7ep, gamma=0.5)", lambda o: lr_scheduler.StepLR(o, 7, 0.5), PER_EPOCH),
    ("torch.multi_step_lr(milestones=10ep 20ep)", lambda o: lr_scheduler.MultiStepLR(o, [10, 20]), PER_EPOCH),
    ("torch.exponential_lr(gamma=0.97, per=1)", lambda o: lr_scheduler.ExponentialLR(o, 0.97), 1),
    ("torch.constant_lr(total_iters=40)", lambda o: lr_scheduler.ConstantLR(o, total_iters=40), 1),
    ("torch.linear_lr(total_iters=40)", lambda o: lr_scheduler.LinearLR(o, total_iters=40), 1),
    ("torch.polynomial_lr(total_iters=90, power=2)", lambda o: lr_scheduler.PolynomialLR(o, 90, 2), 1),
    ("torch.cosine_annealing_lr(eta_min=0.01)", lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, 0.01), 1),
    (
        "torch.cosine_annealing_warm_restarts(T_0=20, T_mult=2, eta_min=0.01)",
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 20, 2, 0.01),
        1,
    ),
    (
        "torch.cyclic_lr(base_lr=0.01, max_lr=0.1, step_size_up=15)",
        lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 15),
        1,
    ),
    (
        "torch.cyclic_lr(base_lr=0.01, max_lr=0.1, step_size_up=15, step_size_down=10, mode=triangular2)",
        lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 15, 10, "triangular2"),
        1,
    ),
    (
        "torch.cyclic_lr(base_lr=0.01, max_lr=0.1, step_size_up=15, mode=exp_range, gamma=0.99)",
        lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 15, mode="exp_range", gamma=0.99),
        1,
    ),
    ("torch.one_cycle_lr(max_lr=0.5, total_steps=120)", lambda o: lr_scheduler.OneCycleLR(o, 0.5, TOTAL), 1),
    ("torch.one_cycle_lr(total_steps=120)", lambda o: lr_scheduler.OneCycleLR(o, BASE, TOTAL), 1),
    (
        "torch.one_cycle_lr(total_steps=120, three_phase=true, anneal_strategy=linear)",
        lambda o: lr_scheduler.OneCycleLR(o, BASE, TOTAL, three_phase=True, anneal_strategy="linear"),
        1,
    ),
    ("torch.swalr(swa_lr=0.05, anneal_epochs=10ep)", lambda o: swa_utils.SWALR(o, 0.05, 10), PER_EPOCH),
]


@pytest.mark.parametrize(("call", "make", "calls_per"), TORCH, ids=[call for call, _, _ in TORCH])
def test_a_recipe_gives_the_rates_of_torch(call: str, make: Callable[[Any], Any], calls_per: int) -> None:
    rates, momenta = stepped(make, calls_per)
    curve = schedule(call).resolve(Horizon(TOTAL, PER_EPOCH), base_lr=BASE, momentum=0.9)
    np.testing.assert_allclose(curve(range(TOTAL)) * BASE, rates, rtol=SAME, atol=SAME * BASE)
    if "momentum" in curve.entries:
        np.testing.assert_allclose(curve(range(TOTAL), "momentum") * 0.9, momenta, rtol=SAME)


@pytest.mark.parametrize("total", [40, 200, 5000])
def test_one_cycle_in_shares_of_the_run_is_near(total: int) -> None:
    shares = schedule("torch.one_cycle_lr(cycle_momentum=false)").resolve(Horizon(total))
    exact = schedule(f"torch.one_cycle_lr(total_steps={total}, cycle_momentum=false)").resolve(Horizon(total))
    assert shares.difference(exact).difference < 6 / total


def test_every_recipe_without_feedback_of_these_libraries_is_compared() -> None:
    calls = [call for call, _ in CASES] + [call for call, _, _ in TORCH]
    compared = {call.split("(")[0] for call in calls}
    libraries = {name.split(".")[0] for name in compared}
    own = {name for name in RECIPES if name.split(".")[0] in libraries}
    assert own - compared == {"torch.reduce_lr_on_plateau"}
