"""The house's own recipes: the usual strategies, in shares of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.recipes.parts import Span, length, lengths, number, share, whole
from stepwell.schedule.recipes.recipe import Recipe

MOST_CYCLES = 1000


def constant(warmup: Span = 0) -> str:
    """The same rate throughout."""
    return f"{_rise(warmup)}hold"


def step(factor: float = 0.1, at: Sequence[Span] = ("50%", "75%")) -> str:
    """A tenth at half and at three quarters of the run."""
    places = " ".join(map(str, lengths("at", at)))
    return f"steps x{written(number('factor', factor, above=True))} at {places}"


def exponential(end: float = 0.01, warmup: Span = 0) -> str:
    """The same ratio at every step, down to a hundredth."""
    return f"{_rise(warmup)}exponential 1..{written(number('end', end, above=True))}"


def step_then_exponential(factor: float = 0.5, every: Span = "12.5%", stairs: Span = "50%", end: float = 0.01) -> str:
    """Halve four times, then fall smoothly from where the stairs ended.

    torch's SequentialLR of StepLR and ExponentialLR jumps back to the peak between the two.
    """
    stair = f"steps x{written(number('factor', factor, above=True))} every {length('every', every)}"
    return f"{stair} for {length('stairs', stairs)} | exponential to {written(number('end', end, above=True))}"


def cosine(end: float = 0.0, warmup: Span = 0) -> str:
    """Half a cosine from the peak to 0."""
    return f"{_rise(warmup)}cosine 1..{share('end', end)}"


def linear_to_zero(warmup: Span = 0) -> str:
    """A straight line to 0."""
    return f"{_rise(warmup)}linear 1..0"


def warm_restarts(cycles: int = 3, longer: float = 2.0, lower: float = 1.0) -> str:
    """Three cosines, each twice as long as the one before."""
    words = ("longer", longer), ("lower", lower)
    suffix = "".join(f" {word} x{written(number(word, value, above=True))}" for word, value in words if value != 1)
    return f"repeat {whole('cycles', cycles, most=MOST_CYCLES)} (cosine 1..0){suffix}"


def triangular(cycles: int = 2, low: float = 0.1) -> str:
    """Two triangles between a tenth and the peak."""
    count, bottom = whole("cycles", cycles, most=MOST_CYCLES), share("low", low)
    return f"repeat {count} (linear {bottom}..1 for {Length(50 / count, Unit.RUN)} | linear to {bottom})"


def one_cycle(rise: Span = "30%", start: float = 0.04, end: float = 4e-6) -> str:
    """Up to the peak and far below the start; momentum the other way."""
    up = length("rise", rise)
    rates = f"cosine {share('start', start)}..1 for {up} | cosine to {share('end', end)}"
    return f"lr: {rates}; momentum: cosine =0.95..=0.85 for {up} | cosine to =0.95"


def warmup_stable_decay(warmup: Span = "5%", cooldown: Span = "20%", end: float = 0.0) -> str:
    """Warm up, stay, cool down at the end."""
    fall = f"1-sqrt to {share('end', end)} for {length('cooldown', cooldown)}"
    return f"{_rise(warmup)}hold | {fall}"


def plateau(factor: float = 0.5, patience: int = 2, mode: Literal["min", "max"] = "min") -> str:
    """Halve when the metric has not improved for three checks."""
    kind = "" if mode == "min" else f", {mode}"
    cut = written(number("factor", factor, above=True))
    return f"(hold) * plateau(x{cut}, patience {whole('patience', patience, least=0)}{kind})"


def _rise(warmup: Span) -> str:
    span = length("warmup", warmup, zero=True)
    return f"linear 0..1 for {span} | " if span.value else ""


RECIPES = (
    Recipe("constant", constant, "the baseline of every comparison"),
    Recipe("step", step, "He et al. 2016, arXiv:1512.03385, section 4.2 (CIFAR-10)"),
    Recipe("exponential", exponential, "Bottou 2012, section 5.3"),
    Recipe(
        "step-then-exponential",
        step_then_exponential,
        "StepLR followed by ExponentialLR, without the jump of SequentialLR",
    ),
    Recipe("cosine", cosine, "Loshchilov and Hutter 2017, arXiv:1608.03983"),
    Recipe("linear-to-zero", linear_to_zero, "Defazio et al. 2023, arXiv:2310.07831"),
    Recipe("warm-restarts", warm_restarts, "SGDR, Loshchilov and Hutter 2017, arXiv:1608.03983"),
    Recipe("triangular", triangular, "cyclical learning rates, Smith 2017, arXiv:1506.01186"),
    Recipe(
        "one-cycle", one_cycle, "Smith and Topin 2018, arXiv:1708.07120, in the form of fastai and torch's OneCycleLR"
    ),
    Recipe(
        "warmup-stable-decay",
        warmup_stable_decay,
        "WSD: Hu et al. 2024, arXiv:2404.06395; cooldown of Hagele et al. 2024, arXiv:2405.18392",
    ),
    Recipe("plateau", plateau, "torch's ReduceLROnPlateau"),
)
