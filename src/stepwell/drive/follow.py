"""Listening to an optimizer: hooks on its steps and its loading, and one Scheduler at a time."""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch.optim import Optimizer

from stepwell.errors import OptimizerError


class Listener(Protocol):
    """What listens: a Scheduler."""

    optimizer: Optimizer
    follow: bool

    @property
    def base_lrs(self) -> Sequence[float | torch.Tensor]:
        """The base rate of every parameter group."""
        ...

    def advance(self) -> None:
        """Move on by one update."""
        ...

    def write(self) -> None:
        """Put the values of the coming update into the parameter groups."""
        ...

    def detach(self) -> None:
        """Stop listening."""
        ...


class Counting(Protocol):
    """What has a number of the coming update."""

    optimizer: Optimizer

    @property
    def last_epoch(self) -> int:
        """The number."""
        ...


_ATTACHED: weakref.WeakKeyDictionary[Optimizer, weakref.ref[Any]] = weakref.WeakKeyDictionary()


def attach(listener: Listener) -> list[Callable[[], None]]:
    """Let the listener hear the optimizer; the functions that end it.

    The values are written again after the optimizer loads a state. With `follow` the listener moves whenever the
    optimizer has really stepped. Its base rates are left in the groups as torch does it, as `initial_lr`: only now,
    so that a listener that could not be built or is refused leaves nothing behind.

    Raises:
        OptimizerError: another scheduler is on the optimizer already.
    """
    optimizer = listener.optimizer
    refuse_torch(optimizer)
    _refuse_another(listener)
    for group, base in zip(optimizer.param_groups, listener.base_lrs, strict=False):  # some may have been added since
        group["initial_lr"] = base
    me = weakref.ref(listener)

    def loaded(_: Optimizer) -> None:
        if (alive := me()) is not None:
            alive.write()

    def stepped(stepped_optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        # A fused optimizer under GradScaler runs its hooks on a skipped update too.
        found_inf = getattr(stepped_optimizer, "found_inf", None)
        if found_inf is not None and float(found_inf) > 0:
            return
        if torch.cuda.is_available() and torch.cuda.is_current_stream_capturing():
            raise OptimizerError(
                "a Scheduler cannot follow an optimizer inside a CUDA graph: a replay runs no hooks; "
                "build it without follow=True and call step() after each replay"
            )
        if getattr(stepped_optimizer.step, "_wrapped_by_lr_sched", False):
            raise OptimizerError(
                "a torch scheduler was put on the optimizer that a Scheduler follows, and both would write its rates; "
                "put both shapes into one schedule text, or call detach()"
            )
        listener.advance()

    ends = [optimizer.register_load_state_dict_post_hook(loaded).remove]
    if listener.follow:  # the optimizer then keeps it alive: nobody else need hold what needs no call
        ends.append(optimizer.register_step_post_hook(stepped).remove)
    else:
        del stepped  # it would keep the listener alive
        weakref.finalize(listener, ends[0])
    _ATTACHED[optimizer] = me
    return ends


def attached(optimizer: Optimizer) -> Any:
    """The listener on the optimizer; None where there is none."""
    known = _ATTACHED.get(optimizer)
    return None if known is None else known()


def release(listener: Listener) -> None:
    """Forget that the listener is on its optimizer."""
    if attached(listener.optimizer) is listener:
        del _ATTACHED[listener.optimizer]


def refuse_later_member(listener: Counting, why: str) -> Callable[[], None]:
    """Raise an OptimizerError at every update until the listener has moved on to its first step; what ends it."""
    me = weakref.ref(listener)

    def updating(_: Optimizer, args: Any, kwargs: Any) -> None:
        alive = me()
        if alive is not None and alive.last_epoch < 0:
            raise OptimizerError(why)

    end = listener.optimizer.register_step_pre_hook(updating).remove  # not by itself: torch is walking over the hooks
    weakref.finalize(listener, end)
    return end


def stack_level() -> int:
    """The `stacklevel` with which a warning of the caller points at the first line outside Stepwell and torch.

    Between a follower and that line there are torch's hooks, as many as wrap `optimizer.step`.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("stepwell", "torch"):
        level, frame = level + 1, frame.f_back
    return level


def refuse_torch(optimizer: Optimizer) -> None:
    """Refuse an optimizer that a scheduler of torch is on.

    Raises:
        OptimizerError: it is.
    """
    if getattr(optimizer.step, "_wrapped_by_lr_sched", False):
        raise OptimizerError(
            "a torch scheduler is already on this optimizer and would write the same rates; put both shapes into one "
            "schedule text, or make a new optimizer"
        )


def _refuse_another(listener: Listener) -> None:
    other = attached(listener.optimizer)
    if other is None or other is listener:
        return
    if not (listener.follow and other.follow):
        raise OptimizerError(
            "a Scheduler is already on this optimizer; call its detach() first, or put both into one schedule text"
        )
    other.detach()
    warnings.warn("a second Scheduler follows this optimizer; it replaces the first", UserWarning, stack_level())
