"""A task is looked over before it is trained: one guilty task per complaint, and an innocent one."""

import random
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from stepwell.errors import TaskError
from stepwell.tasks.determinism import random_state
from stepwell.tasks.load import load_task
from stepwell.tasks.parts import class_metrics, cross_entropy, in_order, seeded, shuffled
from stepwell.tasks.preflight import Facts, preflight
from stepwell.tasks.same import same
from stepwell.tasks.task import Task, Workload

DATA = (torch.arange(24.0).reshape(12, 2) / 24, torch.arange(12) % 2)


def innocent(seed: int) -> Workload:
    return Workload(
        model=seeded(seed, lambda: nn.Linear(2, 2)),
        loss=cross_entropy,
        train=shuffled(DATA, 4, seed),
        steps_per_epoch=3,
        val=in_order(DATA),
        metrics=class_metrics,
        test=in_order(DATA),
    )


def frozen(model: nn.Module) -> nn.Module:
    return model.requires_grad_(False)


def constant_metric(value: float) -> Callable[..., Any]:
    return lambda *_: {"loss": (torch.tensor(value), 1)}


OTHER = nn.Linear(2, 2)
MISSING = (torch.full((4, 2), torch.nan), [None, "a name", object(), np.array([np.nan])])
DRAWN = ((DATA[0] + number, DATA[1]) for number in range(100))
ONCE = iter([DATA])


def test_an_innocent_task_passes() -> None:
    facts = preflight(innocent, 0)
    assert facts == Facts(3, 6, ("val_loss", "min"), True, facts.initial)
    assert set(facts.initial) == {"val_loss", "val_accuracy", "test_loss", "test_accuracy"}


def test_a_task_without_a_test_split_passes_and_says_so() -> None:
    facts = preflight(lambda seed: replace(innocent(seed), test=None), 0)
    assert not facts.has_test
    assert set(facts.initial) == {"val_loss", "val_accuracy"}


def test_preflight_leaves_the_global_random_state_alone() -> None:
    def noisy(seed: int) -> Workload:
        random.random()
        np.random.rand()
        torch.rand(3)
        return replace(innocent(seed), model=nn.Sequential(nn.Dropout(), nn.Linear(2, 2)))

    before = random_state()
    preflight(noisy, 0)
    assert same(before, random_state())


def loaded(loader: DataLoader[Any]) -> Task:
    return lambda seed: replace(innocent(seed), train=lambda epoch: loader)


class Noisy(TensorDataset):
    """Augments with every generator there is."""

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        inputs, target = (part[index] for part in self.tensors)
        return inputs + random.random() + float(np.random.rand()) + torch.randn(2), target


def generators_of_its_own(seed: int) -> Workload:
    def train(epoch: int) -> DataLoader[Any]:
        order = torch.Generator().manual_seed(1000 * seed + epoch)
        return DataLoader(TensorDataset(*DATA), 4, shuffle=True, generator=order)

    return replace(innocent(seed), train=train)


@pytest.mark.parametrize(
    "task",
    [
        generators_of_its_own,
        loaded(DataLoader(TensorDataset(*DATA), 4, shuffle=True)),
        loaded(DataLoader(Noisy(*DATA), 4, shuffle=True)),
        lambda seed: replace(innocent(seed), train=lambda epoch: [MISSING] * 3, loss=lambda m, b: m(DATA[0]).mean()),
    ],
    ids=["its own generators", "the global generator", "augmented", "missing values"],
)
def test_an_order_that_follows_from_seed_and_epoch_passes(task: Task) -> None:
    preflight(task, 3)


@pytest.mark.parametrize(
    "task",
    [
        loaded(DataLoader(TensorDataset(*DATA), 4, shuffle=True, generator=torch.Generator().manual_seed(1))),
        lambda seed: replace(innocent(seed), train=lambda epoch: iter([DRAWN.__next__()] * 3)),
    ],
    ids=["one generator for all epochs", "a stream"],
)
def test_an_order_that_depends_on_what_was_read_before_is_refused(task: Task) -> None:
    with pytest.raises(TaskError, match=r"^train\(0\) gave other batches .* torch.Generator\(\).manual_seed\("):
        preflight(task, 3)


