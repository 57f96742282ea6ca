"""Rows of a run in the store: float64 columns in chunks, appended and cut inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stepwell.errors import StoreError
from stepwell.record.columns import join, num_rows, rows_where
from stepwell.record.database import DamagedError
from stepwell.record.run import Columns

Array: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["train", "evals"]

CHUNK_ROWS = 65_536
"""The most rows in one chunk, so that a long run never needs one huge value in memory or in the file."""


def append_rows(connection: sqlite3.Connection, run_id: str, kind: Kind, columns: Columns) -> None:
    """Write the rows behind those that are there. No rows at all still leave the names of the columns."""
    stored = _num_stored(connection, run_id, kind)
    names = json.dumps(list(columns))
    for start in range(0, max(num_rows(columns), 1), CHUNK_ROWS):
        part = [column[start : start + CHUNK_ROWS] for column in columns.values()]
        data = b"".join(column.astype("<f8", copy=False).tobytes() for column in part)
        count = len(part[0]) if part else 0
        connection.execute(
            "INSERT INTO chunks (run_id, kind, first, count, names, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run_id, kind, stored + start, count, names, _checksum(names, count, data), data),
        )
    _count_rows(connection, run_id, kind, stored + num_rows(columns))


def replace_rows(connection: sqlite3.Connection, run_id: str, kind: Kind, columns: Columns) -> None:
    """Write the rows instead of those that are there."""
    connection.execute("DELETE FROM chunks WHERE run_id = ? AND kind = ?", (run_id, kind))
    _count_rows(connection, run_id, kind, 0)
    if columns:
        append_rows(connection, run_id, kind, columns)


def read_rows(connection: sqlite3.Connection, run_id: str, kind: Kind) -> dict[str, Array]:
    """Every row, in order."""
    chunks = connection.execute(
        "SELECT names, count, crc, data FROM chunks WHERE run_id = ? AND kind = ? ORDER BY first, key", (run_id, kind)
    )
    columns = join([_unpacked(*chunk) for chunk in chunks])
    stored = _num_stored(connection, run_id, kind)
    if num_rows(columns) != stored:
        raise DamagedError(f"{num_rows(columns)} of {stored} rows are there")
    return columns


def last_step(connection: sqlite3.Connection, run_id: str, kind: Kind) -> float | None:
    """The `step` of the last row; None where there is none."""
    found = connection.execute(
        "SELECT names, count, crc, data FROM chunks WHERE run_id = ? AND kind = ? AND count > 0 "
        "ORDER BY first DESC LIMIT 1",
        (run_id, kind),
    ).fetchone()
    return None if found is None else float(_steps(_unpacked(*found))[-1])


def keep_rows(
    connection: sqlite3.Connection, run_id: str, kind: Kind, keep: Callable[[Array], NDArray[np.bool_]]
) -> None:
    """Drop the last rows, those whose `step` does not satisfy `keep`; steps ascend."""
    chunks = connection.execute(
        "SELECT key, names, count, crc, data FROM chunks WHERE run_id = ? AND kind = ? ORDER BY first DESC, key DESC",
        (run_id, kind),
    ).fetchall()
    for key, *chunk in chunks:
        columns = _unpacked(*chunk)
        kept = keep(_steps(columns))
        if kept.all():
            return
        connection.execute("DELETE FROM chunks WHERE key = ?", (key,))
        _count_rows(connection, run_id, kind, _num_stored(connection, run_id, kind) - len(kept))
        if kept.any():
            append_rows(connection, run_id, kind, rows_where(columns, kept))


def _num_stored(connection: sqlite3.Connection, run_id: str, kind: Kind) -> int:
    counts = connection.execute("SELECT train_rows, evals_rows FROM runs WHERE id = ?", (run_id,)).fetchone()
    return int(counts[0] if kind == "train" else counts[1])


def _count_rows(connection: sqlite3.Connection, run_id: str, kind: Kind, count: int) -> None:
    column = "train_rows" if kind == "train" else "evals_rows"
    connection.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", (count, run_id))  # noqa: S608 - our own names


def _steps(columns: Columns) -> Array:
    if "step" not in columns:
        raise StoreError(f"a run that goes on needs a column `step`; this one has {', '.join(columns) or 'none'}")
    return columns["step"]


def _unpacked(names: str, count: int, crc: int, data: bytes) -> dict[str, Array]:
    if _checksum(names, count, data) != crc:
        raise DamagedError(f"{count} rows are not those that were written")
    columns = json.loads(names)
    table = np.frombuffer(data, dtype="<f8").reshape(len(columns), count)
    return {name: table[row].astype(np.float64) for row, name in enumerate(columns)}


def _checksum(names: str, count: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(f"{count} {names}".encode()))
