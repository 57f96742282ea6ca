"""A model in the middle of a user's own loop, on the bench."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext

from torch import nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from stepwell.errors import OptimizerError, TaskError
from stepwell.find.bench import Loss, Source, Start
from stepwell.find.how import How
from stepwell.find.loaders import base_seed, check_loader, length, seeded_epochs
from stepwell.find.quiet import refuse_closure
from stepwell.find.rig import VAL_BATCHES, Rig, ratios_to_first
from stepwell.find.scoring import mean_loss
from stepwell.find.snapshot import Snapshot, preserved
from stepwell.tasks.determinism import seed_all
from stepwell.tasks.task import Batch

# Streams of random numbers of one seed, which have nothing to do with each other.
TRAIN, SCORING, NOISE = range(3)


def live(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Loss,
    loader: Iterable[Batch],
    *,
    val_loader: Iterable[Batch] | None = None,
    scheduler: object = None,
    how: How | None = None,
    limit: int = VAL_BATCHES,
) -> Rig:
    """A live model and optimizer, ready to be tried at any rate; before, during or after their training.

    Every seed begins with the model and the optimizer as they are, so seeds vary the order of the data alone, and that
    only where the loader shuffles. A model in eval mode as a whole is put into training mode for the updates.

    Args:
        model: as the loop has it, wrapped or not; on its device.
        optimizer: its groups' `initial_lr` (or `lr`) give their ratios.
        loss: what the loop does with a batch, up to the loss; it brings the batch to the device if the loop does.
        loader: what the loop iterates.
        val_loader: gives the batches of a validation loss.
        scheduler: one that the loop steps. It does not move.
        how: what the loop does beside `loss.backward()` and `optimizer.step()`.
        limit: the most validation batches that are read.

    Raises:
        TaskError: the model has nothing to train.
        OptimizerError: the optimizer is of another model, or needs a closure.
        OptionError: an iterator in place of a loader.
    """
    how = How() if how is None else how
    check_model(model)
    _check_pair(model, optimizer)
    check_loader(loader, "the loader")
    if val_loader is not None:
        check_loader(val_loader, "the validation loader")
    snapshots: list[Snapshot] = []  # while it is open: the one
    loaders = [one for one in (loader, val_loader) if one is not None]

    @contextmanager
    def opened() -> Iterator[None]:
        with preserved(
            model,
            optimizer,
            scheduler=scheduler,
            scaler=how.scaler,
            loaders=loaders,
            modules=[loss] if isinstance(loss, nn.Module) else [],
            run_hooks=how.run_hooks,
        ) as snapshot:
            snapshots.append(snapshot)
            try:
                yield
            finally:
                snapshots.clear()

    def begin(seed: int) -> Start:
        snapshots[0].restore()
        base = base_seed()
        epochs = seeded_epochs(loader)

        def rewind() -> None:
            snapshots[0].restore(data=False)
            if not model.training:
                model.train()
            seed_all(base, seed, NOISE)

        rewind()
        return Start(
            model=model,
            optimizer=optimizer,
            loss=loss,
            rewind=rewind,
            train=lambda epoch: epochs((seed, TRAIN, epoch)),
            scoring=lambda epoch: epochs((seed, SCORING, epoch)),
            val=None if val_loader is None else lambda: iter(val_loader),
            measure=lambda model, batches: mean_loss(loss, how, model, list(batches)),
        )

    epoch_length = length(loader)
    return Rig(
        Source(
            begin=begin,
            opened=opened,
            guard=lambda _: nullcontext(),  # the error is the user's own, with its place in the user's loop
            ratios=base_ratios(optimizer),
            seeds_vary="data order",
            steps_per_epoch=None if epoch_length is None else max(1, epoch_length // how.accumulate),
        ),
        how,
        limit,
    )


def check_model(model: object) -> None:
    """Refuse what cannot be trained.

    Raises:
        TaskError: no module, nothing trainable in it, or parameters without a shape yet.
    """
    if not isinstance(model, nn.Module):
        raise TaskError(f"the model must be a torch.nn.Module, got a {type(model).__name__}")
    if any(is_lazy(parameter) for parameter in model.parameters()):
        raise TaskError("the model has lazy parameters without a shape yet; pass one batch through it first")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise TaskError("the model has no trainable parameter (none with requires_grad), so there is nothing to train")


def base_ratios(optimizer: Optimizer) -> tuple[float, ...]:
    """Each group's base rate, without what a scheduler makes of it now, as a multiple of the first's.

    Raises:
        OptimizerError: the first group's base rate is 0 and another's is not.
    """
    return ratios_to_first([float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups], "lr")


def _check_pair(model: nn.Module, optimizer: object) -> None:
    if not isinstance(optimizer, Optimizer):
        raise OptimizerError(f"the optimizer must be a torch optimizer, got a {type(optimizer).__name__}")
    refuse_closure(optimizer)
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"]):
        raise OptimizerError(
            "the optimizer trains no parameter of this model; make it over model.parameters(), after the model was "
            "moved or wrapped"
        )