@pytest.mark.parametrize("workers", [pytest.param(2, marks=pytest.mark.soak)])
def test_persistent_workers_go_on_with_their_own_generators(workers: int) -> None:
    fresh = DataLoader(Noisy(*DATA), 4, shuffle=True, num_workers=workers)
    preflight(loaded(fresh), 3)
    with pytest.raises(TaskError, match="no persistent workers"):
        preflight(loaded(DataLoader(Noisy(*DATA), 4, num_workers=workers, persistent_workers=True)), 3)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model": nn.Flatten()}, "no trainable parameter"),
        ({"model": frozen(nn.Linear(2, 2))}, "no trainable parameter"),
        ({"model": "net"}, "model must be a torch.nn.Module, got a str"),
        (
            {"loss": lambda m, b: cross_entropy(m, b) * float("nan")},
            "the loss of the first batch is nan before any step",
        ),
        ({"loss": lambda m, b: cross_entropy(m, b) / 0}, "the loss of the first batch is inf"),
        ({"loss": lambda m, b: cross_entropy(m, b).item()}, "must return a tensor with a single number, got a float"),
        ({"loss": lambda m, b: m(b[0])}, r"single number, got shape \(4, 2\); take its mean"),
        ({"loss": lambda m, b: cross_entropy(m, b).reshape(1)}, r"got shape \(1,\)"),
        ({"loss": lambda m, b: cross_entropy(m, b).detach()}, "the loss has no gradient"),
        ({"loss": lambda m, b: cross_entropy(OTHER, b)}, "does not depend on any parameter of Workload.model"),
        ({"loss": lambda m, b: (m(b[0]) * 0).abs().sqrt().sum()}, "the gradient of the first batch is not finite"),
        ({"train": lambda epoch: []}, r"train\(0\) gave no batches"),
        ({"train": lambda epoch: [DATA] * 2}, r"steps_per_epoch is 3, but train\(0\) gave only 2 batches"),
        ({"train": lambda epoch: iter(lambda: DATA, None)}, r"steps_per_epoch is 3, but train\(0\) gave more batches"),
        ({"train": lambda epoch: [DATA] * 3 if epoch == 0 else []}, r"train\(1\) gave none"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be a positive whole number, got 0"),
        ({"steps_per_epoch": -3}, "got -3"),
        ({"steps_per_epoch": 3.0}, "got 3.0"),
        ({"steps_per_epoch": True}, "got True"),
        ({"val": list}, r"val\(\) gave no batches"),
        ({"test": list}, r"test\(\) gave no batches"),
        ({"val": lambda: ONCE}, r"val\(\) gives batches only once"),
        ({"metrics": constant_metric(float("nan"))}, "val_loss of the untrained model is nan"),
        ({"metrics": constant_metric(float("inf"))}, "val_loss of the untrained model is inf"),
        ({"metrics": lambda *_: 3}, "metrics must give a mapping"),
        ({"goal": ("val_f1", "max")}, "goal 'val_f1' is not among what the metrics give: val_loss, val_accuracy"),
        ({"goal": ("test_loss", "min")}, "goal 'test_loss' is not among"),
        ({"goal": ("val_loss", "down")}, 'direction must be "min" or "max", got \'down\''),
        ({"goal": "val_loss"}, "goal must be a pair"),
        ({"groups": lambda m: list(m.parameters())}, r"groups\(model\) must return a list such as"),
        ({"groups": lambda m: []}, r"groups\(model\) must return a list such as"),
    ],
)
def test_a_guilty_task_is_one_clear_sentence(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TaskError, match=complaint) as caught:
        preflight(lambda seed: replace(innocent(seed), **changes), 0)
    assert "\n" not in str(caught.value)


def test_what_is_no_workload() -> None:
    with pytest.raises(TaskError, match="must return a Workload, got a dict"):
        preflight(lambda seed: {}, 0)  # type: ignore[arg-type]  # what a user might write


USER = """
    import torch
    from torch import nn
    from stepwell.tasks.task import Workload

    def task(seed, *, where=""):
        def bang(place, value):
            if place == where:
                raise ValueError("bang")
            return value
        data = (torch.zeros(2, 2), torch.zeros(2))
        return Workload(
            model=nn.Linear(2, 1),
            loss=lambda m, b: bang("loss", m(b[0]).mean()),
            train=lambda epoch: bang("train", [data]),
            steps_per_epoch=1,
            val=lambda: bang("val", [data]),
            test=lambda: bang("test", [data]),
            metrics=lambda m, b: bang("metrics", {"loss": (m(b[0]).sum(), 2)}),
            groups=lambda m: bang("groups", [{"params": list(m.parameters())}]),
        )
"""


@pytest.mark.parametrize(
    ("where", "doing"),
    [
        ("loss", "the loss of the first batch was computed"),
        ("train", r"train\(0\) was read"),
        ("val", "the untrained model was evaluated on the val batches"),
        ("test", "the untrained model was evaluated on the test batches"),
        ("metrics", "the untrained model was evaluated on the val batches"),
        ("groups", r"groups\(model\) was called"),
    ],
)
def test_the_users_own_exception_names_the_users_line(tmp_path: Path, where: str, doing: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(USER))
    preflight(load_task(f"{file}:task"), 0)
    with pytest.raises(TaskError, match=rf"in .*mine.py:9, while {doing}: ValueError: bang") as caught:
        preflight(load_task(f"{file}:task,where={where}"), 0)
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_error_inside_torch_names_the_users_line() -> None:
    def mismatched(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return cross_entropy(model, (batch[0], batch[1][:1]))

    line = mismatched.__code__.co_firstlineno + 1
    with pytest.raises(TaskError, match=rf"test_preflight.py:{line}, .*ValueError: Expected input batch_size"):
        preflight(_WithFile(lambda seed: replace(innocent(seed), loss=mismatched)), 0)


class _WithFile:
    """A task that knows its file, as a loaded one does."""

    file = Path(__file__)

    def __init__(self, build: Callable[[int], Workload]) -> None:
        self.build = build

    def __call__(self, seed: int) -> Workload:
        return self.build(seed)
