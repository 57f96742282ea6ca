"""Two ranks that put a live model on the bench; `test_live.py` starts them: FOLDER."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._dynamo import config  # noqa: F401 -- DDP imports it, so here it is done once for both
from torch.multiprocessing.spawn import start_processes
from torch.utils.data import DataLoader

from stepwell.find.live import live
from stepwell.find.search import find_lr
from stepwell.tasks.same import same
from training_loop import data, loss


def seen(rank: int, *, wrapped: bool) -> list[Any]:
    """What a search sees on this rank, whose data is its own; without DDP, one loss of rank 1 is not a number."""
    torch.manual_seed(0)
    model: nn.Module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    if wrapped:
        model = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loader = DataLoader(data(seed=rank), 8, shuffle=True)
    calls = 0

    def value(model: nn.Module, batch: Any) -> Tensor:
        nonlocal calls
        calls += 1
        return loss(model, batch) * (torch.nan if calls == 16 and rank == 1 and not wrapped else 1.0)

    before = [parameter.detach().clone() for parameter in model.parameters()]
    with live(model, optimizer, value, loader, val_loader=loader) as bench:
        bench.begin(0)
        found: list[Any] = [bench.losses(2), bench.validate(), *(bench.update(0.1) for _ in range(7))]
        bench.begin(1)
        found.append(bench.seeds_vary)
    suggestion = find_lr(model, optimizer, loss=loss, data=loader, budget=100)
    found += [suggestion.lr, suggestion.verdict.value, [probe.score for probe in suggestion.probes]]
    return [*found, same(before, [parameter.detach() for parameter in model.parameters()])]


def run(rank: int, folder: Path) -> None:
    torch.distributed.init_process_group("gloo", (folder / "meeting").as_uri(), rank=rank, world_size=2)
    torch.save([seen(rank, wrapped=wrapped) for wrapped in (False, True)], folder / f"{rank}.pt")
    os._exit(0)  # taking a gloo group down now and then aborts a process that has done its work


if __name__ == "__main__":
    # A fork may hang where torch has used threads before; here it has not.
    start_processes(run, (Path(sys.argv[1]),), nprocs=2, start_method="fork")  # type: ignore[no-untyped-call]  # torch leaves it untyped
