"""Columns of a run: equal-length float64 arrays by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepwell.errors import StoreError
from stepwell.record.run import Columns


def num_rows(columns: Mapping[str, Any]) -> int:
    """How many rows the columns have; 0 where there is no column."""
    return len(next(iter(columns.values()), ()))


def as_columns(columns: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """The same columns as one-dimensional float64 arrays.

    Raises:
        StoreError: a column that is not a row of numbers, or columns of unequal length.
    """
    arrays = {}
    for name, values in columns.items():
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise StoreError(f"the column {name!r} must hold numbers: {error}") from error
        if array.ndim != 1:
            raise StoreError(f"the column {name!r} must be one row of numbers, got the shape {array.shape}")
        arrays[name] = array
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise StoreError(f"columns must have equal lengths, got {lengths}")
    return arrays


def join(parts: Sequence[Columns]) -> dict[str, NDArray[np.float64]]:
    """The parts below each other; a column that a part lacks is `nan` there.

    Example:
        >>> joined = join([{"lr": np.array([0.1])}, {"lr": np.array([0.2]), "lr.1": np.array([0.4])}])
        >>> {name: column.tolist() for name, column in joined.items()}
        {'lr': [0.1, 0.2], 'lr.1': [nan, 0.4]}
    """
    if len(parts) == 1:
        return dict(parts[0])
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: np.concatenate([_column(part, name) for part in parts]) for name in names}


def from_rows(rows: Sequence[Mapping[str, float]]) -> dict[str, NDArray[np.float64]]:
    """The columns of rows that are given by name; what a row lacks is `nan`."""
    return join([{name: np.array([value], dtype=np.float64) for name, value in row.items()} for row in rows])


def to_rows(columns: Columns) -> list[dict[str, float]]:
    """The rows of the columns, by name."""
    return [{name: float(column[row]) for name, column in columns.items()} for row in range(num_rows(columns))]


def rows_where(columns: Columns, kept: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """The rows that are kept."""
    return {name: column[kept] for name, column in columns.items()}


def _column(part: Columns, name: str) -> NDArray[np.float64]:
    return part[name] if name in part else np.full(num_rows(part), np.nan)
