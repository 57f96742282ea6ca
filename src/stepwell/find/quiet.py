"""Whoever listens to an optimizer, set aside while short runs are made."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch.optim import Optimizer
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from stepwell.errors import OptimizerError

OURS = "stepwell.drive."


@contextmanager
def unheard(*optimizers: Optimizer) -> Iterator[None]:
    """Inside, no Scheduler and no Recorder of ours hears the steps of these optimizers."""
    registers = _registers(optimizers)
    before = [dict(register) for register in registers]
    try:
        for register in registers:
            for number in [number for number, hook in register.items() if _is_ours(hook)]:
                del register[number]
        yield
    finally:
        for register, hooks in zip(registers, before, strict=True):
            register.clear()  # it keeps its place in torch's handles, and the hooks their order
            register.update(hooks)


def end_contexts(error: BaseException | None) -> None:
    """End now what a Ctrl-C has left half entered or half left.

    A `with` block that was interrupted between the two has not put its state back; its generator would do so when the
    error's frames are forgotten, after the search has put everything back, and so undo that.
    """
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def refuse_hooks(*optimizers: Optimizer) -> None:
    """Refuse step hooks that are not ours: what they change elsewhere could not be put back.

    Raises:
        OptimizerError: there is one.
    """
    registers: list[Mapping[int, object]] = [
        *_registers(optimizers),
        _global_optimizer_pre_hooks,
        _global_optimizer_post_hooks,
    ]
    for hook in (hook for register in registers for hook in register.values()):
        if not _is_ours(hook):
            raise OptimizerError(
                f"the optimizer has a step hook {_name(hook)!r}, and what that changes could not be put back; remove "
                "it for the search, or pass how=How(run_hooks=True) if it touches nothing but the optimizer and its "
                "parameters"
            )


def refuse_closure(optimizer: Optimizer) -> None:
    """Refuse an optimizer that computes the loss itself.

    Raises:
        OptimizerError: its `step` must be given a closure.
    """
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise OptimizerError(
            f"{type(optimizer).__name__} needs a closure that it calls several times in a step, so its updates cannot "
            "be compared at equal cost; find takes optimizers whose step() needs no argument"
        )


def _registers(optimizers: Iterable[Optimizer]) -> list[dict[int, Callable[..., Any]]]:
    return [
        register for one in optimizers for register in (one._optimizer_step_pre_hooks, one._optimizer_step_post_hooks)
    ]


def _is_ours(hook: object) -> bool:
    return str(getattr(hook, "__module__", "")).startswith(OURS)


def _name(hook: object) -> str:
    return str(getattr(hook, "__qualname__", type(hook).__name__))
