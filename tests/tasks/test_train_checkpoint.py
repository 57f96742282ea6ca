import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stepwell.drive.scheduler import Scheduler
from stepwell.engines.contract import assert_same
from stepwell.errors import ResumeError
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon
from stepwell.tasks.checkpoint import freeze, restore, thaw
from stepwell.tasks.determinism import random_state, restore_random, seed_all
from stepwell.tasks.train import train as train_trial


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


def test_a_checkpoint_of_another_version_says_so() -> None:
    state = torch.load(io.BytesIO(freeze(*parts(), {})), weights_only=True)
    with pytest.raises(ResumeError, match=r"its version is 0, not 1"):
        thaw(saved(state | {"version": 0}))
    with pytest.raises(ResumeError, match="its version is None, not 1"):
        thaw(saved([]))


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


CHANGES: dict[str, Callable[[Any], bytes]] = {
    "cut": lambda state: saved(state)[:900],
    "garbage": lambda state: b"xx" * 100,
    "empty": lambda state: b"",
    "older": lambda state: saved({name: part for name, part in state.items() if name != "version"}),
    "without a field": lambda state: saved(state | {"progress": {"step": 8}, "random": 3}),
    "with a field more": lambda state: saved(state | {"progress": state["progress"] | {"extra": 1}}),
    "without generators": lambda state: saved({name: part for name, part in state.items() if name != "random"}),
    "another schedule": lambda state: saved(state | {"scheduler": state["scheduler"] | {"schedules": ["hold 0.5"]}}),
    "another model": lambda state: saved(state | {"model": {"weight": torch.zeros(3)}}),
    "beyond the rows": lambda state: saved(state | {"progress": state["progress"] | {"step": 9}}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_trial_begins_again_where_its_checkpoint_is_of_no_use(tmp_path: Path, change: str) -> None:
    tiny = TaskRef(f"{Path(__file__).with_name('tiny_tasks.py')}:tiny", {"dropout": 0.3})
    trial = Trial(tiny, Strategy("ours", "cosine to 0"), 0.1, 3, Horizon(12, 5))
    with Store.open(tmp_path / "runs.sqlite") as store:
        made: list[int] = []
        train_trial(trial, store=store, progress=made.append, should_stop=lambda: made[-1] == 8)
        step, state = store.load_checkpoint(trial.key()) or (0, b"")
        intact = torch.load(io.BytesIO(state), weights_only=True)
        store.checkpoint(trial.key(), step, CHANGES[change](intact))
        with pytest.warns(UserWarning, match="^ours begins again: the (checkpoint|run) [^\n]*$"):
            again = train_trial(trial, store=store)
        assert_same(again, train_trial(trial))
        assert_same(store.load(trial.key()), again)


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
