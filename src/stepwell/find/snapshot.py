"""A training run as it is now, kept in memory, so that short runs can start from it and leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from stepwell.drive.follow import attached
from stepwell.errors import OptimizerError
from stepwell.find.kept import Kept
from stepwell.find.loaders import keep_loader, own_iterators
from stepwell.find.quiet import refuse_hooks, unheard
from stepwell.tasks.determinism import random_state, restore_random

_WRAPPERS = ("torch.nn.parallel.", "torch.distributed.", "torch._dynamo.")


@final
class Snapshot:
    """Everything that updates change, copied once; `restore` puts it back into the same objects.

    Kept: parameters with their gradients and `requires_grad`, all buffers, every module's mode and other attributes,
    the optimizer with its groups and state, the scheduler, the scaler, the generators and counters of the loaders, and
    the global generators of torch (on every CUDA device in use), numpy and Python.
    """

    def __init__(self, work: Kept, data: Kept) -> None:
        self._work, self._data = work, data
        self._random = random_state()

    @classmethod
    def take(
        cls,
        model: nn.Module,
        optimizer: Optimizer,
        *,
        scheduler: object = None,
        scaler: object = None,
        loaders: Sequence[object] = (),
        modules: Sequence[nn.Module] = (),
    ) -> Snapshot:
        """Copy what updates change; nothing is touched.

        Args:
            model: with its parameters' gradients and its modules' modes.
            optimizer: with the optimizers that it wraps.
            scheduler: torch's, ours, or any with attributes; a Scheduler of ours that follows the optimizer is found.
            scaler: a `GradScaler`.
            loaders: whose position and generators are kept: a `DataLoader`, or any iterable.
            modules: what else is trained or changed, such as a loss with parameters or an average of the weights.

        Raises:
            OptimizerError: the optimizer's state holds something that cannot be copied.
        """
        work, data = Kept(), Kept()
        for root in (model, *modules):
            for module in root.modules():
                _keep_module(work, module)
        optimizers = _nested(optimizer)
        for one in optimizers:
            _keep_optimizer(work, one)
        for one in _nested(scheduler, *(attached(one) for one in optimizers)):
            work.attributes(one, without=("optimizer",))
        if hasattr(scaler, "__dict__"):
            work.attributes(scaler)
        for loader in loaders:
            keep_loader(data, loader)
        return cls(work, data)

    def restore(self, *, data: bool = True) -> None:
        """Put everything back, as often as you like; without `data`, the loaders stay where they are."""
        self._work.restore()
        if data:
            self._data.restore()
        restore_random(self._random)


@contextmanager
def preserved(
    model: nn.Module,
    optimizer: Optimizer,
    *,
    scheduler: object = None,
    scaler: object = None,
    loaders: Sequence[object] = (),
    modules: Sequence[nn.Module] = (),
    run_hooks: bool = False,
) -> Iterator[Snapshot]:
    """Inside, train as you like; afterwards everything is bit for bit what it was, also after an exception or Ctrl-C.

    A Scheduler or Recorder of ours on the optimizer, or on one that it wraps, hears nothing of what happens inside.

    Args:
        model: as in `Snapshot.take`.
        optimizer: the same.
        scheduler: the same.
        scaler: the same.
        loaders: the same.
        modules: the same.
        run_hooks: run step hooks that are not ours instead of refusing them.

    Yields:
        The snapshot, to go back to in between.

    Raises:
        OptimizerError: a foreign step hook, or a state that cannot be copied; nothing was touched then.

    Example:
        >>> import torch
        >>> model = nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> before = model.weight.item()
        >>> with preserved(model, optimizer):
        ...     model(torch.ones(1)).backward()
        ...     optimizer.step()
        >>> model.weight.item() == before, model.weight.grad
        (True, None)
    """
    optimizers = _nested(optimizer)
    if not run_hooks:
        refuse_hooks(*optimizers)
    with unheard(*optimizers), own_iterators(*loaders):
        snapshot = Snapshot.take(model, optimizer, scheduler=scheduler, scaler=scaler, loaders=loaders, modules=modules)
        try:
            yield snapshot
        finally:
            try:
                snapshot.restore()
            except KeyboardInterrupt:  # a second Ctrl-C, out of impatience: finish, then obey
                snapshot.restore()
                raise


def _keep_module(work: Kept, module: nn.Module) -> None:
    for parameter in module.parameters(recurse=False):
        work.value(parameter)
    for buffer in module.buffers(recurse=False):
        work.value(buffer)
    # With the dicts of both, since a buffer may be replaced as well as changed. Whatever else a module counts or caches
    # is kept too, but neither its hooks, of which torch holds a dozen registers per module, nor what torch's wrappers
    # (DDP, FSDP, compiled modules) set up at the first forward pass.
    own = ("training", "_parameters", "_buffers") if type(module).__module__.startswith(_WRAPPERS) else vars(module)
    kept = {name for name in own if "_hooks" not in name}
    work.attributes(module, without=[name for name in vars(module) if name not in kept])


def _keep_optimizer(work: Kept, optimizer: Optimizer) -> None:
    try:
        work.whole(optimizer.state)
    except TypeError as error:
        raise OptimizerError(
            f"the state of {type(optimizer).__name__} cannot be copied, so the search could not put it back: {error}; "
            "search with an optimizer whose state is numbers and tensors, and use the rate with yours"
        ) from error
    work.attributes(optimizer)


def _nested(*things: object) -> list[Any]:
    """The optimizers or schedulers, and those that they wrap."""
    found: list[Any] = []
    waiting = [thing for thing in things if thing is not None and hasattr(thing, "__dict__")]
    while waiting:
        thing = waiting.pop(0)
        if any(thing is other for other in found):
            continue
        found.append(thing)
        kind = Optimizer if isinstance(thing, Optimizer) else LRScheduler
        for value in vars(thing).values():
            inner = value if isinstance(value, list | tuple) else [value]
            waiting += [one for one in inner if isinstance(one, kind)]
    return found
