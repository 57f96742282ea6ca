"""What `Scheduler.step()` costs beside torch's schedulers, and a million factors beside stepping torch.

Goals: a step takes at most 1/3 of torch's time with 1 parameter group and at most 1/5 with 100; a million factors of
any recipe take at most 1/100 of the time of stepping torch through them.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch.optim import lr_scheduler

from stepwell.drive.scheduler import Scheduler
from stepwell.schedule import RECIPES, Horizon, schedule

STEPS = 2_000
REPEATS = 7


def optimizer(groups: int) -> torch.optim.Optimizer:
    """Plain SGD over as many groups of one small weight."""
    return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)], lr=0.1)


def sequential(over: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
    """The usual warm-up and cosine."""
    parts = [lr_scheduler.LinearLR(over, 0.01, 1.0, 100), lr_scheduler.CosineAnnealingLR(over, STEPS - 100)]
    return lr_scheduler.SequentialLR(over, parts, [100])


def seconds(step: Callable[[], None]) -> float:
    """The time of one step, over `STEPS` of them."""
    begin = time.perf_counter()
    for _ in range(STEPS - 1):
        step()
    return (time.perf_counter() - begin) / (STEPS - 1)


def main() -> None:
    """Print both tables."""
    warnings.simplefilter("ignore")  # torch asks for optimizer.step() first; only the schedulers are timed here
    pairs: dict[str, tuple[str, Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]]] = {
        "cosine": ("cosine 1..0", lambda over: lr_scheduler.CosineAnnealingLR(over, STEPS)),
        "warm-up, cosine": ("linear 0.01..1 for 100 | cosine to 0", sequential),
    }
    print(f"{'one step':16} {'groups':>6} {'stepwell us':>12} {'torch us':>9} {'ratio':>6}  goal")
    for name, (text, twin) in pairs.items():
        for groups, goal in ((1, 1 / 3), (100, 1 / 5)):
            ours, theirs = [], []
            for _ in range(REPEATS):
                ours.append(seconds(Scheduler(optimizer(groups), text, total_steps=STEPS).step))
                theirs.append(seconds(twin(optimizer(groups)).step))
            ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
            mine, torchs = statistics.median(ours) * 1e6, statistics.median(theirs) * 1e6
            print(f"{name:16} {groups:6} {mine:12.2f} {torchs:9.2f} {ratio:6.2f}  {goal:.2f}")
    per_step = statistics.median(seconds(lr_scheduler.CosineAnnealingLR(optimizer(1), STEPS).step) for _ in range(3))
    print(f"\na million factors, beside a million steps of CosineAnnealingLR ({per_step * 1e6:.1f} s):")
    steps = np.arange(1_000_000)
    worst = 0.0
    for name in RECIPES:
        curve = schedule(name).resolve(Horizon(1_000_000, 1000), momentum=0.9)
        begin = time.perf_counter()
        curve(steps)
        worst = max(worst, (time.perf_counter() - begin) / (per_step * 1e6))
    print(f"slowest recipe: {worst:.4f} of torch's time (goal 0.01)")


if __name__ == "__main__":
    main()
