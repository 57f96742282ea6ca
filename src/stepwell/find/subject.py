"""What a user wants a rate for: a task, a function that makes models, or a live model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import Optimizer

from stepwell.errors import OptionError
from stepwell.find.bench import Bench, Loss
from stepwell.find.how import How
from stepwell.find.live import live
from stepwell.find.of_factory import Data, MakeOptimizer, of_factory
from stepwell.find.of_task import of_task
from stepwell.find.paste import for_family, for_live
from stepwell.record.trial import TaskRef
from stepwell.tasks.load import reference, written

FAMILY = "momentum"  # what `compare` trains with unless told otherwise
VAL_BATCHES = 8  # that a short run is validated on at most


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is searched on.

    Args:
        bench: closed as yet.
        task, optimizer: what reports call them.
        has_val: whether there is something to validate on.
        paste: a rate and a schedule's text -> Python to paste.
    """

    bench: Bench
    task: str
    optimizer: str
    has_val: bool
    paste: Callable[[float, str, int | None], str]


def read_subject(
    subject: Any,
    optimizer: MakeOptimizer | Optimizer | None,
    *,
    loss: Loss | None,
    data: Data | None,
    val: Data | None,
    options: Mapping[str, float] | None,
    scheduler: object,
    how: How | None,
) -> Subject:
    """The bench of a subject, with its names; see `find_lr` for what goes together.

    Raises:
        OptionError: arguments that do not go together.
        TaskError, OptimizerError: what cannot be trained.
    """
    if isinstance(subject, nn.Module):
        return _live(subject, optimizer, loss, data, val, options, scheduler, how)
    if scheduler is not None:
        raise OptionError("scheduler= goes with a live model; otherwise give the schedule's text as schedule=")
    if loss is not None or data is not None:
        return _factory(subject, optimizer, loss, data, val, options, how)
    if val is not None or how is not None:
        raise OptionError("a task brings its own data and updates; val= and how= go with a model and loss=, data=")
    return _task(subject, optimizer, options)


def _live(
    model: nn.Module, optimizer: Any, loss: Any, data: Any, val: Any, options: Any, scheduler: object, how: How | None
) -> Subject:
    if not isinstance(optimizer, Optimizer):
        raise OptionError(
            "a live model needs the torch optimizer that trains it: find_lr(model, optimizer, loss=..., data=loader); "
            f"got {optimizer!r:.60}"
        )
    if options:
        raise OptionError("options= go with an optimizer given by its family; a live one has its own")
    _need(loss, data, "a live model")
    if callable(data) and not hasattr(data, "__iter__"):
        raise OptionError("for a live model data= is the loader of its loop, not a function")
    bench = live(model, optimizer, loss, data, val_loader=val, scheduler=scheduler, how=how, limit=VAL_BATCHES)
    name = type(optimizer).__name__
    return Subject(bench, type(model).__name__, name, val is not None, for_live(bench.ratios))


def _factory(
    factory: Any, optimizer: Any, loss: Any, data: Any, val: Any, options: Mapping[str, float] | None, how: How | None
) -> Subject:
    _need(loss, data, "a function that makes models")
    if isinstance(optimizer, Optimizer):
        raise OptionError(
            "an optimizer trains one model, and a factory makes many: pass the live model with its optimizer, or a "
            "function from parameters to an optimizer"
        )
    chosen: Any = FAMILY if optimizer is None else optimizer
    bench = of_factory(factory, loss, data, chosen, options=options, val=val, how=how, limit=VAL_BATCHES)
    named = getattr(factory, "__name__", type(factory).__name__)
    if isinstance(chosen, str):
        return Subject(bench, named, chosen, val is not None, for_family(chosen, options))
    return Subject(bench, named, _name(chosen), val is not None, for_live(bench.ratios))


def _task(task: Any, optimizer: Any, options: Mapping[str, float] | None) -> Subject:
    family = FAMILY if optimizer is None else optimizer
    if not isinstance(family, str):
        raise OptionError(f"a task is trained by an optimizer family, such as 'adamw'; got {family!r:.60}")
    ref = reference(task) if isinstance(task, str) else task
    name = written(ref) if isinstance(ref, TaskRef) else getattr(task, "__name__", type(task).__name__)
    bench = of_task(ref, family, options, limit=VAL_BATCHES)
    return Subject(bench, name, family, True, for_family(family, options))


def _need(loss: object, data: object, what: str) -> None:
    for name, value, example in (("loss", loss, "loss=lambda model, batch: ..."), ("data", data, "data=loader")):
        if value is None:
            raise OptionError(f"{what} needs {name}=, such as {example}")


def _name(chosen: Any) -> str:
    inner = getattr(chosen, "func", chosen)  # of a partial
    return str(getattr(inner, "__name__", type(inner).__name__))
