"""Rows of a run in the store: float64 columns in chunks, appended and cut inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stepwell.errors import ForeignFileError, StoreError
from stepwell.record.columns import join, num_rows, rows_where
from stepwell.record.run import Columns

Array: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["train", "evals"]

CHUNK_ROWS = 65_536
"""The most rows in one chunk, so that a long run never needs one huge value in memory or in the file."""


def append_rows(connection: sqlite3.Connection, run_id: str, kind: Kind, columns: Columns) -> None:
    """Write the rows behind those that are there. No rows at all still leave the names of the columns."""
    ((stored,),) = connection.execute(
        "SELECT coalesce(max(first + count), 0) FROM chunks WHERE run_id = ? AND kind = ?", (run_id, kind)
    )
    names = json.dumps(list(columns))
    for start in range(0, max(num_rows(columns), 1), CHUNK_ROWS):
        part = [column[start : start + CHUNK_ROWS] for column in columns.values()]
        data = b"".join(column.astype("<f8", copy=False).tobytes() for column in part)
        count = len(part[0]) if part else 0
        connection.execute(
            "INSERT INTO chunks (run_id, kind, first, count, names, data) VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, kind, stored + start, count, names, data),
        )


def replace_rows(connection: sqlite3.Connection, run_id: str, kind: Kind, columns: Columns) -> None:
    """Write the rows instead of those that are there."""
    connection.execute("DELETE FROM chunks WHERE run_id = ? AND kind = ?", (run_id, kind))
    if columns:
        append_rows(connection, run_id, kind, columns)


def read_rows(connection: sqlite3.Connection, run_id: str, kind: Kind) -> dict[str, Array]:
    """Every row, in order."""
    chunks = connection.execute(
        "SELECT names, count, data FROM chunks WHERE run_id = ? AND kind = ? ORDER BY first, key", (run_id, kind)
    )
    return join([_unpacked(names, count, data) for names, count, data in chunks])


def last_step(connection: sqlite3.Connection, run_id: str, kind: Kind) -> float | None:
    """The `step` of the last row; None where there is none."""
    found = connection.execute(
        "SELECT names, count, data FROM chunks WHERE run_id = ? AND kind = ? AND count > 0 ORDER BY first DESC LIMIT 1",
        (run_id, kind),
    ).fetchone()
    return None if found is None else float(_steps(_unpacked(*found))[-1])


def keep_rows(
    connection: sqlite3.Connection, run_id: str, kind: Kind, keep: Callable[[Array], NDArray[np.bool_]]
) -> None:
    """Drop the last rows, those whose `step` does not satisfy `keep`; steps ascend."""
    chunks = connection.execute(
        "SELECT key, names, count, data FROM chunks WHERE run_id = ? AND kind = ? ORDER BY first DESC, key DESC",
        (run_id, kind),
    ).fetchall()
    for key, names, count, data in chunks:
        columns = _unpacked(names, count, data)
        kept = keep(_steps(columns))
        if kept.all():
            return
        connection.execute("DELETE FROM chunks WHERE key = ?", (key,))
        if kept.any():
            append_rows(connection, run_id, kind, rows_where(columns, kept))


def _steps(columns: Columns) -> Array:
    if "step" not in columns:
        raise StoreError(f"a run that goes on needs a column `step`; this one has {', '.join(columns) or 'none'}")
    return columns["step"]


def _unpacked(names: str, count: int, data: bytes) -> dict[str, Array]:
    columns = json.loads(names)
    if len(data) != 8 * count * len(columns):
        raise ForeignFileError(
            f"the run store is damaged: {count} rows of {columns} take {8 * count * len(columns)} bytes, "
            f"it holds {len(data)}; move it away, or choose another path (--store PATH)"
        )
    table = np.frombuffer(data, dtype="<f8").reshape(len(columns), count)
    return {name: table[row].astype(np.float64) for row, name in enumerate(columns)}
