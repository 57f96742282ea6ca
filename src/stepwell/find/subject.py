"""What a user wants a rate for: a task, a function that makes models, or a live model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.loss import _Loss
from torch.optim import Optimizer

from stepwell.drive.follow import attached
from stepwell.errors import OptionError
from stepwell.find.bench import Bench, Loss
from stepwell.find.how import How
from stepwell.find.live import live
from stepwell.find.of_factory import of_factory
from stepwell.find.of_task import of_task
from stepwell.find.paste import Paste, for_family, for_live
from stepwell.record.trial import TaskRef
from stepwell.tasks.load import reference, written

FAMILY = "momentum"  # what `compare` trains with unless told otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What `find_lr` was given beside the subject and its optimizer.

    Args:
        loss, data, val, options, scheduler, how: as there; None where they were not given.
        limit: validation batches that a short run is scored on at most.
    """

    loss: Loss | None
    data: Any
    val: Any
    options: Mapping[str, float] | None
    scheduler: object
    how: How | None
    limit: int

    def need(self, what: str) -> tuple[Loss, Any]:
        """The loss and the data.

        Raises:
            OptionError: one of them is missing, or is of another kind.
        """
        if self.loss is None:
            raise OptionError(f"{what} needs loss=, such as loss=lambda model, batch: ...")
        if isinstance(self.loss, _Loss):
            raise OptionError(
                f"loss is called with the model and a batch; give loss=lambda model, batch: criterion(model(batch[0]), "
                f"batch[1]), where criterion is your {type(self.loss).__name__}"
            )
        if (takes := _takes_other(self.loss, "model", "batch")) is not None:
            raise OptionError(f"loss is called with the model and a batch, as loss(model, batch); yours takes {takes}")
        if self.data is None:
            raise OptionError(f"{what} needs data=, such as data=loader")
        if _is_whole_set(self.data):
            raise OptionError(
                "data= gives batches, and this is a pair of tensors; pass a loader, such as "
                "DataLoader(TensorDataset(inputs, targets), batch_size=32, shuffle=True)"
            )
        return self.loss, self.data


def _is_whole_set(data: object) -> bool:
    """Whether it is all inputs and their targets, which would be read as two batches."""
    match data:
        case (Tensor() as inputs, Tensor() as targets) if isinstance(data, tuple):
            return inputs.shape[:1] == targets.shape[:1] and inputs.shape != targets.shape
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is searched on.

    Args:
        bench: closed as yet.
        task, optimizer: what reports call them.
        has_val: whether there is something to validate on.
        paste: makes the Python to paste.
    """

    bench: Bench
    task: str
    optimizer: str
    has_val: bool
    paste: Paste


def read_subject(subject: Any, optimizer: Any, given: Given) -> Subject:
    """The bench of a subject, with its names; see `find_lr` for what goes together.

    Raises:
        OptionError: arguments that do not go together.
        TaskError, OptimizerError: what cannot be trained.
    """
    if given.how is not None and not isinstance(given.how, How):
        raise OptionError(f"how= is a stepwell.How, such as How(accumulate=2), got {given.how!r:.60}")
    if isinstance(subject, nn.Module):
        return _live(subject, optimizer, given)
    if given.scheduler is not None:
        raise OptionError("scheduler= goes with a live model; otherwise give the schedule's text as schedule=")
    if given.loss is not None or given.data is not None:
        return _factory(subject, optimizer, given)
    if given.val is not None or given.how is not None:
        raise OptionError("a task brings its own data and updates; val= and how= go with a model and loss=, data=")
    return _task(subject, optimizer, given)


def _live(model: nn.Module, optimizer: Any, given: Given) -> Subject:
    if not isinstance(optimizer, Optimizer):
        raise OptionError(
            "a live model needs the torch optimizer that trains it: find_lr(model, optimizer, loss=..., data=loader); "
            f"got {optimizer!r:.60}"
        )
    if given.options:
        raise OptionError("options= go with an optimizer given by its family; a live one has its own")
    loss, data = given.need("a live model")
    if callable(data) and not hasattr(data, "__iter__"):
        raise OptionError("for a live model data= is the loader of its loop, not a function")
    bench = live(
        model,
        optimizer,
        loss,
        data,
        val_loader=given.val,
        scheduler=given.scheduler,
        how=given.how,
        limit=given.limit,
    )
    paste = for_live(bench.ratios, driven=attached(optimizer) is not None)
    return Subject(bench, type(model).__name__, type(optimizer).__name__, given.val is not None, paste)


def _factory(factory: Any, optimizer: Any, given: Given) -> Subject:
    loss, data = given.need("a function that makes models")
    if isinstance(optimizer, Optimizer):
        raise OptionError(
            "an optimizer trains one model, and a factory makes many: pass the live model with its optimizer, or a "
            "function from parameters to an optimizer"
        )
    chosen = FAMILY if optimizer is None else optimizer
    bench = of_factory(
        factory, loss, data, chosen, options=given.options, val=given.val, how=given.how, limit=given.limit
    )
    family = isinstance(chosen, str)
    paste = for_family(chosen, given.options) if family else for_live(bench.ratios)
    return Subject(bench, _name(factory), chosen if family else _name(chosen), given.val is not None, paste)


def _task(task: Any, optimizer: Any, given: Given) -> Subject:
    family = FAMILY if optimizer is None else optimizer
    if not isinstance(family, str):
        raise OptionError(f"a task is trained by an optimizer family, such as 'adamw'; got {family!r:.60}")
    ref = reference(task) if isinstance(task, str) else task
    if not isinstance(ref, TaskRef) and not callable(ref):
        raise OptionError(
            "find_lr takes a task's name, a function that makes a model (with loss= and data=), or a live model; "
            f"got {task!r:.60}"
        )
    if not isinstance(ref, TaskRef) and (takes := _takes_other(ref, "seed")) is not None:
        raise OptionError(
            f"a task is called with a seed, and {_name(ref)} takes {takes}; a function that makes a model needs loss= "
            "and data= too"
        )
    bench = of_task(ref, family, given.options, limit=given.limit)
    name = written(ref) if isinstance(ref, TaskRef) else _name(ref)
    return Subject(bench, name, family, True, for_family(family, given.options))


def _takes_other(function: object, *arguments: str) -> str | None:
    """What a function takes, if it cannot be called with these arguments."""
    if not callable(function):
        return f"nothing: it is a {type(function).__name__}"
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C do not tell
        return None
    try:
        signature.bind(*arguments)
    except TypeError:
        return str(signature)
    return None


def _name(chosen: Any) -> str:
    inner: Callable[..., Any] = getattr(chosen, "func", chosen)  # of a partial
    return str(getattr(inner, "__name__", type(inner).__name__))
