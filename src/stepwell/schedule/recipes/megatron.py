"""Megatron-LM: `--lr-decay-style`. Megatron counts samples; here lengths are updates, or `tok`.

`max_lr` is the base rate. `init_lr` and `min_lr` are rates. Past `lr_decay_steps` the rate is `min_lr`, and `constant`
stays. The warm-up counts into `lr_decay_steps`. The ramp of the weight decay is an entry of its own:
`lr: ...; weight_decay: linear =0.01..=0.1`.
"""

from __future__ import annotations

from typing import Literal

from stepwell.schedule.recipes.parts import Span, after, length, less, phase, plateau, rate, warmup
from stepwell.schedule.recipes.recipe import Recipe


def constant(lr_warmup_steps: Span = "5%", init_lr: float | None = None) -> str:
    """A linear warm-up, then the same rate."""
    return f"{_rise(lr_warmup_steps, init_lr)}hold 1"


def linear(
    lr_warmup_steps: Span = "5%",
    lr_decay_steps: Span | None = None,
    min_lr: float | None = None,
    init_lr: float | None = None,
) -> str:
    """A linear warm-up, then a straight line to `min_lr`."""
    return _rise(lr_warmup_steps, init_lr) + _fall("linear", lr_warmup_steps, lr_decay_steps, min_lr)


def cosine(
    lr_warmup_steps: Span = "5%",
    lr_decay_steps: Span | None = None,
    min_lr: float | None = None,
    init_lr: float | None = None,
) -> str:
    """A linear warm-up, then half a cosine to `min_lr`."""
    return _rise(lr_warmup_steps, init_lr) + _fall("cosine", lr_warmup_steps, lr_decay_steps, min_lr)


def inverse_square_root(lr_warmup_steps: Span = "5%", min_lr: float | None = None, init_lr: float | None = None) -> str:
    """A linear warm-up, then one over the root of the step, not below `min_lr`.

    Megatron jumps to `min_lr` after its `lr_decay_steps`; here the curve goes on.
    """
    rise = length("lr_warmup_steps", lr_warmup_steps, zero=True)
    if not rise.value:  # Megatron counts the first two steps as one
        fall, begin = "inverse-sqrt 1 over 1", "hold 1 for 1 | "
    else:
        fall, begin = f"inverse-sqrt 1 over {rise}", _rise(rise, init_lr)
    return f"{begin}{fall}" if min_lr is None or min_lr == 0 else f"{begin}(max({fall}, {rate('min_lr', min_lr)}))"


def wsd(
    lr_warmup_steps: Span = "5%",
    lr_decay_steps: Span | None = None,
    wsd_decay_steps: Span = "20%",
    lr_wsd_decay_style: Literal["exponential", "linear", "cosine", "minus_sqrt"] = "exponential",
    min_lr: float | None = None,
    init_lr: float | None = None,
) -> str:
    """Warm up, stay, cool down at the end (WSD); `exponential` is a half-life that ends at 0."""
    rise, cool = length("lr_warmup_steps", lr_warmup_steps, zero=True), length("wsd_decay_steps", wsd_decay_steps)
    low = rate("min_lr", min_lr)
    rest = after("lr_decay_steps", lr_decay_steps, "lr_warmup_steps", rise)
    stable = None if rest is None else less("lr_decay_steps", rest, "wsd_decay_steps", cool, nothing=True)
    begin = _rise(rise, init_lr) + plateau(stable)
    if lr_wsd_decay_style == "exponential":
        half = f"(exponential 2..1 over {cool})"  # twice a half-life, 2 * 0.5 ** share
        fall = f"{half} - 1"
        if low != "0":  # the same times 1 - min_lr, plus min_lr
            fall = f"{half} + {rate('min_lr', 2 * (min_lr or 0.0))} - 1 - {low} * {half}"
        return f"{begin}({fall}) for {cool}" if stable is None else f"{begin}({fall})"
    shape = {"linear": "linear", "cosine": "cosine", "minus_sqrt": "1-sqrt"}[lr_wsd_decay_style]
    return begin + phase(shape, "1", low, over=None if stable is None else cool, span=cool if stable is None else None)


def _rise(lr_warmup_steps: Span, init_lr: float | None) -> str:
    return warmup(length("lr_warmup_steps", lr_warmup_steps, zero=True), rate("init_lr", init_lr))


def _fall(shape: str, lr_warmup_steps: Span, lr_decay_steps: Span | None, min_lr: float | None) -> str:
    rise = length("lr_warmup_steps", lr_warmup_steps, zero=True)
    rest = after("lr_decay_steps", lr_decay_steps, "lr_warmup_steps", rise)
    return phase(shape, "1", rate("min_lr", min_lr), over=rest)


FILE = "OptimizerParamScheduler, megatron/core/optimizer_param_scheduler.py"
RECIPES = (
    Recipe("megatron.constant", constant, FILE),
    Recipe("megatron.linear", linear, FILE),
    Recipe("megatron.cosine", cosine, FILE),
    Recipe("megatron.inverse_square_root", inverse_square_root, FILE),
    Recipe("megatron.wsd", wsd, f"{FILE}; Hu et al. 2024, arXiv:2404.06395"),
)
