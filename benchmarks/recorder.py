"""What the recorder costs: its hooks and `step`, with a store behind them, as a share of a training step.

The cost of a few microseconds drowns in the noise of a training step, so it is measured by itself: an optimizer whose
update does nothing, stepped with a recorder and without. The training step is a small CNN on 8x8 images, batch 32, on
one thread, timed in the same run, in turns. Flushes to the store are counted in: the mean over many updates.

The norm of the gradients, which is recorded on request only, is work of its own and has its own line, without a limit:
about 3 us for each of the six tensors, 2.7% to 3.9% of the step against 0.5% to 0.7% without it. At every tenth update
(`grad_norm=10`) it keeps to the limit. Half of it is one call
of `torch._foreach_norm`. Tried and slower per call, in us, where the one in use took 12: adding up the norms as tensors
27, `torch.nn.utils.get_total_norm` 45, one norm of all gradients concatenated 20, a sum of `torch.dot` 13. `numpy.vdot`
took 9, but it starts threads of its own beside torch's and knows no bfloat16.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stepwell.drive.recorder import Recorder
from stepwell.record.store import Store

ROUNDS = 9
TRAINING_STEPS = 60
EMPTY_STEPS = 2048
GOAL = 0.02


class Idle(torch.optim.Optimizer):
    """An optimizer whose update does nothing."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": 0.1})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # closures
        """Leave the parameters as they are."""


def main() -> None:
    """Print the cost per update and its share of a training step; fail where the share is above the goal."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "runs.sqlite") as store:
            _measure(store)
    finally:
        torch.set_num_threads(threads)


def _measure(store: Store) -> None:
    train = _training_step()
    for _ in range(20):
        train()
    step: list[float] = []
    costs: dict[int, list[float]] = {0: [], 10: [], 1: []}  # by how often the norm is read
    for _ in range(ROUNDS):
        step.append(statistics.median(_seconds(train, 1) for _ in range(TRAINING_STEPS)))
        bare = _idle_update(None, grad_norm=0)
        for every, found in costs.items():
            found.append(_idle_update(store, grad_norm=every) - bare)
    training = statistics.median(step)
    print(f"a training step (small CNN, 8x8, batch 32, one thread)   {training * 1e6:8.1f} us")
    names = {0: "recorder", 10: "recorder with grad_norm=10", 1: "recorder with grad_norm=True"}
    shares = {every: statistics.median(found) / training for every, found in costs.items()}
    for every, name in names.items():
        print(f"{name:<55}  {statistics.median(costs[every]) * 1e6:8.1f} us   {shares[every]:.2%} of the step")
    for every in (0, 10):
        assert shares[every] < GOAL, f"the {names[every]} takes more than 2% of a step"


def _idle_update(store: Store | None, *, grad_norm: int) -> float:
    """Seconds per update that does nothing, recorded if there is a store; the mean, so that flushes count."""
    model = _model()
    loss = model(torch.zeros(32, 1, 8, 8)).sum()
    loss.backward()
    optimizer = Idle(list(model.parameters()))
    if store is None:
        return _seconds(optimizer.step, EMPTY_STEPS) / EMPTY_STEPS
    with Recorder(optimizer, store=store, grad_norm=grad_norm) as recorder:

        def update() -> None:
            optimizer.step()
            recorder.step(loss)

        return _seconds(update, EMPTY_STEPS) / EMPTY_STEPS


def _training_step() -> Callable[[], None]:
    torch.manual_seed(0)
    model = _model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images, labels = torch.randn(32, 1, 8, 8), torch.randint(0, 10, (32,))

    def train() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return train


def _model() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 32), nn.ReLU(),
        nn.Linear(32, 10),
    )  # fmt: skip


def _seconds(work: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
