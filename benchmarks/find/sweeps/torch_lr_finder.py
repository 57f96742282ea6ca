"""torch-lr-finder's range test from 1e-7 (its README) to 10 (its default), and the suggestion of its plot."""

from __future__ import annotations

import matplotlib.pyplot as plt
import torch_lr_finder

from benchmarks.find import tasks
from benchmarks.find.sweeps.loader import loader


def sweep(work: tasks.Work, optimizer: str, order: int, count: int) -> dict[str, float]:
    """What torch-lr-finder suggests: the steepest point."""
    stepper = tasks.optimizer(optimizer, work.model.parameters(), 1e-7)
    finder = torch_lr_finder.LRFinder(work.model, stepper, work.criterion)
    finder.range_test(loader(work, order), end_lr=10, num_iter=count)
    figure, axes = plt.subplots()
    try:
        _, rate = finder.plot(ax=axes, suggest_lr=True)
    finally:
        plt.close(figure)
    return {"torch-lr-finder": float(rate)}
