"""The rates of transformers' GreedyLR over seeded metric streams, as golden values.

python -m venv golden && golden/bin/pip install torch==2.13.0 transformers==5.23.0
golden/bin/python tests/schedule/golden/make_greedy.py > tests/schedule/golden/greedy.json
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

CASES: list[dict[str, Any]] = [
    {"patience": 10},
    {"patience": 0, "factor": 0.5},
    {"patience": 2, "factor": 0.9, "cooldown": 3, "warmup": 1},
    {"patience": 1, "factor": 0.8, "threshold": 0.05, "threshold_mode": "rel", "warmup": 4},
    {"patience": 1, "factor": 0.7, "mode": "max", "cooldown": 2},
    {"patience": 1, "factor": 0.7, "mode": "max", "threshold": 0.02, "threshold_mode": "rel"},
    {"patience": 1, "factor": 0.5, "min_lr": 0.02, "max_lr": 0.3, "reset_start": 3},
    {"patience": 0, "factor": 0.25, "min_lr": 0.05, "max_lr": 0.15, "reset_start": 1, "cooldown": 2},
    {"patience": 2, "factor": 0.9, "smooth": True, "window_size": 5},
    {"patience": 0, "factor": 0.5, "smooth": True, "window_size": 3, "min_lr": 0.02, "reset_start": 2},
]


def metrics(seed: int) -> list[float]:
    """A noisy loss that falls, rises and falls again; whole thousandths, so that no comparison hangs on rounding."""
    noise = random.Random(seed)
    falls = [3.0 - 0.04 * t for t in range(40)]
    rises = [1.4 + 0.02 * t for t in range(40)]
    falls_again = [2.2 - 0.05 * t for t in range(40)]
    return [round(level + noise.choice([0.0, 0.003, -0.047, 0.101]), 3) for level in falls + rises + falls_again]


def rates(settings: dict[str, Any], stream: list[float]) -> list[float]:
    """The rate after every metric, from a base rate of 0.1."""
    import torch
    from transformers.optimization import GreedyLR

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = GreedyLR(optimizer, eps=0.0, **settings)
    seen = []
    for metric in stream:
        scheduler.step(metric)
        seen.append(optimizer.param_groups[0]["lr"])
    return seen


def main() -> None:
    """Write every case as JSON."""
    import transformers

    cases = []
    for number, settings in enumerate(CASES):
        stream = metrics(number)
        cases.append({"settings": settings, "metrics": stream, "rates": rates(settings, stream)})
    json.dump({"transformers": transformers.__version__, "cases": cases}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
