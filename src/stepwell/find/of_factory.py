"""A model factory on the bench: every seed has an initialisation and a data order of its own."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, TypeAlias

from torch import nn
from torch.optim import Optimizer

from stepwell.errors import OptimizerError, TaskError
from stepwell.find.bench import Loss, Source, Start
from stepwell.find.how import How
from stepwell.find.kept import Kept
from stepwell.find.live import NOISE, SCORING, TRAIN, base_ratios, check_model
from stepwell.find.loaders import check_loader, keep_loader, length, own_iterators, seeded_epochs
from stepwell.find.quiet import refuse_closure, refuse_hooks
from stepwell.find.rig import VAL_BATCHES, Rig
from stepwell.find.scoring import mean_loss
from stepwell.find.snapshot import Snapshot
from stepwell.tasks.determinism import random_kept, seed_all
from stepwell.tasks.optimizers import make_optimizer
from stepwell.tasks.task import Batch

Factory: TypeAlias = Callable[[], nn.Module] | Callable[[int], nn.Module]
Data: TypeAlias = Iterable[Batch] | Callable[[int], Iterable[Batch]]
MakeOptimizer: TypeAlias = str | Callable[[Any], Optimizer]


def of_factory(
    factory: Factory,
    loss: Loss,
    data: Data,
    optimizer: MakeOptimizer,
    *,
    options: Mapping[str, float] | None = None,
    val: Data | None = None,
    how: How | None = None,
    limit: int = VAL_BATCHES,
) -> Rig:
    """A function that makes models, ready to be tried at any rate.

    Args:
        factory: makes a new model on every call, from a seed if it takes one; torch's generators are seeded before.
        loss: the training loss of a batch.
        data: a loader, or a function from a seed to the batches of an epoch in that seed's order.
        optimizer: a key of `stepwell.tasks.optimizers.FAMILIES`, or a function from parameters to an optimizer, such as
            `partial(torch.optim.AdamW, weight_decay=0.05)`.
        options: of an optimizer given by name.
        val: validation batches, in either form.
        how: what the loop does beside `loss.backward()` and `optimizer.step()`.
        limit: the most validation batches that are read.

    Raises:
        TaskError: what the factory makes cannot be trained, or it makes the same model twice.
        OptimizerError: the optimizer cannot be made.
        OptionError: an iterator in place of a loader.
    """
    how = How() if how is None else how
    make = _maker(factory)
    loaders = [one for one in (data, val) if one is not None and not _is_function(one)]
    for one in loaders:
        check_loader(one, "the data")

    train = _epochs(data)
    score = None if val is None else _epochs(val)

    def built(seed: int) -> tuple[nn.Module, Optimizer]:
        seed_all(seed)
        model = make(seed)
        check_model(model)
        made = _optimizer(optimizer, model, options)
        refuse_closure(made)
        if not how.run_hooks:
            refuse_hooks(made)
        return model, made

    def begin(seed: int) -> Start:
        model, made = built(seed)
        seed_all(seed, NOISE)
        snapshot = Snapshot.take(model, made, scaler=how.scaler)
        return Start(
            model=model,
            optimizer=made,
            loss=loss,
            rewind=snapshot.restore,
            train=partial(train, seed, TRAIN),
            scoring=partial(train, seed, SCORING),
            val=None if score is None else partial(score, seed, SCORING, 0),
            measure=lambda model, batches: mean_loss(loss, how, model, list(batches)),
        )

    @contextmanager
    def opened() -> Iterator[None]:
        kept = Kept()
        if hasattr(how.scaler, "__dict__"):
            kept.attributes(how.scaler)
        for one in loaders:
            keep_loader(kept, one)
        with random_kept(), own_iterators(*loaders):
            try:
                yield
            finally:
                kept.restore()

    with random_kept():
        ratios = base_ratios(built(0)[1])
    epoch_length = None if _is_function(data) else length(data)
    steps = None if epoch_length is None else max(1, epoch_length // how.accumulate)
    source = Source(begin, opened, lambda _: nullcontext(), ratios, "initialisation and data order", steps)
    return Rig(source, how, limit)


def _maker(factory: Any) -> Callable[[int], nn.Module]:
    """The factory as a function of a seed, which refuses to give the same model twice."""
    takes_seed = _takes_argument(factory)
    seen: list[weakref.ref[Any]] = []

    def make(seed: int) -> nn.Module:
        model: nn.Module = factory(seed) if takes_seed else factory()
        if isinstance(model, nn.Module):
            if any(known() is model for known in seen):
                raise TaskError(
                    "the factory returned the same model again; make a new one in it, as in `lambda: Net()`, or pass "
                    "the model itself with its optimizer"
                )
            seen[:] = [weakref.ref(model)]
        return model

    return make


def _takes_argument(factory: Any) -> bool:
    if not callable(factory) or isinstance(factory, nn.Module):
        raise TaskError(f"the factory must be a function that makes a model, got a {type(factory).__name__}")
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:  # some classes written in C do not tell
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(one.default is one.empty and one.kind in positional for one in parameters)


def _optimizer(wanted: MakeOptimizer, model: nn.Module, options: Mapping[str, float] | None) -> Optimizer:
    if isinstance(wanted, str):
        return make_optimizer(wanted, model, 1.0, options)
    made: object = wanted([parameter for parameter in model.parameters() if parameter.requires_grad])
    if not isinstance(made, Optimizer):
        raise OptimizerError(f"the optimizer function must return a torch optimizer, got a {type(made).__name__}")
    return made


def _is_function(data: object) -> bool:
    return callable(data) and not hasattr(data, "__iter__")


def _epochs(data: Any) -> Callable[[int, int, int], Iterable[Batch]]:
    """A seed, a stream and an epoch -> batches. A function is given other seeds for later epochs and for scoring."""
    if not _is_function(data):
        epochs = seeded_epochs(data)
        return lambda seed, stream, epoch: epochs((seed, stream, epoch))

    def epoch_batches(seed: int, stream: int, epoch: int) -> Iterable[Batch]:
        seed_all(seed, stream, epoch)
        batches: Iterable[Batch] = data(seed + 1_000_003 * (2 * epoch + stream))
        return batches

    return epoch_batches
