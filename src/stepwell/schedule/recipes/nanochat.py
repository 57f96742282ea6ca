"""nanochat: the schedules of its three training scripts."""

from __future__ import annotations

from stepwell.schedule.length import Length
from stepwell.schedule.recipes.parts import Span, length, percent, phase, share, warmup
from stepwell.schedule.recipes.recipe import Recipe


def base_train(
    warmup_steps: Span = "5%", warmdown_ratio: float = 0.65, final_lr_frac: float = 0.05, muon: bool = False
) -> str:
    """A warm-up that wastes no update, a plateau, and a straight line to a share of the rate.

    nanochat's own `warmup_steps` is 40. `muon=true` adds what its Muon groups do: momentum from 0.85 to 0.97 within 400
    updates and to 0.9 in the warm-down, weight decay in half a cosine to 0.
    """
    fall = percent("warmdown_ratio", warmdown_ratio)
    begin = warmup(length("warmup_steps", warmup_steps, zero=True), right=True)
    if fall.value == 100:
        rates = phase("linear", "1", share("final_lr_frac", final_lr_frac))
    else:
        rates = f"hold 1 | linear to {share('final_lr_frac', final_lr_frac)} for {fall}"
    text = f"{begin}{rates}"
    if not muon:
        return text
    rise = phase("linear", "=0.85", "=0.97", over=Length(400.0))
    return f"lr: {text}; momentum: {rise} | linear =0.97..=0.9 for {fall}; weight_decay: cosine 1..0"


def chat_sft(warmup_ratio: float = 0.0, warmdown_ratio: float = 0.5, final_lr_frac: float = 0.0) -> str:
    """A warm-up in a share of the run, a plateau, and a straight line to a share of the rate.

    nanochat measures progress by the data that was read; here it is updates. Its warm-up begins 1e-8 / warmup_ratio
    above 0.
    """
    begin = warmup(percent("warmup_ratio", warmup_ratio)) if warmup_ratio else ""
    end, fall = share("final_lr_frac", final_lr_frac), percent("warmdown_ratio", warmdown_ratio)
    return f"{begin}linear 1..{end}" if fall.value == 100 else f"{begin}hold 1 | linear to {end} for {fall}"


def chat_rl() -> str:
    """A straight line to 0."""
    return "linear 1..0"


RECIPES = (
    Recipe("nanochat.base_train", base_train, "get_lr_multiplier, scripts/base_train.py"),
    Recipe("nanochat.chat_sft", chat_sft, "get_lr_multiplier, scripts/chat_sft.py"),
    Recipe("nanochat.chat_rl", chat_rl, "get_lr_multiplier, scripts/chat_rl.py"),
)
