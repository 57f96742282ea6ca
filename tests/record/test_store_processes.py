"""Several processes, one store: killed ones lose no more than was promised, and nobody damages the file."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store

WRITER = """
import sys
import numpy as np
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store

path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with Store.open(path) as store:
    for index in range(count):
        run_id = f"{name}-{index}"
        store.begin(Run(run_id, name, Outcome(Ending.RUNNING, 0, ""), {}))
        for first in range(0, 80, 20):
            step = np.arange(first, first + 20, dtype=float)
            store.append(run_id, {"step": step, "loss": step * 2})
            print(run_id, first + 20, flush=True)
        store.append_evals(run_id, {"step": [80.0], "val_loss": [0.5]})
        store.finish(run_id, Outcome(Ending.FINISHED, 80, ""), {"val_loss": 0.5})
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that has imported everything and waits for `go`."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def test_two_processes_write_and_a_third_reads(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"  # created by whichever comes first
    writers = [start(WRITER, path, name, 15) for name in ("a", "b")]
    for writer in writers:
        go(writer)
    seen = 0
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            with Store.open(path) as reader:
                for summary in reader.summaries():
                    run = reader.load(summary.id)
                    assert run.num_steps >= summary.num_steps
                    assert run.num_steps % 20 == 0
                    assert run.columns.get("loss", np.array([])).tolist() == list(range(0, 2 * run.num_steps, 2))
                    seen += 1
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen > 0
    with Store.open(path) as store:
        ids = [summary.id for summary in store.summaries()]
        assert sorted(ids) == sorted(f"{name}-{index}" for name in "ab" for index in range(15))
        assert store.finished(ids) == set(ids)
        assert all(summary.num_steps == 80 for summary in store.summaries())
    assert is_sound(path)


def test_a_writer_killed_at_any_moment_loses_no_row_it_stored(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    moments = random.Random(7)
    for attempt in range(5):
        writer = start(WRITER, path, f"try{attempt}", 10_000)
        go(writer)
        time.sleep(moments.uniform(0.005, 0.15))
        writer.kill()
        output, _ = writer.communicate()
        if path.exists():
            assert is_sound(path)
        with Store.open(path) as store:
            for line in output[: output.rfind("\n") + 1].splitlines():  # it may be killed within a line
                run_id, rows = line.split()
                assert store.load(run_id).num_steps >= int(rows)


def test_threads_share_a_store(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def write(store: Store, name: str) -> None:
        try:
            for index in range(20):
                step = np.arange(10, dtype=np.float64)
                store.save(Run(f"{name}-{index}", name, Outcome(Ending.FINISHED, 10, ""), {"step": step}))
        except BaseException as error:  # noqa: BLE001 - a thread cannot raise into the test
            failures.append(error)

    with Store.open(tmp_path / "runs.sqlite") as store:
        threads = [threading.Thread(target=write, args=(store, name)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(store.summaries()) == 60
