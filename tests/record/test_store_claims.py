"""One run is written by one process at a time, and nobody who is gone keeps it from the others."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stepwell.errors import ClaimedError
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store

CLAIMER = """
import sys
from stepwell.record.store import Store

store = Store.open(sys.argv[1])
print(store.claim("a"), flush=True)
sys.stdin.readline()
"""


def a_run(ending: Ending = Ending.RUNNING, name: str = "first", rows: int = 0) -> Run:
    columns = {"step": np.arange(rows, dtype=np.float64)} if rows else {}
    return Run("a", name, Outcome(ending, rows, ""), columns)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


@pytest.fixture
def one(path: Path) -> Iterator[Store]:
    with Store.open(path) as store:
        yield store


@pytest.fixture
def other(path: Path) -> Iterator[Store]:
    with Store.open(path) as store:
        yield store


def fall_silent(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE claims SET beat = beat - 31")
        connection.commit()


def test_a_run_is_claimed_once(one: Store, other: Store) -> None:
    assert one.claim("a")
    assert not other.claim("a")
    assert one.claim("a")  # again
    assert other.claim("b")
    one.release("a")
    assert other.claim("a")


def test_writing_is_claiming(one: Store, other: Store) -> None:
    one.begin(a_run())
    writes: list[Callable[[], None]] = [
        lambda: other.begin(a_run()),
        lambda: other.append("a", {"step": [0.0]}),
        lambda: other.append_evals("a", {"step": [0.0]}),
        lambda: other.truncate("a", 0),
        lambda: other.checkpoint("a", 0, b""),
        lambda: other.finish("a", Outcome(Ending.FINISHED, 0, ""), {}),
    ]
    for write in writes:
        with pytest.raises(ClaimedError, match=r"^process \d+ on .* writes the run 'a' in .*; wait for its end"):
            write()
    one.append("a", {"step": [0.0, 1.0]})
    one.finish("a", Outcome(Ending.STOPPED, 2, ""), {})
    other.truncate("a", 1)
    other.append("a", {"step": [1.0, 2.0]})
    assert other.load("a").num_steps == 3


def test_a_claim_ends_with_its_store(path: Path, other: Store) -> None:
    with Store.open(path) as store:
        store.begin(a_run())
    assert other.claim("a")


def test_a_claim_ends_with_its_process(path: Path, other: Store) -> None:
    command = [sys.executable, "-c", CLAIMER, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    assert not other.claim("a")
    process.kill()
    process.communicate()
    assert other.claim("a")


def test_a_silent_owner_loses_its_claim_and_is_told(path: Path, one: Store, other: Store) -> None:
    one.begin(a_run())
    fall_silent(path)
    one.append("a", {"step": [0.0]})  # it speaks again, before anybody noticed
    assert not other.claim("a")
    fall_silent(path)
    assert other.claim("a")
    with pytest.raises(ClaimedError, match="another process has gone on with the run 'a'"):
        one.append("a", {"step": [1.0]})
    other.append("a", {"step": [1.0]})
    other.release("a")
    with pytest.raises(ClaimedError):  # for what is there now may not be what it left
        one.append("a", {"step": [1.0]})


def test_a_refused_write_leaves_the_claim_as_it_was(one: Store, other: Store) -> None:
    one.save(a_run(Ending.FINISHED))
    with pytest.raises(Exception, match="has finished"):
        one.begin(a_run())
    assert other.claim("a")


def test_the_first_finished_run_counts(path: Path, one: Store, other: Store) -> None:
    one.begin(a_run())
    fall_silent(path)
    other.claim("a")
    assert other.keep(a_run(Ending.FINISHED, "second", 3)).name == "second"
    assert one.keep(a_run(Ending.FINISHED, "first", 3)).name == "second"
    assert one.load("a").name == "second"


def test_a_finished_run_ends_the_claim_of_whoever_still_writes_it(one: Store, other: Store) -> None:
    one.begin(a_run())
    other.keep(a_run(Ending.FINISHED, "second", 3))
    with pytest.raises(ClaimedError):
        one.append("a", {"step": [0.0]})
    with pytest.raises(ClaimedError):
        one.checkpoint("a", 0, b"")
    assert one.load("a").num_steps == 3


def test_an_unfinished_run_is_kept_by_its_owner_only(one: Store, other: Store) -> None:
    one.begin(a_run())
    one.append("a", {"step": [0.0, 1.0]})
    one.checkpoint("a", 2, b"state")
    stopped = a_run(Ending.STOPPED, "second")
    assert other.keep(stopped) is stopped
    assert one.load("a").num_steps == 2
    one.keep(replace(a_run(Ending.STOPPED, rows=2), results={"seconds": 1.0}))
    assert one.load("a").results == {"seconds": 1.0}
    assert other.keep(stopped) is stopped
    assert other.load_checkpoint("a") == (2, b"state")
