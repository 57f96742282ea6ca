"""Whether two batches are the same, whatever they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_IDENTITY: Any = object.__eq__


def same(one: Any, other: Any) -> bool:
    """Equal bit for bit, through nested batches of any kind; a missing value (`nan`) equals itself."""
    match one, other:
        case Tensor(), Tensor():
            return _same_tensors(one, other)
        case np.ndarray(), np.ndarray():
            return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
        case str() | bytes(), _:
            return bool(one == other)
        case Mapping(), Mapping():
            return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
        case Iterable(), Iterable():
            ones, others = list(one), list(other)
            return len(ones) == len(others) and all(map(same, ones, others))
        case _ if hasattr(one, "__dict__") and type(one) is type(other):  # a batch of the user's own class
            return same(vars(one), vars(other))
        case _ if type(one) is type(other) and type(one).__eq__ is _IDENTITY:  # equal to nothing but itself
            return True
        case _:
            return bool(one == other or (one != one and other != other))


def _same_tensors(one: Tensor, other: Tensor) -> bool:
    if one.dtype != other.dtype or one.layout != other.layout or one.shape != other.shape:
        return False
    if one.layout != torch.strided:
        one, other = one.to_dense(), other.to_dense()
    return torch.equal(one, other) or bool(((one == other) | ((one != one) & (other != other))).all())
