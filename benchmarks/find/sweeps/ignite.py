"""pytorch-ignite's `FastaiLRFinder` from 1e-7 to 10 (its default end; it has none for the start)."""

from __future__ import annotations

import torch
from ignite.engine import Engine
from ignite.handlers import FastaiLRFinder

from benchmarks.find import tasks
from benchmarks.find.sweeps.loader import loader


def sweep(work: tasks.Work, optimizer: str, order: int, count: int) -> dict[str, float]:
    """What ignite suggests: the steepest point before the minimum."""
    stepper = tasks.optimizer(optimizer, work.model.parameters(), 1e-7)

    def update(_: Engine, batch: tasks.Batch) -> float:
        stepper.zero_grad()
        loss = work.loss(work.model, batch)
        torch.autograd.backward(loss)
        stepper.step()
        return loss.item()

    finder = FastaiLRFinder()
    saved = {"model": work.model, "optimizer": stepper}
    with finder.attach(Engine(update), saved, num_iter=count, start_lr=1e-7) as trainer:
        trainer.run(loader(work, order))
    return {"ignite": float(finder.lr_suggestion())}
