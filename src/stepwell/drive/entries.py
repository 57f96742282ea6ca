"""The entries of torch's parameter groups that a schedule can drive, read and written in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from stepwell.errors import OptimizerError

BETAS = {"beta1": 0, "beta2": 1}
BOOKKEEPING = ("initial_", "scheduled_")  # what schedulers leave in a group beside torch's own entries


def read(group: Mapping[str, Any], name: str) -> float:
    """The value of an entry in a parameter group. `momentum` stands for beta1 where the optimizer has betas.

    Raises:
        OptimizerError: the group has no such entry.
    """
    key, place = _locate(group, name)
    value = group[key] if place is None else group[key][place]
    return float(value)


def write(group: dict[str, Any], name: str, value: float) -> None:
    """Set an entry. A tensor is filled in place, so that compiled and captured steps see it."""
    key, place = _locate(group, name)
    group[f"scheduled_{name}"] = value
    current = group[key] if place is None else group[key][place]
    if isinstance(current, torch.Tensor):
        current.fill_(value)
    elif place is None:
        group[key] = value
    else:
        values = list(group[key])
        values[place] = value
        group[key] = type(group[key])(values)


def check_different(group: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse two names of one entry, which would overwrite each other.

    Raises:
        OptimizerError: `momentum` and `beta1` where the optimizer has betas; a name that the group lacks.
    """
    places: dict[tuple[str, int | None], str] = {}
    for name in names:
        other = places.setdefault(_locate(group, name), name)
        if other != name:
            raise OptimizerError(f"{other} and {name} are one entry of this optimizer; schedule one of them")


def give_back(groups: Sequence[dict[str, Any]], name: str, bases: Sequence[float | None]) -> None:
    """Set an entry back to its base where it was driven, one per group, and forget that it was."""
    for group, base in zip(groups, bases, strict=True):
        if base is not None:
            write(group, name, base)
            del group[f"scheduled_{name}"]


def _locate(group: Mapping[str, Any], name: str) -> tuple[str, int | None]:
    if name in group and is_number(group[name]) and not name.startswith(BOOKKEEPING):
        return name, None
    if "betas" in group and name in ("momentum", *BETAS):
        return "betas", BETAS.get(name, 0)
    known = sorted(key for key, value in group.items() if is_number(value) and not key.startswith(BOOKKEEPING))
    known += ["momentum", *BETAS] if "betas" in group else []
    raise OptimizerError(f"the optimizer has no entry {name!r} to schedule; its groups have {', '.join(known)}")


def is_number(value: object) -> bool:
    """Whether it is one number, as a schedule can set: also a tensor of one element."""
    if isinstance(value, torch.Tensor):
        return value.numel() == 1
    return isinstance(value, int | float) and not isinstance(value, bool)
