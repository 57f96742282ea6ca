"""Stepwell's own finder, asked as a user asks: a model factory, a loss and data."""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.find.kept import CACHE, Kept, digest
from benchmarks.find.tasks import Batch, fingerprint, make
from benchmarks.find.truth import STEPS
from stepwell.find import find_lr
from stepwell.tasks.task import Workload

ROOM = Path(__file__).parents[2] / "src" / "stepwell" / "find"


def ours(task_name: str, optimizer: str, schedule: str, seed: int, budget: int) -> tuple[float, int, str]:
    """The suggested rate (`nan` without one), the updates that it took, and the verdict."""
    task = partial(workload, task_name, seed)
    found = find_lr(task, optimizer, schedule=schedule, total_steps=STEPS, budget=budget)
    return found.lr, found.spent, found.verdict.value


def workload(task_name: str, finder_seed: int, seed: int) -> Workload:
    """The task as a user of Stepwell writes it; `seed` is the finder's own, counted from 0.

    Every finder seed has initialisations and data orders of its own, and none is among those of the truth.
    """
    chosen = 10_000 * (finder_seed + 1) + seed
    work = make(task_name, chosen)
    steps = len(work.train[0]) // work.batch_size

    def train(epoch: int) -> list[Batch]:
        return list(islice(work.batches(100 * chosen + epoch), steps))

    def metrics(model: nn.Module, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        return {"loss": (work.loss(model, batch) * len(batch[0]), len(batch[0]))}

    return Workload(work.model, work.loss, train, steps, lambda: _parts(work.val), metrics)


def _parts(whole: Batch, size: int = 128) -> list[Batch]:
    return list(zip(torch.split(whole[0], size), torch.split(whole[1], size), strict=True))


def remembered(task_name: str, optimizer: str, schedule: str, seed: int, budget: int) -> tuple[float, int, str]:
    """The same, asked once for every state of the finder's source."""
    made = digest([*sorted(ROOM.rglob("*.py")), Path(__file__)])
    kept = Kept(CACHE / f"ours-{made}.jsonl")
    key = " | ".join(map(str, (task_name, fingerprint(task_name), optimizer, schedule, seed, budget)))
    if key not in kept:
        kept.add(key, ours(task_name, optimizer, schedule, seed, budget))
    lr, spent, verdict = kept[key]
    return lr, spent, verdict
