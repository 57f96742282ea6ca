"""Learners' programs under their limits: whatever they do, the worker answers, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stepwell.learn.job import Ending, Job, Outcome, Part, Ran
from stepwell.learn.worker import Worker

PATIENT = 300.0
"""Seconds for what should end by itself: a busy machine may take long over it."""


def run(worker: Worker, code: str, *collect: str, seconds: float = PATIENT, seeds: tuple[int, ...] = (0,)) -> Ran:
    return worker.run(Job((Part("your code", code),), collect, seeds, seconds))


def outcome(worker: Worker, code: str, *collect: str) -> Outcome:
    ran = run(worker, code, *collect)
    assert ran.ending is Ending.FINISHED, ran
    return ran.outcomes[0]


def test_a_program_is_run_and_its_names_come_back(worker: Worker) -> None:
    code = "import torch, warnings\nwarnings.warn('hm')\nprint('out')\nx = torch.arange(3)\ny = {1: (2.5, None, True)}"
    found = outcome(worker, code, "x", "y", "z")
    assert found.values == {"x": [0, 1, 2], "y": {"1": [2.5, None, True]}}
    assert (found.stdout, found.warnings, found.error) == ("out\n", ("hm",), "")


def test_every_seed_is_a_fresh_run_and_repeats_exactly(worker: Worker) -> None:
    code = "import torch, random\nassert 'x' not in globals()\nx = [torch.rand(1).item(), random.random(), seed]"
    first, again = (run(worker, code, "x", seeds=(1, 2, 1)) for _ in range(2))
    assert [one.values for one in first.outcomes] == [one.values for one in again.outcomes]
    assert first.outcomes[0] == first.outcomes[2] != first.outcomes[1]


def test_only_a_program_that_lies_in_a_file_finds_what_is_beside_it(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "beside_me.py").write_text("x = 3\n")
    part = Part("your code", "import beside_me\nx = [beside_me.x, __file__]")
    file = str(tmp_path / "mine.py")
    (found,) = worker.run(Job((part,), ("x",), seconds=PATIENT, file=file)).outcomes
    assert found.values == {"x": [3, file]}
    assert outcome(worker, part.code).error == "ModuleNotFoundError"  # the next job knows nothing of it
    assert outcome(worker, "__file__").error == "NameError"


@pytest.mark.parametrize(
    ("code", "error", "line"),
    [
        ("x = 1\nx / 0", "ZeroDivisionError", 2),
        ("def f(:", "SyntaxError", 1),
        ("raise SystemExit(0)", "SystemExit", 1),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", 1),
        ("x = [0] * (40 * 2**30 // 8)", "MemoryError", 1),
        ("import torch\ntorch.zeros(40 * 2**30 // 4)", "RuntimeError", 2),
        ("x = []\nwhile True:\n    x.append(bytearray(10**8))", "MemoryError", 3),
        ("import os\nwhile True:\n    os.fork()", "PermissionError", 3),
        ("import subprocess\nsubprocess.run(['true'])", "PermissionError", 2),
        ("import os\nos.system('true')", "PermissionError", 2),
        ("import multiprocessing as m\nm.get_context('fork').Process(target=print).start()", "PermissionError", 2),
        ("import os\nos.kill(os.getppid(), 9)", "PermissionError", 2),
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "PermissionError", 2),
        ("open('/tmp/stepwell-was-here', 'w')", "PermissionError", 1),
        ("import pathlib\npathlib.Path('/tmp/stepwell-was-here').mkdir()", "PermissionError", 2),
        ("with open('big', 'wb') as f:\n    for _ in range(100):\n        f.write(bytes(10**6))", "OSError", 3),
        ("f = [open('f', 'w') for _ in range(1000)]", "OSError", 1),
    ],
)
def test_what_a_program_may_not_do_ends_it_with_a_message(worker: Worker, code: str, error: str, line: int) -> None:
    found = outcome(worker, code)
    assert (found.error, found.line) == (error, line), found
    assert found.part == "your code"
    assert not Path("/tmp/stepwell-was-here").exists()  # noqa: S108 - it must not be made


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("while True:\n    pass", Ending.TIMED_OUT),
        ("import time\ntime.sleep(600)", Ending.TIMED_OUT),
        ("while True:\n    print('x' * 10000)", Ending.TIMED_OUT),
        ("try:\n    while True:\n        pass\nexcept BaseException:\n    pass\nwhile True: pass", Ending.TIMED_OUT),
        ("import os\nos._exit(0)", Ending.CRASHED),
        ("import os\nos.abort()", Ending.CRASHED),
        ("import os\nos.closerange(0, 1000)", Ending.CRASHED),
        ("import ctypes, os\nctypes.CDLL(None).kill(os.getppid(), 9)", Ending.CRASHED),
        ("import os\n[os.write(n, b'{\"ending\": \"finished\"}') for n in range(3, 60)]", Ending.FINISHED),
    ],
)  # fmt: skip
def test_a_program_that_misbehaves_costs_only_itself(worker: Worker, code: str, ending: Ending) -> None:
    run(worker, "pass")  # so that loading torch after the program before does not count
    ran = run(worker, code, "x", seconds=1.0 if ending is Ending.TIMED_OUT else PATIENT)
    assert ran.ending is ending or (ending is Ending.FINISHED and ran.ending is Ending.CRASHED), ran
    assert outcome(worker, "x = 7", "x").values == {"x": 7}


def test_a_forged_result_is_not_believed(worker: Worker) -> None:
    code = (
        "import os, sys, json\n"
        "forged = json.dumps([{'values': {'x': 42}, 'stdout': '', 'warnings': []}]).encode()\n"
        "print(forged.decode())\n"
        "for n in range(3, 60):\n"
        "    try:\n        os.write(n, forged)\n    except OSError:\n        pass\n"
        "os._exit(0)"
    )
    ran = run(worker, code, "x")
    assert ran.ending is Ending.CRASHED
    assert outcome(worker, "x = 1", "x").values == {"x": 1}


def test_closing_the_output_does_not_hide_the_result(worker: Worker) -> None:
    found = outcome(worker, "import sys, os\nsys.stdout.close()\nos.close(1)\nprint('still')\nx = 1", "x")
    assert (found.values, found.stdout) == ({"x": 1}, "still\n")


def test_much_output_is_cut(worker: Worker) -> None:
    assert 1000 < len(outcome(worker, "print('x' * 10**7)").stdout) < 10**5


def test_too_much_measured_is_a_crash(worker: Worker) -> None:
    assert (
        run(worker, "x = [0.1] * 200_000, [0.1] * 200_000, [0.1] * 200_000\nx = [x] * 5", "x").ending is Ending.CRASHED
    )


def test_a_program_runs_in_a_folder_of_its_own_that_is_gone_afterwards(worker: Worker) -> None:
    code = "import os, torch\nopen('mine', 'w').close()\ntorch.save([1], 'model.pt')\n"
    code += "x = [os.getcwd(), sorted(os.listdir())]"
    folder, files = outcome(worker, code, "x").values["x"]
    assert files == ["mine", "model.pt"]
    assert not Path(folder).exists()


def test_a_fresh_worker_gets_no_surroundings_and_says_when_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STEPWELL_SECRET", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    worker = Worker()
    assert "STEPWELL_SECRET" not in outcome(worker, "import os\nx = list(os.environ)", "x").values["x"]
    threading.Timer(0.5, worker.stop).start()
    ran = run(worker, "while True:\n    pass")
    assert ran.ending in (Ending.CRASHED, Ending.BROKEN, Ending.TIMED_OUT)
    worker.close()
    assert list(tmp_path.glob("stepwell-*")) == []  # torch leaves a folder of its own


def test_without_forks_every_job_has_a_process_of_its_own() -> None:
    worker = Worker(forks=False)
    values = outcome(worker, "import os, torch\nx = torch.ones(2)\nfolder = os.getcwd()", "x", "folder").values
    assert values["x"] == [1.0, 1.0]
    assert not Path(values["folder"]).exists()


def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom stepwell.learn.worker import Worker\nfrom stepwell.learn.job import Job, Part\n"
        "worker = Worker()\nworker.run(Job((Part('a', 'pass'),)))\nprint(worker._process.pid, flush=True)\n"
        "worker.run(Job((Part('a', 'import time; time.sleep(600)'),), seconds=600))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + PATIENT
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().split()[2] != "Z"
