"""What a task's own code may do to its process without harm: print, and change the working directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepwell.engines.engine import Engine, Finished
from stepwell.engines.inline import Inline
from stepwell.engines.processes import Processes
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, Trial
from stepwell.schedule import Horizon
from stepwell.tasks.load import load_task, reference
from stepwell.tasks.preflight import preflight

TASK = """
import os
from dataclasses import replace
from stepwell.engines.contract import contract_task
import beside

print("imported")

def restless(seed):
    print("built")
    os.makedirs("elsewhere", exist_ok=True)
    os.chdir("elsewhere")
    work = contract_task(seed)

    def loss(model, batch):
        print("trained")
        return work.loss(model, batch)

    return replace(work, loss=loss)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "mine.py").write_text(TASK)
    (tmp_path / "beside.py").write_text("print('and what it imports')")
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


@pytest.mark.parametrize("make", [Inline, lambda store: Processes(1, store)], ids=["inline", "processes"])
def test_a_task_may_print_and_change_the_working_directory(
    home: Path, capfd: pytest.CaptureFixture[str], make: Callable[[Path], Engine]
) -> None:
    engine = make(Path("runs.sqlite"))
    task = reference("mine.py:restless")
    trials = [Trial(task, Strategy("ours", "hold"), 0.1, seed, Horizon(6, 5)) for seed in (1, 2)]
    try:
        for trial in trials:  # each in a call of its own, as a comparison does
            assert [type(event) for event in engine.run([trial])][-1] is Finished
    finally:
        engine.close()
    with Store.open(home / "runs.sqlite", create=False) as store:
        assert store.finished([trial.key() for trial in trials]) == {trial.key() for trial in trials}
    out, err = capfd.readouterr()
    assert out == ""
    assert {"imported", "and what it imports", "built", "trained"} <= set(err.splitlines())


def test_a_look_at_a_task_prints_nothing_and_keeps_its_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = reference("mine.py:restless")
    preflight(load_task(task), 0)
    assert Path.cwd() != home
    preflight(load_task(task), 1)
    assert capsys.readouterr().out == ""
