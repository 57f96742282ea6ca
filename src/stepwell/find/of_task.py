"""A task on the bench: every seed has an initialisation and a data order of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial

from torch import nn

from stepwell.errors import TaskError
from stepwell.find.bench import Source, Start
from stepwell.find.how import How
from stepwell.find.rig import VAL_BATCHES, Rig
from stepwell.find.snapshot import Snapshot
from stepwell.find.trouble import check_loss, memory_words
from stepwell.record.trial import TaskRef
from stepwell.tasks.blame import file_of, user_code
from stepwell.tasks.determinism import pinned, seed_all
from stepwell.tasks.evaluate import evaluate
from stepwell.tasks.load import load_task
from stepwell.tasks.optimizers import make_optimizer
from stepwell.tasks.task import Batch, Task, Workload

# The epoch whose batches are scored: other ones than a short run trains on.
SCORED_EPOCH = 1


def of_task(
    task: str | TaskRef | Task,
    optimizer: str,
    options: Mapping[str, float] | None = None,
    *,
    limit: int = VAL_BATCHES,
) -> Rig:
    """A task and an optimizer by name, ready to be tried at any rate.

    Seeds, epochs and random numbers are those of the training loop: one thread, the generators seeded anew in every
    epoch. Validation gives the mean `val_loss`; where the task's metrics have no loss, its goal, with the sign turned
    if it is to be maximised, so that less is better.

    Args:
        task: a name, a reference, or the task itself.
        optimizer: a key of `stepwell.tasks.optimizers.FAMILIES`.
        options: of the optimizer.
        limit: the most validation batches that are read.

    Raises:
        TaskError: the task cannot be loaded or built.
        OptimizerError: the optimizer cannot be made over it.
    """
    function = load_task(task) if isinstance(task, str | TaskRef) else task
    file = file_of(function)

    def guard(doing: str) -> AbstractContextManager[None]:
        return user_code(file, f"the task {doing}")

    def built(seed: int) -> Workload:
        with user_code(file, f"the task was called with seed {seed}"):
            work: object = function(seed)
        if not isinstance(work, Workload):
            raise TaskError(
                f"a task must return a Workload, got a {type(work).__name__}; a function that makes a model needs "
                "loss= and data= too"
            )
        return work

    def begin(seed: int) -> Start:
        seed_all(seed)
        work = built(seed)
        made = make_optimizer(optimizer, work, 1.0, options)
        seed_all(seed, 0)
        return Start(
            model=work.model,
            optimizer=made,
            loss=work.loss,
            rewind=Snapshot.take(work.model, made).restore,
            train=lambda epoch: _epoch(work, seed, epoch),
            scoring=lambda _: _epoch(work, seed, SCORED_EPOCH),
            val=work.val,
            measure=partial(_measure, work),
        )

    with pinned(0):
        work = built(0)
        groups = make_optimizer(optimizer, work, 1.0, options).param_groups
        ratios = tuple(group["lr"] / groups[0]["lr"] for group in groups)
        _check_first_batch(work, guard)
    source = Source(begin, lambda: pinned(0), guard, ratios, "initialisation and data order", work.steps_per_epoch)
    return Rig(source, How(), limit)


def _check_first_batch(work: Workload, guard: Callable[[str], AbstractContextManager[None]]) -> None:
    """Refuse what nothing can be learned from, before the search begins; where memory runs out, the search will tell.

    Raises:
        TaskError: every epoch is one and the same iterator; or the loss is not one number, or has no gradient.
    """
    with guard("was giving its first batch"):
        batches = work.train(0)
        if hasattr(batches, "__next__") and work.train(1) is batches:
            raise TaskError(
                "train(epoch) gave one and the same iterator for two epochs, which gives its batches only once; make a "
                "new one on every call"
            )
        batch = next(iter(batches), None)
    if batch is None:  # the search says what to do about that
        return
    work.model.train()
    with guard("was computing the loss of its first batch"):
        try:
            loss = work.loss(work.model, batch)
        except (RuntimeError, MemoryError) as error:
            if memory_words(error) is None:
                raise
            return
    check_loss(loss)


def _epoch(work: Workload, seed: int, epoch: int) -> Iterator[Batch]:
    seed_all(seed, epoch)
    return iter(work.train(epoch))


def _measure(work: Workload, model: nn.Module, batches: Iterable[Batch]) -> float:
    scores = evaluate(model, batches, work.metrics, "val")
    if "val_loss" in scores:
        return scores["val_loss"]
    name, direction = work.goal
    if name not in scores:
        raise TaskError(f"the goal of the task is {name!r}, its metrics give {', '.join(scores)}")
    return scores[name] if direction == "min" else -scores[name]
