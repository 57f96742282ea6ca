"""Several processes train the same trials into one store: none disturbs another, and all get the same runs."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from stepwell.engines.contract import assert_same, contract_trial
from stepwell.record.run import Ending, Run
from stepwell.record.store import Store
from stepwell.tasks.train import train

TRAINER = """
import sys
from stepwell.engines.contract import contract_trial
from stepwell.record.store import Store
from stepwell.tasks import training
from stepwell.tasks.train import train
import stepwell.drive.recorder

training.CHECKPOINT_EVERY = 0.02
stepwell.drive.recorder.FLUSH_SECONDS = 0.0
print("ready", flush=True)
sys.stdin.readline()
with Store.open(sys.argv[1]) as store:
    for seed in range(6):
        run = train(contract_trial(seed=seed, total_steps=60, delay=0.002), store=store)
        print(run.outcome.ending.value, run["loss"].tolist() == store.load(run.id)["loss"].tolist(), flush=True)
"""


def test_two_processes_train_the_same_trials_at_once(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    command = [sys.executable, "-c", TRAINER, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    trainers = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for trainer in trainers:
        assert trainer.stdout.readline() == "ready\n"
    for trainer in trainers:
        trainer.stdin.write("go\n")
        trainer.stdin.flush()
    said = [trainer.communicate() for trainer in trainers]
    assert [error for _, error in said] == ["", ""]
    for output, _ in said:
        assert [line.split()[-1] for line in output.splitlines()] == ["True"] * 6
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM claims").fetchone() == (0,)
    with Store.open(path) as store:
        for seed in range(6):
            trial = contract_trial(seed=seed, total_steps=60, delay=0.002)
            assert_same(store.load(trial.key()), train(trial))
            assert store.load_checkpoint(trial.key()) is None


def test_who_has_no_claim_trains_in_memory_and_keeps_the_end(tmp_path: Path) -> None:
    trial = contract_trial()
    with Store.open(tmp_path / "runs.sqlite") as owner, Store.open(tmp_path / "runs.sqlite") as guest:
        assert owner.claim(trial.key())
        halted = train(trial, store=guest, should_stop=lambda: True)
        assert halted.outcome.ending is Ending.STOPPED
        assert guest.summaries() == []
        assert_same(train(trial, store=guest), train(trial))
        assert_same(owner.load(trial.key()), train(trial))


def test_a_run_that_another_process_finishes_meanwhile_is_taken(tmp_path: Path) -> None:
    trial = contract_trial()
    with Store.open(tmp_path / "runs.sqlite") as owner, Store.open(tmp_path / "runs.sqlite") as guest:

        def overtake(step: int) -> None:
            if step == 7:
                with closing(sqlite3.connect(owner.path)) as connection:  # the owner was silent for too long
                    connection.execute("UPDATE claims SET beat = 0")
                    connection.commit()
                finished.append(train(trial, store=guest))

        finished: list[object] = []
        run = train(trial, store=owner, progress=overtake)
        assert run.results == finished[0].results  # type: ignore[attr-defined]  # its seconds too
        assert_same(run, train(trial))


def test_a_run_that_another_process_finishes_before_its_first_row_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = contract_trial()
    with Store.open(tmp_path / "runs.sqlite") as owner, Store.open(tmp_path / "runs.sqlite") as guest:
        begin = Store.begin
        finished: list[Run] = []

        def overtaken(store: Store, run: Run) -> None:
            if store is owner and not finished:
                finished.append(train(trial, store=guest))  # in memory, for the claim is the owner's
            begin(store, run)

        monkeypatch.setattr(Store, "begin", overtaken)
        assert train(trial, store=owner).results == finished[0].results


def test_a_killed_owner_blocks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    trial = contract_trial(seed=0, total_steps=60, delay=0.002)
    trainer = subprocess.Popen(
        [sys.executable, "-c", TRAINER, str(path)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert trainer.stdout is not None
    assert trainer.stdin is not None
    trainer.stdin.write("go\n")
    trainer.stdin.flush()
    with Store.open(path) as store:
        while store.load_checkpoint(trial.key()) is None:
            assert trainer.poll() is None
        trainer.kill()
        trainer.communicate()
        if not store.finished([trial.key()]):
            heard: list[int] = []
            run = train(trial, store=store, progress=heard.append)
            assert heard[0] > 0
            assert_same(run, train(trial))
