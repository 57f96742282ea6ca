"""The Scheduler in loops as people write them: closures, accumulation, two optimizers, compiled steps, ranks, kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stepwell.drive.scheduler import Scheduler
from stepwell.schedule import Horizon, parse

BASE = 0.1


def weight() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(3))


def sgd(lr: float | torch.Tensor = BASE) -> torch.optim.SGD:
    return torch.optim.SGD([weight()], lr=lr, momentum=0.9)


def run(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


def on_two_ranks(code: str, folder: Path) -> list[list[str]]:
    """What each of two ranks printed, line by line; they meet in a file of the folder."""
    ranks = [run(code, str(rank), (folder / "meeting").as_uri()) for rank in range(2)]
    printed = [rank.communicate(timeout=600) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], printed
    return [out.splitlines() for out, _ in printed]


@pytest.mark.parametrize("follow", [False, True])
def test_a_closure_is_one_update_however_often_it_is_called(follow: bool) -> None:
    parameter = weight()
    optimizer = torch.optim.LBFGS([parameter], lr=BASE, max_iter=5)
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=10, follow=follow)
    calls = 0

    def closure() -> torch.Tensor:
        nonlocal calls
        calls += 1
        optimizer.zero_grad()
        loss = (parameter**4).sum()
        torch.autograd.backward(loss)
        return loss

    for update in range(3):
        assert scheduler.get_last_lr() == pytest.approx([BASE * (1 - update / 10)])
        optimizer.step(closure)  # type: ignore[no-untyped-call]  # torch does not annotate it
        scheduler.step()
    assert calls > 3


def test_a_follower_counts_updates_and_not_batches() -> None:
    optimizer = sgd()
    scheduler = Scheduler(optimizer, "linear 1..0", total_steps=5, follow=True)
    for batch in range(12):
        torch.autograd.backward((optimizer.param_groups[0]["params"][0] ** 2).sum() / 4)
        if batch % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
    assert scheduler.last_epoch == 3


def test_two_optimizers_have_a_scheduler_each() -> None:
    generator, critic = sgd(), sgd(0.2)
    slow = Scheduler(generator, "linear 1..0", total_steps=10, follow=True)
    fast = Scheduler(critic, "hold 0.5", follow=True)
    for step in range(6):
        critic.step()
        if step % 3 == 0:
            generator.step()
    assert (slow.last_epoch, fast.last_epoch) == (2, 6)
    assert fast.get_last_lr() == pytest.approx([0.1])


def compiles(make: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler], tensor: bool) -> int:
    """How often a compiled optimizer step is compiled over six updates."""
    torch._dynamo.reset()
    optimizer = sgd(torch.tensor(BASE) if tensor else BASE)
    optimizer.param_groups[0]["params"][0].grad = torch.ones(3)
    count = 0

    def backend(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., object]:
        nonlocal count
        count += 1
        return graph.forward

    scheduler = make(optimizer)
    plain = optimizer.step
    compiled = torch.compile(lambda: plain(), backend=backend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own internals, and that steps come in another order
        for _ in range(6):
            compiled()
            scheduler.step()
    return count


def test_a_compiled_step_with_a_tensor_rate_is_compiled_no_more_often_than_under_torch() -> None:
    ours = compiles(lambda o: Scheduler(o, "cosine 1..0", total_steps=20), tensor=True)
    theirs = compiles(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20), tensor=True)
    assert 1 <= ours <= theirs


RANK = """
    import os, sys
    import torch
    import torch.distributed as dist
    from stepwell import Scheduler

    dist.init_process_group("gloo", sys.argv[2], rank=int(sys.argv[1]), world_size=2)
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = Scheduler(optimizer, "(linear 0..1 for 3 | hold) * plateau(x0.5, patience 0)", total_steps=12)
    for step in range(12):
        optimizer.step()
        scheduler.step()
        metric = torch.tensor(float(sys.argv[1]) + (5 - step if step < 6 else 0))  # differs by rank ...
        dist.all_reduce(metric)                                                   # ... until it is reduced
        scheduler.observe(metric)
        print(repr(scheduler.get_last_lr()[0]))
    sys.stdout.flush()
    os._exit(0)  # taking a gloo group down now and then aborts a process that has done its work
