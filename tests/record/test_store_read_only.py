"""A store can be read where nothing can be written, and reading it writes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from stepwell.errors import ForeignFileError, NewerStoreError, StoreError
from stepwell.record import database
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.schema import MIGRATIONS
from stepwell.record.store import Store


def a_run(name: str) -> Run:
    return Run(name, name, Outcome(Ending.FINISHED, 3, ""), {"step": np.arange(3.0)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "runs.sqlite") as store:
        store.save(a_run("a"))
    return tmp_path / "runs.sqlite"


def forbid_writing(path: Path) -> None:
    """As a read-only medium does: no file can be made beside the store. (Permissions do not stop root.)"""
    path.with_name(f"{path.name}-shm").mkdir()


def names(path: Path) -> list[str]:
    with Store.open(path, read_only=True) as store:
        return [store.load(summary.id).name for summary in store.summaries()]


def test_a_store_on_a_read_only_medium_is_read(path: Path) -> None:
    forbid_writing(path)
    with pytest.raises(StoreError, match="cannot be opened for writing"):
        Store.open(path)
    content = path.read_bytes()
    assert names(path) == ["a"]
    assert path.read_bytes() == content


def test_reading_leaves_nothing_behind(path: Path) -> None:
    assert names(path) == ["a"]
    assert [file.name for file in path.parent.iterdir()] == ["runs.sqlite"]


def test_a_store_that_is_being_written_is_read_up_to_its_newest_run(path: Path) -> None:
    with Store.open(path) as writer:
        writer.save(a_run("b"))
        assert names(path) == ["a", "b"]


def test_rows_that_cannot_be_seen_are_not_left_out_in_silence(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, kind: database.Kind, *, create: bool) -> sqlite3.Connection:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise StoreError("cannot be opened") from error

    copy = tmp_path / "copy" / "runs.sqlite"
    copy.parent.mkdir()
    with Store.open(path) as writer:
        writer.save(a_run("b"))
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{copy}{ending}")
    monkeypatch.setattr(database, "connect", refused)  # as SQLite does, but only on a medium that is really read-only
    with pytest.raises(StoreError, match=r"the newest rows .* are in runs\.sqlite-wal, .*; copy both files"):
        names(copy)


def test_who_reads_cannot_write(path: Path) -> None:
    with Store.open(path, read_only=True) as store, pytest.raises(StoreError, match="cannot be opened for writing"):
        store.delete(["a"])


def test_an_older_store_is_brought_up_to_date_first(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE claims")
        connection.execute("PRAGMA user_version = 1")
    content = path.read_bytes()
    forbid_writing(path)
    with pytest.raises(StoreError, match=r"written by an older Stepwell .*; copy it to another folder"):
        names(path)
    assert path.read_bytes() == content
    path.with_name(f"{path.name}-shm").rmdir()
    assert names(path) == ["a"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_other_files_are_refused(tmp_path: Path, path: Path) -> None:
    with pytest.raises(StoreError, match="there is no run store at"):
        names(tmp_path / "none.sqlite")
    (tmp_path / "text").write_text("a text that is no database " * 99)
    with pytest.raises(ForeignFileError, match="is not a run store"):
        names(tmp_path / "text")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerStoreError):
        names(path)
