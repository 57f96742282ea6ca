"""SQLite files of ours: how they are recognised, opened and migrated, and what their failures mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from stepwell.errors import ForeignFileError, NewerStoreError, StoreError

BUSY_SECONDS = 30.0
"""How long a writer waits for another one. A transaction of ours lasts milliseconds."""

Migration: TypeAlias = Sequence[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Args:
        name: what messages call it, such as `run store`.
        application_id: what SQLite writes into the file's header, so that no other database is taken for one.
        migrations: step n brings a file from version n to n + 1; a released step is never edited.
        option: the option of the command line that names another path.
    """

    name: str
    application_id: int
    migrations: Sequence[Migration]
    option: str

    @property
    def elsewhere(self) -> str:
        """What to do when the path is not to be used."""
        return f"choose another path ({self.option} PATH)"


class DamagedError(Exception):
    """What was read is not what was written; whoever knows its path makes a sentence of it."""


def connect(path: Path, kind: Kind, *, create: bool) -> sqlite3.Connection:
    """An open connection to the file at `path`, migrated to the newest version.

    The file is looked at only through SQLite: to open and close it otherwise would drop this process's locks on it.

    Raises:
        ForeignFileError: the file is of another kind, or it is damaged.
        NewerStoreError: a newer Stepwell wrote it.
        StoreError: it is missing and not to be created, or cannot be written.
    """
    mode = "rwc" if create else "rw"
    try:
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, ValueError) as error:
        raise explained(error, path, kind) from error
    try:
        connection.execute("PRAGMA cell_size_check = ON")  # notices more damage, costs nothing that can be measured
        _identify(connection, path, kind)
        migrate(connection, path, kind)
        _prepare(connection)
        if create:
            _try_to_write(connection, kind)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        connection.close()
        raise explained(error, path, kind) from error
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path, kind: Kind) -> sqlite3.Connection:
    """An open connection that refuses to write, also where nothing can be written.

    Raises:
        ForeignFileError: the file is of another kind, or it is damaged.
        NewerStoreError: a newer Stepwell wrote it.
        StoreError: it is missing or cannot be read where it is.
    """
    try:
        # Not `mode=ro`, which leaves a `-wal` and a `-shm` file behind where they can be made.
        connection = connect(path, kind, create=False)
    except StoreError as error:
        code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        connection = _connect_immutable(path, kind)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect_immutable(path: Path, kind: Kind) -> sqlite3.Connection:
    """A connection for a medium where SQLite cannot make the files that it needs even to read in WAL mode."""
    newest = path.with_name(f"{path.name}-wal")
    if newest.is_file() and newest.stat().st_size:
        raise StoreError(
            f"the newest rows of the {kind.name} {path} are in {newest.name}, which cannot be read where nothing "
            f"can be written; copy both files to another folder and name the copy: {kind.option} PATH"
        )
    uri = f"{path.absolute().as_uri()}?immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        _identify(connection, path, kind)
        if _version(connection, path, kind) < len(kind.migrations):
            raise StoreError(
                f"the {kind.name} {path} was written by an older Stepwell and cannot be brought up to date where "
                f"nothing can be written; copy it to another folder and name the copy: {kind.option} PATH"
            )
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(
            f"the {kind.name} {path} cannot be read ({error}); check the permissions of the file and its folder"
        ) from error
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    """Bring the file to the newest version in one transaction; an empty file becomes one of this kind.

    Raises:
        NewerStoreError: the file is beyond the last step.
    """
    if _version(connection, path, kind) == len(kind.migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in kind.migrations[_version(connection, path, kind) :]:  # again: another process may have been faster
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {len(kind.migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo the open transaction, unless SQLite already has (it does on a full disk)."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def explained(error: Exception, path: Path, kind: Kind) -> StoreError:
    """The StoreError that says in one sentence what a failure of SQLite means and what to do."""
    if isinstance(error, UnicodeDecodeError):  # in SQLite's message that quotes the file
        return damaged(path, kind, "its text is not Unicode")
    if isinstance(error, UnicodeEncodeError):
        return StoreError(f"a text is not valid Unicode and was not written to {path} ({error})")
    code = getattr(error, "sqlite_errorcode", None)
    match code & 0xFF if code is not None else None:
        case sqlite3.SQLITE_NOTADB:
            return ForeignFileError(f"{path} is not a {kind.name}; it was left as it is; {kind.elsewhere}")
        case sqlite3.SQLITE_CORRUPT:
            return damaged(path, kind, str(error))
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError(
                f"the {kind.name} {path} cannot be opened for writing ({error}); "
                f"check the permissions of the file and its folder, or {kind.elsewhere}"
            )
        case sqlite3.SQLITE_FULL:
            return StoreError(
                f"no space left to write the {kind.name} {path} ({error}); "
                "what it held before is intact; free some space and start again"
            )
        case sqlite3.SQLITE_IOERR:
            return StoreError(
                f"the disk refused to write or read the {kind.name} {path} ({error}); "
                "what it held before is intact; check the disk's space and health"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(
                f"another process has kept the {kind.name} {path} locked for {BUSY_SECONDS:g} seconds; "
                f"end it, or {kind.elsewhere}"
            )
        case _:
            return StoreError(f"the {kind.name} {path} cannot be used ({error}); check the path, or {kind.elsewhere}")


def damaged(path: Path, kind: Kind, reason: str) -> ForeignFileError:
    """The error for a file whose content is not what was written."""
    return ForeignFileError(
        f"the {kind.name} {path} is damaged ({reason}); it was left as it is; move it away, or {kind.elsewhere}"
    )


def _identify(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    if path.stat().st_size == 1:  # which SQLite takes for empty, and would overwrite
        raise ForeignFileError(f"{path} is not a {kind.name}; it was left as it is; {kind.elsewhere}")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if pages and found != kind.application_id:
        raise ForeignFileError(
            f"{path} is a database of another kind, not a {kind.name}; it was left as it is; {kind.elsewhere}"
        )


def _version(connection: sqlite3.Connection, path: Path, kind: Kind) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(kind.migrations):
        raise NewerStoreError(
            f"{path} was written by a newer Stepwell (version {version} of a {kind.name}, this one reads up to "
            f"{len(kind.migrations)}); type: pip install --upgrade stepwell"
        )
    return version


def _try_to_write(connection: sqlite3.Connection, kind: Kind) -> None:
    """Fail now on a file that cannot be written, not after the first epoch. Beginning a transaction does not tell."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"PRAGMA user_version = {len(kind.migrations)}")
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
