"""Recipes of several waves or cycles, which may begin between two updates, against the formulas of their libraries."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stepwell.schedule import Horizon, schedule

PER_EPOCH = 3
halves = st.sampled_from([0.25, 0.5, 0.75, 1.0, 1.3, 2.0, 3.0, 7.5])


def agree(call: str, total: int, formula: Callable[[int], float]) -> None:
    """Step for step, as far as the formula goes."""
    curve = schedule(call).resolve(Horizon(total, PER_EPOCH))
    wanted = [formula(t) for t in range(total)]
    np.testing.assert_allclose(curve(range(total)), wanted, rtol=0, atol=1e-12, err_msg=call)


@given(warmup=st.integers(0, 20), rest=st.integers(1, 120), cycles=halves, floor=st.sampled_from([0.0, 0.1]))
def test_waves_of_transformers(warmup: int, rest: int, cycles: float, floor: float) -> None:
    def formula(t: int) -> float:
        if t < warmup:
            return t / warmup
        wave = 0.5 * (1 + math.cos(math.pi * cycles * 2 * (t - warmup) / rest))
        return wave * (1 - floor) + floor

    total = warmup + rest
    given_steps = f"num_warmup_steps={warmup}, num_training_steps={total}, num_cycles={cycles}"
    agree(f"transformers.cosine_with_min_lr({given_steps}, min_lr_rate={floor})", total, formula)
    if floor == 0:
        agree(f"transformers.cosine({given_steps})", total, formula)


@given(warmup=st.integers(0, 20), rest=st.integers(1, 120), cycles=st.integers(1, 9))
def test_hard_restarts_of_transformers(warmup: int, rest: int, cycles: int) -> None:
    def formula(t: int) -> float:
        if t < warmup:
            return t / warmup
        return 0.5 * (1 + math.cos(math.pi * ((cycles * (t - warmup)) % rest) / rest))

    total = warmup + rest
    call = f"num_warmup_steps={warmup}, num_training_steps={total}, num_cycles={cycles}"
    agree(f"transformers.cosine_with_restarts({call})", total, formula)


@given(warmup=st.integers(0, 9), stable=st.integers(0, 20), decay=st.integers(1, 40), by_stable=st.booleans())
def test_a_plateau_of_no_length(warmup: int, stable: int, decay: int, by_stable: bool) -> None:
    def formula(t: int) -> float:
        if t < warmup:
            return t / warmup
        return 0.5 * (1 + math.cos(math.pi * max(t - warmup - stable, 0) / decay))

    total = warmup + stable + decay
    length = f"num_stable_steps={stable}" if by_stable else f"num_training_steps={total}"
    call = f"num_warmup_steps={warmup}, num_decay_steps={decay}, {length}"
    agree(f"transformers.warmup_stable_decay({call})", total, formula)


@given(
    first=st.integers(5, 30),
    longer=st.sampled_from([1.0, 1.5, 2.0, 1.25, 0.8]),
    lower=st.sampled_from([1.0, 0.5]),
    limit=st.integers(1, 4),
    warmup=st.integers(0, 4),
    unit=st.sampled_from(["", "ep"]),
)
def test_cycles_of_timm(first: int, longer: float, lower: float, limit: int, warmup: int, unit: str) -> None:
    begins = [sum(first * longer**i for i in range(k)) for k in range(limit + 1)]

    def formula(t: int) -> float:
        t = t // PER_EPOCH if unit else t
        if t < warmup:
            return t / warmup
        if t >= begins[-1] - 1e-9:
            return 0.0
        cycle = max(k for k in range(limit) if begins[k] <= t + 1e-9)
        return 0.5 * lower**cycle * (1 + math.cos(math.pi * (t - begins[cycle]) / (first * longer**cycle)))

    total = math.ceil(begins[-1] + 3) * (PER_EPOCH if unit else 1)
    cycles = f"cycle_mul={longer}, cycle_decay={lower}, cycle_limit={limit}"
    agree(f"timm.cosine(t_initial={first}{unit}, {cycles}, warmup_t={warmup}{unit if warmup else ''})", total, formula)
