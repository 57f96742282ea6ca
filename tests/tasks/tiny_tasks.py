"""Tasks that train in milliseconds, for the tests of the loop and the engines."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from stepwell.tasks.task import Workload

Batch = tuple[Tensor, Tensor]
STEPS_PER_EPOCH = 5


def net(dropout: float) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 3))


def loss(model: nn.Module, batch: Batch) -> Tensor:
    inputs, targets = batch
    return nn.functional.cross_entropy(model(inputs), targets)


def metrics(model: nn.Module, batch: Batch) -> dict[str, tuple[Tensor, int]]:
    inputs, targets = batch
    outputs = model(inputs)
    return {
        "loss": (nn.functional.cross_entropy(outputs, targets, reduction="sum"), len(targets)),
        "accuracy": ((outputs.argmax(1) == targets).sum(), len(targets)),
    }


def data(size: int, seed: int) -> Batch:
    inputs = torch.randn(size, 4, generator=torch.Generator().manual_seed(seed))
    return inputs, (inputs[:, 0] > 0).long() + (inputs[:, 1] > 0.5).long()


def tiny(seed: int, *, dropout: float = 0.0, goal: str = "val_loss", test: bool = True, delay: float = 0.0) -> Workload:
    """Three classes, 80 examples; data and order from the global generators, as users write them."""
    inputs, targets = data(80, 1)

    def train(epoch: int) -> Iterator[Batch]:
        order = torch.randperm(len(inputs))
        for rows in torch.split(order, 16):
            time.sleep(delay)
            noise = 0.01 * torch.randn(len(rows), 4)
            yield inputs[rows] + noise, targets[rows]

    return Workload(
        model=net(dropout),
        loss=loss,
        train=train,
        steps_per_epoch=STEPS_PER_EPOCH,
        val=lambda: [data(60, 2)],
        test=(lambda: [data(60, 3)]) if test else None,
        metrics=metrics,
        goal=(goal, "min" if goal == "val_loss" else "max"),
    )


def broken(seed: int, *, where: str = "loss", at: int = 7) -> Workload:
    """The tiny task, which fails in one place."""
    work = tiny(seed)
    calls = 0

    def failing(model: nn.Module, batch: Batch) -> Tensor:
        nonlocal calls
        calls += 1
        if calls > at:
            fail(where)
        value = loss(model, batch)
        return value * torch.nan if where == "nan" else value

    def short(epoch: int) -> Iterator[Batch]:
        return iter([*work.train(epoch)][: 3 if epoch == 1 else 5])

    changes: dict[str, Any] = {"train": short} if where == "short" else {"loss": failing}
    if where == "goal":
        changes = {"goal": ("val_f1", "max")}
    if where == "build":
        fail("loss")
    return Workload(**{**vars(work), **changes})


def fail(where: str) -> None:
    match where:
        case "loss":
            raise ValueError("the loss is out of order")
        case "exit":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "interrupt":
            os.kill(os.getpid(), signal.SIGINT)


def careful(seed: int, *, where: str = "loss") -> Workload:
    """Regression that raises in one place, as `torch.distributions` does, where an output is not finite."""
    inputs, _ = data(16, 1)

    def errors(outputs: Tensor, at: str) -> Tensor:
        if at == where and not outputs.isfinite().all():
            raise ValueError("the outputs are not real numbers")
        return (outputs.nan_to_num(9.0, 9.0, -9.0) - inputs.sum(1, keepdim=True)).abs()

    return Workload(
        model=nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)),
        loss=lambda model, batch: errors(model(batch), "loss").mean(),
        train=lambda epoch: [inputs] * STEPS_PER_EPOCH,
        steps_per_epoch=STEPS_PER_EPOCH,
        val=lambda: [("val", inputs)],
        test=lambda: [("test", inputs)],
        metrics=lambda model, batch: {"loss": (errors(model(batch[1]), batch[0]).sum(), len(batch[1]))},
    )
