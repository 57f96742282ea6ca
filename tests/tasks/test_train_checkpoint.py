import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stepwell.drive.scheduler import Scheduler
from stepwell.errors import ResumeError
from stepwell.tasks.checkpoint import freeze, restore, thaw
from stepwell.tasks.determinism import random_state, restore_random, seed_all


def parts(width: int = 3) -> tuple[nn.Module, torch.optim.Optimizer, Scheduler]:
    model = nn.Linear(2, width)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    return model, optimizer, Scheduler(optimizer, "cosine to 0", total_steps=9)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, scheduler: Scheduler, steps: int) -> list[Any]:
    for _ in range(steps):
        optimizer.zero_grad()
        (model(torch.randn(4, 2)) * random.random() * np.random.rand()).square().sum().backward()
        optimizer.step()
        scheduler.step()
    return [parameter.tolist() for parameter in model.parameters()]


def test_what_is_thawed_goes_on_as_what_was_frozen() -> None:
    seed_all(4)
    ours = parts()
    train(*ours, 4)
    frozen = freeze(*ours, {"step": 4})
    expected = train(*ours, 5)
    state = thaw(frozen)
    theirs = parts()
    restore(state, *theirs)
    restore_random(state["random"])
    assert train(*theirs, 5) == expected
    assert state["progress"] == {"step": 4}


@pytest.mark.parametrize("damaged", [b"", b"not a checkpoint", "cut"])
def test_a_damaged_checkpoint_says_so(damaged: bytes | str) -> None:
    frozen = freeze(*parts(), {})
    with pytest.raises(ResumeError, match="the checkpoint cannot be read"):
        thaw(frozen[: len(frozen) // 2] if isinstance(damaged, str) else damaged)


def test_a_checkpoint_of_another_model_says_so() -> None:
    state = thaw(freeze(*parts(3), {}))
    with pytest.raises(ResumeError, match="does not fit the task as it is now"):
        restore(state, *parts(4))


def test_generators_come_back() -> None:
    seed_all(7)
    np.random.standard_normal()  # leaves a second one in the drawer
    random.gauss(0, 1)
    state = random_state()
    first = random.gauss(0, 1), np.random.standard_normal(), torch.rand(1).item()
    restore_random(state)
    assert (random.gauss(0, 1), np.random.standard_normal(), torch.rand(1).item()) == first


def test_seeds_that_are_mixed_differ() -> None:
    drawn = set()
    for numbers in [(1,), (1, 0), (0, 1), (1, 1), (2**40, 3)]:
        seed_all(*numbers, accelerators=False)
        drawn.add((torch.rand(1).item(), random.random(), np.random.rand()))
    assert len(drawn) == 5
