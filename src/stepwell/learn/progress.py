"""What a learner has done: one SQLite file to which answers are added and in which none is ever changed."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, final

from stepwell.errors import StoreError
from stepwell.learn.attempt import Attempt, as_typed, strict
from stepwell.learn.modes import Mode
from stepwell.learn.verdict import Verdict
from stepwell.record.database import Kind, connect, explained, roll_back

VERSION = 1
"""Of the exported JSON."""

MOST_EVIDENCE = 64 * 1024
"""Characters of evidence that are kept of an answer; of more, only the plain numbers and texts are."""

PROGRESS = Kind(
    "progress file",
    int.from_bytes(b"SWlp", "big"),
    (
        (
            """
            CREATE TABLE attempts (
                key INTEGER PRIMARY KEY,
                time REAL NOT NULL,
                session TEXT NOT NULL,
                mode TEXT NOT NULL,
                item TEXT NOT NULL,
                topic TEXT NOT NULL,
                seed INTEGER NOT NULL,
                number INTEGER NOT NULL,
                answer TEXT NOT NULL,
                verdict TEXT NOT NULL,
                score REAL NOT NULL,
                hints INTEGER NOT NULL,
                seconds REAL NOT NULL,
                overtime REAL NOT NULL,
                confidence REAL,
                evidence TEXT NOT NULL
            ) STRICT
            """,
            "CREATE INDEX attempts_of_items ON attempts (item, key)",
            # A reset hides the attempts of an item up to the key `through`; it deletes nothing.
            """
            CREATE TABLE resets (
                key INTEGER PRIMARY KEY,
                time REAL NOT NULL,
                item TEXT NOT NULL,
                through INTEGER NOT NULL
            ) STRICT
            """,
            *(
                f"CREATE TRIGGER {table}_{event} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} are only added'); END"
                for table in ("attempts", "resets")
                for event in ("UPDATE", "DELETE")
            ),
        ),
    ),
    "--progress",
)

_COLUMNS = tuple(field.name for field in fields(Attempt))
_SHOWN = "key > coalesce((SELECT max(through) FROM resets WHERE resets.item = attempts.item), 0)"


def default_path() -> Path:
    """Where progress is kept unless another path is given: the folder of the user's data, by the system's custom."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Application Support"
    else:
        folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return folder / "stepwell/progress.sqlite"


@final
class Progress:
    """The learner's file. Every method is one transaction; several processes may use one file at once.

    Open it with `Progress.open`, best in a `with` block.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self.path = path
        self.clock = clock
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: str | Path | None = None, *, clock: Callable[[], float] = time.time) -> Progress:
        """The progress at `path`, created with its folder if it is missing.

        Args:
            path: the file; `default_path()` if None.
            clock: gives the time of what is recorded, in seconds since 1970.

        Raises:
            ForeignFileError: there is something else at `path`, or a damaged file. It is left as it is.
            NewerStoreError: a newer Stepwell wrote it.
            StoreError: it cannot be written.
        """
        path = default_path() if path is None else Path(path)
        try:
            if path.is_dir():
                raise StoreError(
                    f"the progress file must be a file, {path} is a folder; type: --progress {path}/me.sqlite"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the folder of the progress file {path} cannot be used ({error}); {PROGRESS.elsewhere}"
            ) from error
        return cls(path, connect(path, PROGRESS, create=True), clock)

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(self, attempt: Attempt) -> None:
        """Add an answer. When this returns, a killed process no longer loses it.

        Raises:
            StoreError: it cannot be written.
        """
        row = {name: getattr(attempt, name) for name in _COLUMNS}
        row["answer"] = json.dumps(strict(attempt.answer), ensure_ascii=False)
        row["evidence"] = _evidence(attempt.evidence)
        with self._transaction(write=True) as connection:
            connection.execute(
                f"INSERT INTO attempts ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608 - our own names
                tuple(str(value) if isinstance(value, Mode | Verdict) else value for value in row.values()),
            )

    def attempts(self, *, item: str | None = None, topic: str | None = None, ever: bool = False) -> list[Attempt]:
        """The answers in the order in which they came, without those of items that were reset since unless `ever`."""
        conditions, values = ["TRUE" if ever else _SHOWN], []
        for name, value in (("item", item), ("topic", topic)):
            if value is not None:
                conditions.append(f"{name} = ?")
                values.append(value)
        query = f"SELECT * FROM attempts WHERE {' AND '.join(conditions)} ORDER BY key"  # noqa: S608 - our own names
        with self._transaction() as connection:
            return [_attempt(row) for row in connection.execute(query, values)]

    def reset(self, item: str) -> int:
        """Begin an item anew; how many answers no longer count. They stay in the file and in the export.

        Raises:
            StoreError: it cannot be written.
        """
        with self._transaction(write=True) as connection:
            count, last = connection.execute(
                f"SELECT count(*), coalesce(max(key), 0) FROM attempts WHERE item = ? AND {_SHOWN}",  # noqa: S608 - our own
                (item,),
            ).fetchone()
            if count:
                connection.execute(
                    "INSERT INTO resets (time, item, through) VALUES (?, ?, ?)", (self.clock(), item, last)
                )
        return int(count)

    def export_json(self) -> str:
        """Everything in the file as strict JSON, answers of items that were reset included."""
        with self._transaction() as connection:
            attempts = [_attempt(row) for row in connection.execute("SELECT * FROM attempts ORDER BY key")]
            resets = [dict(row) for row in connection.execute("SELECT time, item, through FROM resets ORDER BY key")]
        rows = [{name: strict(getattr(attempt, name)) for name in _COLUMNS} for attempt in attempts]
        return json.dumps({"version": VERSION, "attempts": rows, "resets": resets}, ensure_ascii=False, indent=1)

    def export_csv(self) -> str:
        """The answers as a table for people, answers of items that were reset included; evidence is left out.

        Times are ISO 8601 in UTC, and the places in answers count from 1, as they were typed.
        """
        names = [name for name in _COLUMNS if name != "evidence"]
        written = io.StringIO()
        table = csv.writer(written, lineterminator="\n")
        table.writerow(names)
        for attempt in self.attempts(ever=True):
            told = {
                "time": datetime.fromtimestamp(attempt.time, UTC).isoformat(timespec="milliseconds"),
                "answer": json.dumps(as_typed(attempt), ensure_ascii=False),
            }
            row = [told.get(name, getattr(attempt, name)) for name in names]
            table.writerow(["" if value is None else value for value in row])
        return written.getvalue()

    @contextmanager
    def _transaction(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        with self._lock:
            try:
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                roll_back(connection)
                if isinstance(error, sqlite3.Error | OverflowError | UnicodeError):
                    raise explained(error, self.path, PROGRESS) from error
                raise


def _evidence(evidence: Any) -> str:
    written = json.dumps(strict(evidence), ensure_ascii=False)
    if len(written) <= MOST_EVIDENCE:
        return written
    kept = {name: part for name, part in strict(evidence).items() if not isinstance(part, list | dict)}
    return json.dumps({name: part[:1000] if isinstance(part, str) else part for name, part in kept.items()})


def _attempt(row: sqlite3.Row) -> Attempt:
    values = {name: row[name] for name in _COLUMNS}
    try:
        return Attempt(
            **{
                **values,
                "mode": Mode(values["mode"]),
                "verdict": Verdict(values["verdict"]),
                "answer": json.loads(values["answer"]),
                "evidence": json.loads(values["evidence"]),
            }
        )
    except ValueError as error:
        raise StoreError(f"an answer in the progress file cannot be read ({error}); move the file away") from error
