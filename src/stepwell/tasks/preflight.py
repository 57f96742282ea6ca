"""Look a task over before hours are spent on it."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from stepwell.errors import TaskError
from stepwell.tasks.blame import file_of, user_code
from stepwell.tasks.determinism import random_kept, seed_all
from stepwell.tasks.evaluate import evaluate
from stepwell.tasks.same import same
from stepwell.tasks.task import Batch, Task, Workload

# Batches of an epoch that are read twice and compared.
COMPARED = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What a look at a task showed.

    Args:
        steps_per_epoch: counted, and as the task says.
        num_parameters: trainable numbers in the model.
        goal: what is judged, and which way is better.
        has_test: False means that the final decision uses the validation batches too.
        initial: the untrained model's metrics, `val_loss`, ... and `test_loss`, ... where there is a test split.
        device: where the model's parameters are.
        has_groups: whether the task gives parameter groups of its own.
    """

    steps_per_epoch: int
    num_parameters: int
    goal: tuple[str, Literal["min", "max"]]
    has_test: bool
    initial: Mapping[str, float]
    device: str = "cpu"
    has_groups: bool = False


def preflight(task: Task, seed: int) -> Facts:
    """Build the task's work for a seed, try every part of it once, and throw it away.

    Costs one epoch of batches, one evaluation and one backward pass. Everything is seeded as in training; the global
    random state of torch, numpy and Python stays as it was. What the task prints goes to stderr.

    Raises:
        TaskError: what is wrong, with the file and line if the task's own code raised.
    """
    file = file_of(task)
    with random_kept(), redirect_stdout(sys.stderr):
        seed_all(seed)
        with user_code(file, f"the task was called with seed {seed}"):
            work = task(seed)
        if not isinstance(work, Workload):
            raise TaskError(f"a task must return a Workload, got a {type(work).__name__}")
        num_parameters = _num_parameters(work.model)
        initial = _initial(work, file)
        _check_goal(work, initial)
        _check_epoch(work, file, seed)
        _check_gradient(work, file)
        if work.groups is not None:
            with user_code(file, "groups(model) was called"):
                _check_groups(work.groups(work.model))
    return Facts(
        work.steps_per_epoch,
        num_parameters,
        work.goal,
        work.test is not None,
        initial,
        str(next(work.model.parameters()).device),
        work.groups is not None,
    )


def _num_parameters(model: nn.Module) -> int:
    if not isinstance(model, nn.Module):
        raise TaskError(f"Workload.model must be a torch.nn.Module, got a {type(model).__name__}")
    count = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    if count == 0:
        raise TaskError("the model has no trainable parameter (none with requires_grad), so there is nothing to train")
    return count


def _initial(work: Workload, file: Path | None) -> dict[str, float]:
    parts = {"val": work.val} | ({} if work.test is None else {"test": work.test})
    initial: dict[str, float] = {}
    for name, batches in parts.items():
        with user_code(file, f"the untrained model was evaluated on the {name} batches"):
            initial |= evaluate(work.model, batches(), work.metrics, name)
            _check_again(name, batches)
    for metric, value in initial.items():
        if not math.isfinite(value):
            raise TaskError(f"{metric} of the untrained model is {value}; look at the data, the metric and the model")
    return initial


def _check_again(name: str, batches: Callable[[], Iterable[Batch]]) -> None:
    if next(iter(batches()), None) is None:
        raise TaskError(f"{name}() gives batches only once; it must return them anew on every call, not an iterator")


def _check_goal(work: Workload, initial: Mapping[str, float]) -> None:
    match work.goal:
        case (str(name), str(direction)):
            pass
        case _:
            raise TaskError(f'goal must be a pair such as ("val_loss", "min"), got {work.goal!r}')
    known = [metric for metric in initial if metric.startswith("val_")]
    if name not in known:
        raise TaskError(f"goal {name!r} is not among what the metrics give: {', '.join(known)}")
    if direction not in ("min", "max"):
        raise TaskError(f'the goal\'s direction must be "min" or "max", got {direction!r}')


def _check_epoch(work: Workload, file: Path | None, seed: int) -> None:
    said = _positive(work.steps_per_epoch)
    with user_code(file, "train(0) was read"):
        seed_all(seed, 0)
        batches = iter(work.train(0))
        first = list(islice(batches, min(said, COMPARED)))
        found = len(first) + sum(1 for _ in islice(batches, said + 1 - len(first)))
    if found == 0:
        raise TaskError("train(0) gave no batches; an epoch needs at least one")
    if found != said:
        words = f"only {found}" if found < said else "more"
        raise TaskError(
            f"steps_per_epoch is {said}, but train(0) gave {words} batches; the schedule needs the true count"
        )
    with user_code(file, "train(1) was read"):
        seed_all(seed, 1)
        if next(iter(work.train(1)), None) is None:
            raise TaskError("train(0) gave batches, but train(1) gave none; train(epoch) must work for every epoch")
    with user_code(file, "train(0) was read again"):
        seed_all(seed, 0)
        if not same(first, list(islice(work.train(0), len(first)))):
            raise TaskError(
                "train(0) gave other batches when it was read again, so a run could not go on where it was stopped; "
                "make the order follow from seed and epoch alone: give the loader a new "
                "torch.Generator().manual_seed(1000 * seed + epoch) in every epoch, and no persistent workers"
            )


def _positive(steps: object) -> int:
    try:
        count = operator.index(steps)  # type: ignore[arg-type]  # it is the user's, so it can be anything
    except TypeError:
        count = 0
    if count < 1 or isinstance(steps, bool):
        raise TaskError(f"steps_per_epoch must be a positive whole number, got {steps!r}")
    return count


def _check_gradient(work: Workload, file: Path | None) -> None:
    work.model.train()
    with user_code(file, "the loss of the first batch was computed"):
        loss = work.loss(work.model, next(iter(work.train(0))))
    if not isinstance(loss, Tensor):
        raise TaskError(f"loss must return a tensor with a single number, got a {type(loss).__name__}")
    if loss.ndim != 0:
        raise TaskError(f"loss must return a tensor with a single number, got shape {tuple(loss.shape)}; take its mean")
    if not torch.isfinite(loss):
        raise TaskError(f"the loss of the first batch is {loss.item()} before any step; look at the data and the model")
    if not loss.requires_grad:
        raise TaskError(
            "the loss has no gradient (was it detached, or computed under no_grad?), so nothing can be learned"
        )
    with user_code(file, "the gradient of the first batch was computed"):
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    gradients = [parameter.grad for parameter in work.model.parameters() if parameter.grad is not None]
    if not gradients:
        raise TaskError("the loss does not depend on any parameter of Workload.model; does it use another model?")
    if not all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
        raise TaskError("the gradient of the first batch is not finite before any step; look at the loss and the data")


def _check_groups(groups: object) -> None:
    wanted = 'groups(model) must return a list such as [{"params": [...], "lr": 0.1}]'
    if not isinstance(groups, list) or not groups:
        raise TaskError(f"{wanted}, got {'an empty list' if groups == [] else f'a {type(groups).__name__}'}")
    for group in groups:
        if not isinstance(group, dict) or "params" not in group:
            what = (
                f"a dict with {', '.join(map(str, group))}" if isinstance(group, dict) else f"a {type(group).__name__}"
            )
            raise TaskError(f"{wanted}, got {what} in it")
