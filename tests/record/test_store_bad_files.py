"""Whatever lies at the store's path: one clear error, and the file is left as it is."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stepwell.errors import ForeignFileError, NewerStoreError, StoreError
from stepwell.record.database import connect, migrate
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.schema import APPLICATION_ID, MIGRATIONS, RUN_STORE
from stepwell.record.store import Store

NOBODY = 65534


def a_run(run_id: str, num_steps: int = 100, **facts: str) -> Run:
    step = np.arange(num_steps, dtype=np.float64)
    return Run(run_id, "mine", Outcome(Ending.FINISHED, num_steps, ""), {"step": step, "loss": step}, **facts)  # type: ignore[arg-type]


def a_store(path: Path, num_runs: int = 3) -> bytes:
    with Store.open(path) as store:
        for index in range(num_runs):
            store.save(a_run(f"run-{index}", 2000))
    return path.read_bytes()


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def foreign_database(path: Path, application_id: int = 0) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.commit()


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without the rights of root, which no permission bit stops."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everyone can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
        folder.chmod(0o777)


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"loss,lr\n2.3,0.1\n",
        b"SQLite format 3",
        random.Random(0).randbytes(20_000),
        b"SQLite format 3\0" + random.Random(1).randbytes(20_000),
    ],
    ids=["one-byte", "text", "half-header", "noise", "noise-behind-a-header"],
)
def test_a_file_that_is_no_store_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "runs.sqlite"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match=r"runs.sqlite is not a run store; it was left as it is; choose another"):
        Store.open(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("application_id", [0, 0x0F055112])
def test_a_database_of_another_program_is_refused_and_kept(tmp_path: Path, application_id: int) -> None:
    path = tmp_path / "songs.db"
    foreign_database(path, application_id)
    content = path.read_bytes()
    with pytest.raises(ForeignFileError, match="a database of another kind"):
        Store.open(path)
    assert path.read_bytes() == content


def reads_right_or_says_damaged(path: Path) -> bool:
    """Whether every run reads as it was written; else the error must say that the file is damaged."""
    try:
        with Store.open(path) as store:
            for index in range(3):
                assert store.load(f"run-{index}")["loss"].tolist() == list(range(2000))
    except ForeignFileError as error:
        assert "damaged" in str(error) or "not a run store" in str(error)  # noqa: PT017 - or no error at all
        return False
    return True


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99, 0.999])
def test_a_store_cut_short_is_never_misread_nor_overwritten(tmp_path: Path, share: float) -> None:
    path = tmp_path / "runs.sqlite"
    content = a_store(path)
    content = content[: int(len(content) * share)]
    path.write_bytes(content)
    assert not reads_right_or_says_damaged(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("seed", range(12))
def test_a_store_with_noise_in_it_is_never_misread_nor_overwritten(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "runs.sqlite"
    content = bytearray(a_store(path))
    noise = random.Random(seed)
    at = noise.randrange(4096, len(content) - 64)
    content[at : at + 64] = noise.randbytes(64)
    path.write_bytes(content)
    reads_right_or_says_damaged(path)
    assert path.read_bytes() == bytes(content)


def test_a_newer_store_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    a_store(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    content = path.read_bytes()
    with pytest.raises(
        NewerStoreError, match=r"newer Stepwell \(version 99 of a run store, .* up to 2\); type: pip install"
    ):
        Store.open(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    path.touch()
    a_store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert {strict for *_, strict in connection.execute("PRAGMA table_list") if _[1] in ("runs", "chunks")} == {1}


def test_an_older_store_is_migrated_in_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    a_store(path)
    newer = replace(
        RUN_STORE,
        migrations=(*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT", "CREATE TABLE extra (x REAL) STRICT")),
    )
    broken = replace(
        RUN_STORE,
        migrations=(*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT", "CREATE TABLE runs (x REAL) STRICT")),
    )
    with closing(connect(path, RUN_STORE, create=True)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection, path, broken)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        migrate(connection, path, newer)
        migrate(connection, path, newer)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert connection.execute("SELECT count(*), count(note) FROM runs").fetchone() == (3, 0)
    with pytest.raises(NewerStoreError):
        Store.open(path)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is a folder; type: --store .*/runs.sqlite"):
        Store.open(tmp_path)


def test_a_store_that_must_exist_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no run store at"):
        Store.open(tmp_path / "below" / "runs.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["file/runs.sqlite", "file/below/runs.sqlite", "no\0path/runs.sqlite"])
def test_a_path_that_cannot_be_says_so(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("a regular file")
    with pytest.raises(StoreError, match="the folder of the run store"):
        Store.open(tmp_path / path)


@pytest.mark.parametrize("name", ["with space", "q?mode=ro#x", "100%25", "snow \N{SNOWMAN}"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    a_store(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_cannot_be_written_says_so(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with unprivileged(), pytest.raises(StoreError, match=r"runs.sqlite cannot be opened for writing .* permissions"):
        Store.open(open_folder / "runs.sqlite")
    assert list(open_folder.iterdir()) == []


def test_a_file_that_cannot_be_written_says_so(open_folder: Path) -> None:
    path = open_folder / "runs.sqlite"
    content = a_store(path)
    path.chmod(0o444)
    with unprivileged(), pytest.raises(StoreError, match=r"runs.sqlite cannot be opened for writing .* permissions"):
        Store.open(path)
    assert path.read_bytes() == content


def test_a_store_that_turns_read_only_says_so(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    a_store(path)
    with Store.open(path) as store:
        store._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="cannot be opened for writing"):
            store.save(a_run("late"))
        assert len(store.summaries()) == 3


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    a_store(path)
    with Store.open(path) as store:
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match=r"no space left to write the run store .* free some space"):
            store.save(a_run("run-0", 50_000))
        assert store.load("run-0").num_steps == 2000
        store.delete(["run-1"])
        store.save(a_run("late", 1000))  # and goes on once there is space
    assert is_sound(path)


LIMITED = """
import resource, sys
import numpy as np
from stepwell.errors import StoreError
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store

with Store.open(sys.argv[1]) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    try:
        for index in range(1000):
            store.save(Run(f"run-{index}", "n", Outcome(Ending.FINISHED, 0, ""), {"step": np.arange(4000.0)}))
    except StoreError as error:
        print(index, error)
"""


def test_a_disk_that_takes_no_more_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    ended = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True)
    saved, message = ended.stdout.split(maxsplit=1)
    assert "what it held before is intact" in message
    with Store.open(path) as store:
        assert len(store.summaries()) == int(saved) > 0
        assert all(store.load(f"run-{index}").num_steps == 4000 for index in range(int(saved)))
    assert is_sound(path)


def test_a_disk_full_from_the_start_says_so(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    script = LIMITED.replace("with Store", "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\nwith Store")
    ended = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert "StoreError: the disk refused to write or read the run store" in ended.stderr
    with Store.open(path) as store:
        assert store.summaries() == []


def test_a_lock_that_is_never_released_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepwell.record.database.BUSY_SECONDS", 0.05)
    path = tmp_path / "runs.sqlite"
    a_store(path)
    with Store.open(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"another process has kept the run store .* locked for 0.05 seconds"):
            store.save(a_run("late"))
        assert len(store.summaries()) == 3
