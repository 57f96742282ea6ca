"""Searches for a rate as they end: made by a formula, so that tests know every number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stepwell.find.rules import suggestions
from stepwell.record.suggestion import Fate, LrSuggestion, Probe, RangeTest, Verdict

BEST, EDGE, START = 0.1, 1.0, 2.3
RATES = tuple(10.0 ** (place / 2) for place in range(-10, 3))  # 1e-5 to 10


def score(lr: float, steps: int, seed: int) -> float:
    """A bowl over the logarithm of the rate that gets deeper with the number of updates."""
    depth = 2.2 * (1 - np.exp(-steps / 40))
    return float(START - depth * np.exp(-(np.log10(lr / BEST) ** 2)) + 0.01 * seed)


def probe(lr: float, steps: int, seed: int, stage: str) -> Probe:
    """One short run; from `EDGE` on it diverges, faster at higher rates."""
    noise = np.random.default_rng([seed, steps])
    if lr >= EDGE:
        losses = START * (1 + lr) ** np.arange(float(min(steps, 8)))
        losses[-1] = np.inf
        words = f"diverged: the training loss was inf at update {len(losses) - 1}"
        return Probe(lr, seed, stage, steps, losses, np.nan, fate=Fate.DIVERGED, words=words)
    end = score(lr, steps, seed)
    losses = np.linspace(START, end, steps) + 0.03 * noise.normal(size=steps)
    return Probe(lr, seed, stage, steps, losses, end, train=end, val=end + 0.05)


def sweep() -> RangeTest:
    """A range test that falls from 0.01 on and explodes after 1."""
    rates = np.geomspace(1e-7, 10.0, 100)
    losses = START - 1.6 / (1 + (0.03 / rates) ** 2) + np.where(rates > 1, (rates - 1) ** 3, 0.0)
    losses = losses + 0.02 * np.random.default_rng(3).normal(size=100)
    losses[-1] = np.nan
    return RangeTest(rates, losses, suggestions(rates, losses))


def found(*, val: bool = False, swept: bool = True) -> LrSuggestion:
    """A search that found a rate: a race on one seed, then three rates on two others."""
    race = [probe(lr, 10, 0, "race") for lr in RATES]
    race += [probe(lr, 40, 0, "race") for lr in RATES if 0.001 <= lr < 1]
    fine = [probe(lr, 80, seed, "refine") for seed in (1, 2) for lr in (10**-1.5, 0.1, 10**-0.5)]
    return LrSuggestion(
        lr=0.1,
        verdict=Verdict.FOUND,
        words="0.1 is the largest rate that stays within 0.02 of the best on every seed.",
        low=10**-1.5,
        high=0.1,
        edge=EDGE,
        spread=1.78,
        tolerance=0.02,
        probes=(*race, *fine),
        sweep=sweep() if swept else None,
        spent=588,
        budget=600,
        seeds="initialisation and data order",
        ratios=(1.0, 0.1),
        initial=START,
        task="digits-mlp",
        optimizer="momentum",
        schedule="cosine 1..0",
        metric="val" if val else "loss",
        code="optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)",
    )


def no_signal() -> LrSuggestion:
    """A search in which nothing learned: every run diverged, and no number was found."""
    lost = [
        Probe(lr, 0, "race", 10, np.array([np.nan]), np.nan, fate=Fate.DIVERGED, words="diverged: nan at update 0")
        for lr in RATES
    ]
    nothing = float("nan")
    return replace(
        found(swept=False),
        lr=nothing,
        verdict=Verdict.NO_SIGNAL,
        words="The loss is nan before the first update, so no rate can be found.",
        low=nothing,
        high=nothing,
        edge=nothing,
        spread=nothing,
        probes=tuple(lost),
        initial=nothing,
        code="",
    )


def by_range_test() -> LrSuggestion:
    """A classical range test alone."""
    return replace(found(), probes=(), low=float("nan"), high=float("nan"), edge=float("nan"), spread=float("nan"))


def evil() -> LrSuggestion:
    """Words that want to be markup, templates or formulas."""
    name = "<script>alert(1)</script> $x^2$ %{y} [bold]z"
    usual = found()
    lost = replace(usual.probes[-1], fate=Fate.FAILED, words=name, losses=np.zeros(0), score=float("nan"))
    return replace(
        usual, words=name, task=name, optimizer=name, schedule=name, seeds=name, code=f"print('{name}')\n</pre>",
        probes=(*usual.probes, lost),
    )  # fmt: skip
