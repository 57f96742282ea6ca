"""The run store as a file: how it is recognised, opened, migrated, and what its failures mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from stepwell.errors import ForeignFileError, NewerStoreError, StoreError

APPLICATION_ID = int.from_bytes(b"SWel", "big")
"""What SQLite writes into the file's header, so that no other database is taken for a run store."""

BUSY_SECONDS = 30.0
"""How long a writer waits for another one. A transaction of ours lasts milliseconds."""

Migration: TypeAlias = Sequence[str]

MIGRATIONS: tuple[Migration, ...] = (
    (
        # `seed` and `base_lr` are text: SQLite's integers end at 2**63, and it turns a NaN into NULL.
        """
        CREATE TABLE runs (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            ending TEXT NOT NULL,
            step INTEGER NOT NULL,
            words TEXT NOT NULL,
            schedule TEXT,
            horizon TEXT,
            base_lr TEXT,
            optimizer TEXT,
            task TEXT,
            seed TEXT,
            settings TEXT NOT NULL,
            results TEXT NOT NULL,
            train_rows INTEGER NOT NULL DEFAULT 0,
            evals_rows INTEGER NOT NULL DEFAULT 0,
            begun REAL NOT NULL,
            written REAL NOT NULL
        ) STRICT
        """,
        # A chunk is some rows of one table of one run: little-endian float64, column after column, in the order of
        # `names` (JSON). `crc` (CRC-32) shows damage that SQLite cannot see: a page of numbers is only bytes.
        """
        CREATE TABLE chunks (
            key INTEGER PRIMARY KEY,
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('train', 'evals')),
            first INTEGER NOT NULL,
            count INTEGER NOT NULL,
            names TEXT NOT NULL,
            crc INTEGER NOT NULL,
            data BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX chunks_in_order ON chunks (run_id, kind, first)",
        """
        CREATE TABLE checkpoints (
            run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            step INTEGER NOT NULL,
            state BLOB NOT NULL
        ) STRICT
        """,
    ),
    (
        # Who writes a run now. It may come before the run and stay when the run is replaced.
        """
        CREATE TABLE claims (
            run_id TEXT NOT NULL PRIMARY KEY,
            owner TEXT NOT NULL,
            host TEXT NOT NULL,
            pid INTEGER NOT NULL,
            beat REAL NOT NULL
        ) STRICT
        """,
    ),
)
"""Step n brings a store from version n to n + 1; a released step is never edited."""


class DamagedError(Exception):
    """What was read is not what was written; the store, which knows its path, makes a sentence of it."""


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """An open connection to the run store at `path`, migrated to the newest version.

    The file is looked at only through SQLite: to open and close it otherwise would drop this process's locks on it.

    Raises:
        ForeignFileError: the file is not a run store, or it is damaged.
        NewerStoreError: a newer Stepwell wrote it.
        StoreError: it is missing and not to be created, or cannot be written.
    """
    mode = "rwc" if create else "rw"
    try:
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, ValueError) as error:
        raise explained(error, path) from error
    try:
        connection.execute("PRAGMA cell_size_check = ON")  # notices more damage, costs nothing that can be measured
        _identify(connection, path)
        migrate(connection, path)
        _prepare(connection)
        if create:
            _try_to_write(connection)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        connection.close()
        raise explained(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """An open connection that refuses to write, also where nothing can be written.

    Raises:
        ForeignFileError: the file is not a run store, or it is damaged.
        NewerStoreError: a newer Stepwell wrote it.
        StoreError: it is missing or cannot be read where it is.
    """
    try:
        # Not `mode=ro`, which leaves a `-wal` and a `-shm` file behind where they can be made.
        connection = connect(path, create=False)
    except StoreError as error:
        code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        connection = _connect_immutable(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect_immutable(path: Path) -> sqlite3.Connection:
    """A connection for a medium where SQLite cannot make the files that it needs even to read in WAL mode."""
    newest = path.with_name(f"{path.name}-wal")
    if newest.is_file() and newest.stat().st_size:
        raise StoreError(
            f"the newest rows of the run store {path} are in {newest.name}, which cannot be read where nothing can be "
            "written; copy both files to another folder and name the copy: --store PATH"
        )
    uri = f"{path.absolute().as_uri()}?immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        _identify(connection, path)
        if _version(connection, path, MIGRATIONS) < len(MIGRATIONS):
            raise StoreError(
                f"the run store {path} was written by an older Stepwell and cannot be brought up to date where nothing "
                "can be written; copy it to another folder and name the copy: --store PATH"
            )
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(
            f"the run store {path} cannot be read ({error}); check the permissions of the file and its folder"
        ) from error
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the store to the newest version in one transaction; an empty file becomes a store.

    Raises:
        NewerStoreError: the store is beyond the last step.
    """
    if _version(connection, path, steps) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[_version(connection, path, steps) :]:  # read again: another process may have been faster
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo the open transaction, unless SQLite already has (it does on a full disk)."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def explained(error: Exception, path: Path) -> StoreError:
    """The StoreError that says in one sentence what a failure of SQLite means and what to do."""
    if isinstance(error, UnicodeDecodeError):  # in SQLite's message that quotes the file
        return damaged(path, "its text is not Unicode")
    if isinstance(error, UnicodeEncodeError):
        return StoreError(f"a text of the run is not valid Unicode and was not written to {path} ({error})")
    code = getattr(error, "sqlite_errorcode", None)
    elsewhere = "choose another path (--store PATH)"
    match code & 0xFF if code is not None else None:
        case sqlite3.SQLITE_NOTADB:
            return ForeignFileError(f"{path} is not a run store; it was left as it is; {elsewhere}")
        case sqlite3.SQLITE_CORRUPT:
            return damaged(path, str(error))
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError(
                f"the run store {path} cannot be opened for writing ({error}); "
                f"check the permissions of the file and its folder, or {elsewhere}"
            )
        case sqlite3.SQLITE_FULL:
            return StoreError(
                f"no space left to write the run store {path} ({error}); "
                "what it held before is intact; free some space and start again"
            )
        case sqlite3.SQLITE_IOERR:
            return StoreError(
                f"the disk refused to write or read the run store {path} ({error}); "
                "what it held before is intact; check the disk's space and health"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(
                f"another process has kept the run store {path} locked for {BUSY_SECONDS:g} seconds; "
                f"end it, or {elsewhere}"
            )
        case _:
            return StoreError(f"the run store {path} cannot be used ({error}); check the path, or {elsewhere}")


def damaged(path: Path, reason: str) -> ForeignFileError:
    """The error for a store whose content is not what was written."""
    return ForeignFileError(
        f"the run store {path} is damaged ({reason}); it was left as it is; "
        "move it away, or choose another path (--store PATH)"
    )


def _identify(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size == 1:  # which SQLite takes for empty, and would overwrite
        raise ForeignFileError(f"{path} is not a run store; it was left as it is; choose another path (--store PATH)")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if pages and found != APPLICATION_ID:
        raise ForeignFileError(
            f"{path} is a database of another program, not a run store; it was left as it is; "
            "choose another path (--store PATH)"
        )


def _version(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        raise NewerStoreError(
            f"{path} was written by a newer Stepwell (store version {version}, this one reads up to {len(steps)}); "
            "type: pip install --upgrade stepwell"
        )
    return version


def _try_to_write(connection: sqlite3.Connection) -> None:
    """Fail now on a store that cannot be written, not after the first epoch. Beginning a transaction does not tell."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    finally:
        roll_back(connection)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    in_wal = _switch_to_wal(connection)
    # In WAL mode NORMAL is safe against a killed process, and a power cut loses no more than the last transactions;
    # a file system without shared memory stays in rollback mode, where only FULL is.
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if in_wal else 'FULL'}")


def _switch_to_wal(connection: sqlite3.Connection) -> bool:
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return True
    deadline = time.monotonic() + BUSY_SECONDS
    while True:  # the switch needs the file alone, and SQLite does not wait for that by itself
        try:
            return bool(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
