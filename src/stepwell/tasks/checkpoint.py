"""A training run in bytes: everything that decides how it goes on."""

from __future__ import annotations

import io
import pickle
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from stepwell.errors import ResumeError
from stepwell.tasks.determinism import random_state


class Stateful(Protocol):
    """What has a state of plain data, as a scheduler has."""

    def state_dict(self) -> dict[str, Any]:
        """The state."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the state."""
        ...


def freeze(model: nn.Module, optimizer: Optimizer, scheduler: Stateful, progress: dict[str, Any]) -> bytes:
    """The states of the three, of every random generator, and `progress` (plain data), as bytes."""
    buffer = io.BytesIO()
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "random": random_state(),
        "progress": progress,
    }
    torch.save(state, buffer)
    return buffer.getvalue()


def thaw(frozen: bytes) -> dict[str, Any]:
    """What `freeze` was given; nothing but plain data and tensors is ever loaded.

    Raises:
        ResumeError: the bytes are not a checkpoint, or the model has a state of its own that is not plain data.
    """
    try:
        # The generators' states must stay on the CPU; the model and the optimizer move theirs when they load.
        state: dict[str, Any] = torch.load(io.BytesIO(frozen), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ResumeError(f"the checkpoint cannot be read ({reason}); delete the run to begin it again") from error
    return state


def restore(state: dict[str, Any], model: nn.Module, optimizer: Optimizer, scheduler: Stateful) -> None:
    """Put model, optimizer and scheduler back where they were; the generators follow with `restore_random`.

    Raises:
        ResumeError: the checkpoint is of another model or optimizer: the task was edited meanwhile.
    """
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ResumeError(
            f"the checkpoint does not fit the task as it is now ({reason}); delete the run to begin it again"
        ) from error
    scheduler.load_state_dict(state["scheduler"])