"""


def test_two_ranks_have_the_same_rates_from_a_reduced_metric(tmp_path: Path) -> None:
    one, other = on_two_ranks(RANK, tmp_path)
    assert one == other
    rates = [float(line) for line in one]
    assert rates[0] == pytest.approx(0.2 / 3)
    assert rates[-1] < 0.1 * 0.5**4


PARALLEL = """
    import os, sys
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel
    from stepwell import Scheduler

    rank = int(sys.argv[1])
    dist.init_process_group("gloo", sys.argv[2], rank=rank, world_size=2)
    torch.manual_seed(rank)  # other weights and other data on each rank
    model = DistributedDataParallel(torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = Scheduler(
        optimizer, "(linear 0..1 for 5 | cosine to 0.1) * plateau(x0.5, patience 1)", total_steps=40, follow=True
    )
    rates = []
    for step in range(40):
        inputs = torch.randn(8, 4)
        rates.append(scheduler.get_last_lr()[0])
        optimizer.zero_grad()
        loss = (model(inputs) - inputs.sum(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        metric = loss.detach().clone()
        dist.all_reduce(metric)
        scheduler.observe(metric)
    print(rates)
    print([parameter.tolist() for parameter in model.parameters()])
    print(loss.item())
    sys.stdout.flush()
    os._exit(0)  # taking a gloo group down now and then aborts a process that has done its work
"""


def test_a_parallel_model_has_the_same_rates_and_weights_on_both_ranks(tmp_path: Path) -> None:
    one, other = on_two_ranks(PARALLEL, tmp_path)
    assert one[0] == other[0]  # the rates, to the last bit
    assert one[1] == other[1]  # and so the weights
    assert one[2] != other[2]  # though each rank saw its own data and loss
    rates = json.loads(one[0])
    plan = parse("linear 0..1 for 5 | cosine to 0.1").resolve(Horizon(40))
    cuts = [rate / (0.1 * plan(step)) for step, rate in enumerate(rates)]
    assert cuts[0] == pytest.approx(1.0)
    assert 0 < cuts[-1] < 0.3  # the reduced metric stalled several times


TRAINING = """
    import os, signal, sys
    from pathlib import Path
    import torch
    from stepwell import Scheduler

    place, die_at = Path(sys.argv[1]), int(sys.argv[2])
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    scheduler = Scheduler(
        optimizer, "lr: linear 0..1 for 10% | cosine to 0; momentum: linear 1..0.9", total_steps=60, follow=True
    )
    begin = 0
    if place.exists():
        state = torch.load(place, weights_only=True)
        model.load_state_dict(state["model"])
        scheduler.load_state_dict(state["scheduler"])
        optimizer.load_state_dict(state["optimizer"])
        begin = state["step"]
    for step in range(begin, 60):
        inputs = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        (model(inputs) - inputs.sum(1, keepdim=True)).square().mean().backward()
        optimizer.step()
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if step % 7 == 6:
            parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
            new = place.with_suffix(".new")
            torch.save({"step": step + 1} | {name: part.state_dict() for name, part in parts.items()}, new)
            new.replace(place)
    print(torch.cat([parameter.flatten() for parameter in model.parameters()]).tolist())
"""


def test_a_killed_run_goes_on_to_bit_identical_weights(tmp_path: Path) -> None:
    whole = run(TRAINING, str(tmp_path / "whole.pt"), "-1")
    expected, errors = whole.communicate(timeout=600)
    assert whole.returncode == 0, errors
    for die_at in (25, 41):
        killed = run(TRAINING, str(tmp_path / "killed.pt"), str(die_at))
        killed.communicate(timeout=600)
        assert killed.returncode == -signal.SIGKILL
    resumed = run(TRAINING, str(tmp_path / "killed.pt"), "-1")
    weights, errors = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, errors
    assert weights == expected
    assert np.isfinite(np.fromstring(weights.strip("[]\n"), sep=",")).all()


class Accelerated:
    """How accelerate's AcceleratedScheduler steps what it wraps, on one process (its scheduler.py)."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    def step(self) -> None:
        if hasattr(self.scheduler, "total_steps"):
            if self.scheduler._step_count <= self.scheduler.total_steps:
                self.scheduler.step()
        else:
            self.scheduler.step()


@pytest.mark.parametrize("total", [4, None])
def test_accelerate_steps_it_to_its_end(total: int | None) -> None:
    text = "linear 1..0" if total else "linear 1..0 over 4"
    optimizer = sgd()
    scheduler = Scheduler(optimizer, text, total_steps=total)
    wrapped = Accelerated(scheduler)
    seen = []
    for _ in range(6):  # past the end it is held, and accelerate does not ask for more
        seen.append(optimizer.param_groups[0]["lr"] / BASE)
        optimizer.step()
        wrapped.step()
    assert seen == pytest.approx([1, 0.75, 0.5, 0.25, 0, 0])
    assert scheduler.last_epoch == (4 if total else 6)
    assert scheduler.findings == []


@pytest.mark.parametrize("text", ["linear 1..0", "(linear 1..0) * plateau(x0.1)"])
def test_ignite_counts_on_and_writes_the_rates_itself(text: str) -> None:
    """Its LRScheduler asks for `get_lr()`, writes, and adds 1 to `last_epoch`; it saw the first rate for ever."""
    optimizer = sgd()
    scheduler = Scheduler(optimizer, text, total_steps=4)
    seen = []
    for _ in range(4):
        optimizer.param_groups[0]["lr"] = scheduler.get_lr()[0]
        scheduler.last_epoch += 1
        seen.append(optimizer.param_groups[0]["lr"] / BASE)
        optimizer.step()
    assert seen == pytest.approx([1, 0.75, 0.5, 0.25])
