import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell.engines.contract import EngineContract, contract_trial
from stepwell.engines.engine import Engine, Failed, Finished, Started
from stepwell.engines.processes import Processes
from stepwell.errors import EngineError, OptionError, StoreError
from stepwell.record.run import Ending
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon

TASKS = Path(__file__).parents[1] / "tasks" / "tiny_tasks.py"
AT_MOST = 600.0
"""Seconds to wait for what takes a few where all is well: only a test that hangs waits so long."""


def dying(where: str) -> Trial:
    return Trial(TaskRef(f"{TASKS}:broken", {"where": where}), Strategy(where, "hold"), 0.1, 1, Horizon(12, 5))


class TestProcesses(EngineContract):
    def engine(self, store: Path | None) -> Engine:
        return Processes(workers=2 if store is None else 1, store=store)  # starting a worker takes seconds


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warm") / "runs.sqlite"


@pytest.fixture(scope="module")
def warm(runs: Path) -> Iterator[Processes]:
    """One worker for several tests, because starting one takes seconds."""
    engine = Processes(workers=1, store=runs)
    yield engine
    engine.close()


def test_a_worker_that_dies_costs_its_own_trial_only(warm: Processes) -> None:
    good, killed = [contract_trial(seed=seed) for seed in range(2)], dying("kill")
    events = list(warm.run([good[0], killed, good[1]]))
    assert [event.trial for event in events if isinstance(event, Finished)] == good
    assert [event for event in events if isinstance(event, Failed)] == [
        Failed(killed, "the worker process was killed by SIGKILL (out of memory?) while it trained 'kill'")
    ]


def test_what_has_finished_is_not_run_again(warm: Processes) -> None:
    good = [contract_trial(seed=seed) for seed in range(2)]
    assert [type(event) for event in warm.run(good)] == [Started, Finished] * 2


def test_an_abandoned_loop_ends_the_workers(warm: Processes, runs: Path) -> None:
    trial = contract_trial(total_steps=10_000, delay=0.01)
    for event in warm.run([trial]):
        assert event == Started(trial)
        break
    assert not multiprocessing.active_children()
    with Store.open(runs) as store:
        assert store.load_checkpoint(trial.key()) is not None


@pytest.mark.soak
def test_a_task_that_ends_its_process_is_told_by_the_exit_code() -> None:
    gone = dying("exit")
    *_, failed = Processes(workers=1).run([gone])
    assert failed == Failed(gone, "the worker process ended with exit code 3 while it trained 'exit'")


def test_a_store_that_cannot_be_used_ends_the_work(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        list(Processes(workers=1, store=tmp_path).run([contract_trial()]))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", [0, -1, 1.5, True])
def test_workers_are_counted_in_whole_numbers(workers: int) -> None:
    with pytest.raises(OptionError, match="workers must be a positive whole number"):
        Processes(workers=workers)


def test_not_from_a_child_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "parent_process", multiprocessing.current_process)
    with pytest.raises(EngineError, match='if __name__ == "__main__":'):
        list(Processes(workers=1).run([contract_trial()]))


SCRIPT = """
from pathlib import Path
from stepwell.engines.contract import contract_trial
from stepwell.engines.engine import Started
from stepwell.engines.processes import Processes

engine = Processes(workers=1, store=Path({store!r}))
for event in engine.run([contract_trial(total_steps={steps}, delay={delay})]):
    if isinstance(event, Started):
        print(engine._workers[0].process.pid, flush=True)
    else:
        print(type(event).__name__, flush=True)
"""


def script(store: Path, *, steps: int, delay: float) -> subprocess.Popen[str]:
    """A user's script without a main guard, in a process group of its own."""
    file = store.with_name("script.py")
    file.write_text(SCRIPT.format(store=str(store), steps=steps, delay=delay))
    return subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.soak  # the next test uses the same script
def test_a_script_without_a_main_guard_just_works(tmp_path: Path) -> None:
    out, err = script(tmp_path / "runs.sqlite", steps=12, delay=0.0).communicate(timeout=AT_MOST)
    assert out.split()[1:] == ["Finished"], err


@pytest.mark.parametrize("end", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.soak)])
def test_no_worker_outlives_its_parent(tmp_path: Path, end: signal.Signals) -> None:
    parent = script(tmp_path / "runs.sqlite", steps=100_000, delay=0.01)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    if end is signal.SIGINT:
        os.killpg(parent.pid, end)  # as a terminal does
    else:
        parent.kill()
    _, err = parent.communicate(timeout=AT_MOST)
    if end is signal.SIGINT:
        assert "KeyboardInterrupt" in err
        assert err.count("Traceback") == 1, err
    wait_for_the_end_of(worker)
    with Store.open(tmp_path / "runs.sqlite") as store:
        (run,) = store.summaries()
        assert run.outcome.ending is Ending.STOPPED
        assert store.load_checkpoint(run.id) is not None


def wait_for_the_end_of(process: int) -> None:
    deadline = time.monotonic() + AT_MOST
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"worker {process} is still there")


@pytest.mark.soak
def test_a_script_that_is_its_own_task_needs_the_main_guard(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from stepwell.engines.contract import *\n"
        "from stepwell.engines.processes import Processes\n"
        "trial = Trial(TaskRef(f'{__file__}:contract_task'), Strategy('own', 'hold'), 0.1, 1, Horizon(12, 5))\n"
        "for event in Processes(workers=1).run([trial]):\n"
        "    print(event)\n"
    )
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=AT_MOST, check=False)
    assert done.returncode == 1
    assert "EngineError: " in done.stderr
    assert 'put the call under `if __name__ == "__main__":`' in done.stderr
