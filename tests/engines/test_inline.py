import signal
import threading
from pathlib import Path

import pytest

from stepwell.engines.contract import EngineContract, assert_same, contract_trial
from stepwell.engines.engine import Engine, Finished, Started
from stepwell.engines.inline import Inline
from stepwell.errors import StoreError
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon
from stepwell.tasks.train import train

TASKS = Path(__file__).parents[1] / "tasks" / "tiny_tasks.py"


class TestInline(EngineContract):
    def engine(self, store: Path | None) -> Engine:
        return Inline(store=store)


def test_ctrl_c_leaves_a_checkpoint(tmp_path: Path) -> None:
    interrupting = TaskRef(f"{TASKS}:broken", {"where": "interrupt", "at": 8})
    trial = Trial(interrupting, Strategy("ours", "hold"), 0.1, 1, Horizon(12, 5))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(Inline(tmp_path / "runs.sqlite").run([trial]))
    assert signal.getsignal(signal.SIGINT) is before
    with Store.open(tmp_path / "runs.sqlite") as store:
        kept = store.load_checkpoint(trial.key())
    assert kept is not None
    assert kept[0] == 9


def test_it_starts_where_the_checkpoint_is(tmp_path: Path) -> None:
    trial = contract_trial()
    with Store.open(tmp_path / "runs.sqlite") as store:
        steps: list[int] = []
        train(trial, store=store, progress=steps.append, should_stop=lambda: steps[-1] == 7)
    started, finished = Inline(tmp_path / "runs.sqlite").run([trial])
    assert started == Started(trial, 7)
    assert isinstance(finished, Finished)
    assert_same(finished.run, train(trial))


def test_another_thread_may_close_it(tmp_path: Path) -> None:
    trial = contract_trial(total_steps=10_000, delay=0.001)
    engine = Inline(tmp_path / "runs.sqlite")
    timer = threading.Timer(0.2, engine.close)
    timer.start()
    assert list(engine.run([trial])) == [Started(trial)]
    timer.join()
    with Store.open(tmp_path / "runs.sqlite") as store:
        assert store.load_checkpoint(trial.key()) is not None


def test_a_store_that_cannot_be_used_is_no_fault_of_the_trial(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        list(Inline(tmp_path).run([contract_trial()]))
