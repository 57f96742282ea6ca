"""A training run in bytes: everything that decides how it goes on."""

from __future__ import annotations

import io
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from stepwell.errors import ResumeError
from stepwell.tasks.determinism import random_state, restore_random

# Counts what a checkpoint holds; one of another version is not read.
VERSION = 1


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
        "version": VERSION,
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
        ResumeError: the bytes are not a checkpoint, or one of another version, or the model has a state of its own that
            is not plain data.
    """
    try:
        # The generators' states must stay on the CPU; the model and the optimizer move theirs when they load.
        state = torch.load(io.BytesIO(frozen), map_location="cpu", weights_only=True)
    except Exception as error:  # what damage makes of a pickle has no bounds
        raise ResumeError(f"the checkpoint cannot be read ({_reason(error)})") from error
    version = state.get("version") if isinstance(state, dict) else None
    if version != VERSION:
        raise ResumeError(f"the checkpoint cannot be read (its version is {version}, not {VERSION})")
    return dict(state)


def restore(state: dict[str, Any], model: nn.Module, optimizer: Optimizer, scheduler: Stateful) -> None:
    """Put model, optimizer, scheduler and the random generators back where they were.

    Raises:
        ResumeError: the checkpoint is of another model, optimizer or schedule: the task was edited meanwhile. The model
            and the others may then be half of one and half of the other; make them anew.
    """
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
        restore_random(state["random"])
    except Exception as error:  # each part is free in what it makes of a foreign state
        raise ResumeError(f"the checkpoint does not fit the task as it is now ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """The first sentence of what torch may say in paragraphs."""
    words = " ".join(str(error).split())
    first = words.split(". ")[0].rstrip(".") if words else type(error).__name__
    return first if len(first) <= 200 else f"{first[:197]}..."
