"""One comparison as it really looks: 11 ranked strategies, two illustrations, 8 seeds; seeded numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from stepwell.record.comparison import (
    Comparison,
    Interval,
    RateResponse,
    Recommendation,
    StrategyResult,
)
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.trial import Strategy
from stepwell.schedule.length import Horizon

Array = NDArray[np.float64]
STEPS, PER_EPOCH, SEEDS = 620, 31, tuple(range(100, 108))
UNTRAINED = 2.303
RATES = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0])

# name, schedule text, factor over u in [0, 1), best rate, final test loss, regret at twice the rate
CAST: list[tuple[str, str, Callable[[Array], Array], float, float, float]] = [
    ("cosine", "cosine 1..0", lambda u: 0.5 * (1 + np.cos(np.pi * u)), 0.3, 0.402, 0.01),
    ("linear-to-zero", "linear 1..0", lambda u: 1 - u, 0.3, 0.404, 0.02),
    ("warmup-stable-decay", "linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%",
     lambda u: np.where(u < 0.05, u / 0.05, np.where(u < 0.8, 1.0, 1 - np.sqrt(np.clip((u - 0.8) / 0.2, 0, 1)))),
     0.1, 0.407, 0.04),
    ("one-cycle", "lr: cosine 0.04..1 for 30% | cosine to 4e-6; momentum: cosine =0.95..=0.85",
     lambda u: np.where(u < 0.3, 0.52 - 0.48 * np.cos(np.pi * u / 0.3), 0.5 * (1 + np.cos(np.pi * (u - 0.3) / 0.7))),
     0.3, 0.409, 0.03),
    ("step-then-exponential", "steps x0.5 every 5ep for 10ep | decay x0.8 per 1ep by 1ep",
     lambda u: np.where(u < 0.5, 0.5 ** np.floor(u * 4), 0.5 * 0.8 ** np.floor((u - 0.5) * 20)), 0.3, 0.415, 0.06),
    ("exponential", "decay x0.85 per 1ep", lambda u: 0.85 ** (20 * u), 0.3, 0.428, 0.08),
    ("step", "steps x0.1 at 50% 75%", lambda u: np.where(u < 0.5, 1, np.where(u < 0.75, 0.1, 0.01)), 0.1, 0.431, 0.07),
    ("triangular", "repeat (linear 0.1..1 for 5ep | linear to 0.1 for 5ep)",
     lambda u: 0.1 + 0.9 * (1 - np.abs((u * 2) % 1 * 2 - 1)), 0.1, 0.436, 0.21),
    ("warm-restarts", "repeat (cosine 1..0 for 5ep) longer x2",
     lambda u: 0.5 * (1 + np.cos(np.pi * np.where(u < 1 / 3, u * 3, np.minimum((u - 1 / 3) * 1.5, 1)))),
     0.1, 0.440, 0.1),
    ("plateau", "hold * plateau(x0.5, patience 3)", lambda u: 0.5 ** np.floor(u * 3.4), 0.1, 0.452, 0.4),
    ("constant", "hold", lambda u: np.ones_like(u), 0.03, 0.497, 0.95),
]  # fmt: skip


def make_run(
    name: str,
    text: str,
    factor: Callable[[Array], Array],
    base_lr: float,
    final: float,
    seed: int,
    ending: Ending = Ending.FINISHED,
) -> Run:
    rng = np.random.default_rng([seed, sum(name.encode())])
    num = STEPS if ending is not Ending.DIVERGED else 60 + 5 * (seed % 7)
    step = np.arange(num, dtype=np.float64)
    u = step / STEPS
    shape = factor(u)
    if name == "plateau":
        shape = 0.5 ** np.floor(np.clip(u * 3.4 + rng.uniform(-0.1, 0.1), 0, None))
    pace = 9.0 * min(1.0, base_lr / 0.03)
    mean = final - 0.06 + (UNTRAINED - final) * np.exp(-pace * u) + 0.12 * np.sqrt(shape * base_lr)
    loss = mean + rng.normal(0, 0.09, num) * np.sqrt(mean)
    val = mean + 0.03 + rng.normal(0, 0.01)
    if ending is Ending.DIVERGED:
        loss = UNTRAINED * np.exp(np.linspace(0, 14, num) ** 1.5)
        loss[-1], val = np.nan, loss
        words = f"diverged at step {num}: the training loss went from 2.31 to 4.2e21"
    elif ending is Ending.NOT_LEARNING:
        loss = UNTRAINED + rng.normal(0, 0.05, num)
        val, words = np.full(num, UNTRAINED), "did not learn: the validation loss ended at 2.30, untrained it was 2.30"
    else:
        words = f"learned: the validation loss fell from 2.30 to {val[-1]:.3f} in {num} steps"
    at = np.arange(PER_EPOCH - 1, num, PER_EPOCH)
    test = UNTRAINED if ending in (Ending.DIVERGED, Ending.NOT_LEARNING) else final + rng.normal(0, 0.008)
    return Run(
        id=f"{name}-{seed}",
        name=name,
        outcome=Outcome(ending, num, words),
        columns={"step": step, "loss": loss, "lr": base_lr * shape},
        evals={"step": (at + 1).astype(np.float64), "val_loss": val[at], "val_accuracy": 1 - val[at] / 4},
        results={"initial_val_loss": UNTRAINED, "final_val_loss": float(val[-1]), "test_loss": test, "seconds": 0.61},
        schedule=text,
        horizon=Horizon(STEPS, PER_EPOCH),
        base_lr=base_lr,
        optimizer="momentum",
        task="digits-cnn",
        seed=seed,
        settings={"threads": 1},
    )


def make_response(best: float, final: float, at_twice: float) -> RateResponse:
    rng = np.random.default_rng([7, int(1e4 * best), int(1e4 * final)])
    away = np.log10(RATES / best)
    curve = final + 0.25 * np.where(away < 0, away**2 * 1.4, away**2 * 2.5 * (1 + 6 * at_twice)) + 0.08
    endings = []
    scores = np.full((len(RATES), 2), np.nan)
    for i in range(len(RATES)):
        row = []
        for j in range(2):
            ending = Ending.FINISHED
            scores[i, j] = curve[i] + rng.normal(0, 0.012)
            if RATES[i] > 9 * best or scores[i, j] > UNTRAINED:
                ending, scores[i, j] = Ending.DIVERGED, UNTRAINED
            elif scores[i, j] > 0.9 * UNTRAINED:
                ending = Ending.NOT_LEARNING
            row.append(ending)
        endings.append(tuple(row))
    scores[0] = np.nan  # the grid was never widened to here
    near = curve <= curve.min() + 0.25
    return RateResponse(RATES, scores, tuple(endings), 155, RATES[near][0], RATES[near][-1], at_twice)


def make_result(entry: tuple[str, str, Callable[[Array], Array], float, float, float], leader: Array) -> StrategyResult:
    name, text, factor, base_lr, final, at_twice = entry
    endings = [Ending.DIVERGED if name == "constant" and seed == 103 else Ending.FINISHED for seed in SEEDS]
    runs = tuple(make_run(name, text, factor, base_lr, final, s, e) for s, e in zip(SEEDS, endings, strict=True))
    scores = np.array([run.results["test_loss"] for run in runs])
    gap = scores - leader if leader.size else scores - scores
    half = 0.0 if not leader.size else 3.1 * float(gap.std(ddof=1)) / np.sqrt(len(SEEDS))
    reached = np.array(
        [np.nan if run.outcome.ending is Ending.DIVERGED else 120 + 9 * (run.seed or 0) % 50 for run in runs]
    )
    return StrategyResult(
        strategy=Strategy(name, text),
        ranked=True,
        base_lr=base_lr,
        runs=runs,
        scores=scores,
        difference=Interval(float(gap.mean()), float(gap.mean()) - half, float(gap.mean()) + half),
        may_be_best=not leader.size or bool(gap.mean() - half <= 0),
        steps_to_target=reached,
        tuning_steps=155 * 12 + 2 * STEPS,
        response=make_response(base_lr, final, at_twice),
    )


def make_illustration(name: str, base_lr: float, ending: Callable[[int], Ending]) -> StrategyResult:
    runs = tuple(make_run(name, "hold", np.ones_like, base_lr, 1.9, seed, ending(seed)) for seed in SEEDS)
    return StrategyResult(
        strategy=Strategy(name, "hold"),
        ranked=False,
        base_lr=base_lr,
        runs=runs,
        scores=np.array([run.results["test_loss"] for run in runs]),
        difference=None,
        may_be_best=False,
        steps_to_target=np.full(len(SEEDS), np.nan),
        tuning_steps=0,
        response=None,
    )


def make_comparison() -> Comparison:
    leader = make_result(CAST[0], np.array([]))
    results = [leader, *(make_result(entry, leader.scores) for entry in CAST[1:])]
    results[1:] = sorted(results[1:], key=lambda result: result.mean)
    low = make_illustration("constant-far-too-low", 1e-4, lambda seed: Ending.FINISHED)
    high = make_illustration(
        "constant-far-too-high", 30.0, lambda seed: Ending.DIVERGED if seed % 3 else Ending.NOT_LEARNING
    )
    return Comparison(
        task="digits-cnn",
        optimizer="momentum",
        metric="test_loss",
        direction="min",
        budget=Horizon(STEPS, PER_EPOCH),
        seeds=SEEDS,
        tuning_seeds=(0, 1),
        results=(*results, low, high),
        leader="cosine",
        alpha=0.05,
        margin=0.005,
        resolution=0.0123,
        target=0.55,
        untrained=UNTRAINED,
        recommendation=Recommendation(
            "cosine",
            0.3,
            "cosine 1..0",
            "from stepwell import Scheduler\n\noptimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)\n"
            'scheduler = Scheduler(optimizer, "cosine 1..0", total_steps=620)\n\n'
            "for batch in loader:\n    ...\n    optimizer.step()\n    scheduler.step()",
            "It has the best mean and the widest good region of the strategies that may be best.",
        ),
        lessons=(
            "Too high: constant-far-too-high at 30 diverged in 5 of 8 runs, after 60 to 90 steps.",
            "Too low: constant-far-too-low at 1e-4 ended at 1.90, where the best strategy was after 24 steps.",
            "At twice its best rate constant fails (2.30), while cosine is still fine (0.41).",
        ),
        cost={
            "trials": 380.0,
            "reused": 24.0,
            "steps": 148_800.0,
            "tuning_steps": 84_320.0,
            "judging_steps": 64_480.0,
            "seconds": 104.2,
            "train_seconds": 187.9,
        },
        settings={"threads": 1, "torch": "2.13.0", "python": "3.11.7", "test_split": True, "engine": "processes"},
    )


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return make_comparison()


@pytest.fixture(scope="session")
def nasty() -> Comparison:
    """Names and texts that want to be markup, templates or formulas; numbers that are missing or infinite."""
    usual = make_comparison()
    evil = ["<script>alert(1)</script>", "a $b^2$ & \"c\" 'd'", "%{x} </script><!--", "_hidden <b>bold</b>"]
    results = list(usual.results)
    for i, name in enumerate(evil):
        runs = tuple(
            replace(run, name=name, outcome=replace(run.outcome, words=f"{name} ended")) for run in results[i].runs
        )
        results[i] = replace(results[i], strategy=replace(results[i].strategy, name=name), runs=runs)
    empty = replace(results[4].runs[0], columns={}, evals={}, results={})
    results[4] = replace(results[4], runs=(empty,) * 8, scores=np.full(8, np.nan), response=None)
    results[5] = replace(results[5], difference=Interval(float("nan"), float("-inf"), float("inf")))
    return replace(
        usual,
        task="</title><img src=x onerror=alert(2)>",
        leader=evil[0],
        results=tuple(results),
        resolution=float("nan"),
        lessons=(f"{evil[0]} is better than {evil[2]}.",),
        recommendation=replace(
            usual.recommendation, strategy=evil[0], code='print("</script><script>alert(3)</script>")'
        ),
        settings={"path": "<b>", "version": float("nan")},
    )
