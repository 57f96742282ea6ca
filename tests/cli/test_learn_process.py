"""The course driven by another program, and what becomes of it when its process is stopped or killed."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from learn_course import write_course
from stepwell.cli.learn.pipe import drive
from stepwell.learn.modes import Mode
from stepwell.learn.progress import Progress
from stepwell.learn.read import read_course
from stepwell.learn.session.plan import Wish
from stepwell.learn.session.player import Player
from stepwell.learn.verdict import Verdict
from stepwell.learn.worker import Worker

LONG = 300.0


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as warm:
        warm.start()
        yield warm


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("course"))


def answer_to(data: dict[str, Any]) -> Any:
    """An answer of the right form; the same for every item of a type."""
    match data["type"]:
        case "choice" | "control":
            return data["options"].index("It falls") if "It falls" in data["options"] else 0
        case "multi":
            return [0]
        case "order":
            return list(range(len(data["pieces"])))
        case "match":
            return list(range(len(data["labels"])))
        case "numeric":
            return "50"
        case "draw":
            return [[0, data["base_lr"]], [data["total_steps"] - 1, 0]]
        case "write":
            return "steps x0.5 every 5"
        case "fix":
            return data["start"]
        case "tune":
            return data["start"]
    raise AssertionError(data["type"])


def event_for(step: dict[str, Any], tries: int) -> dict[str, Any]:
    """What another front end does: it knows only the lines that it reads."""
    data, accepts = step["data"], step["accepts"]
    match step["kind"]:
        case "page" | "verdict":
            return {"do": "next"}
        case "back":
            return {"do": "answer", "answer": "good"}
        case "concepts":
            ticks = [number for number, concept in enumerate(data["concepts"]) if concept["suggested"]]
            return {"do": "answer", "answer": {"text": data["text"], "ticks": ticks}}
    if "reveal" in accepts:
        return {"do": "reveal", "text": "High steps move fast; the noise is lower with small ones."}
    if "hint" in accepts and tries == 0 and not data["hints"]:
        return {"do": "hint"}
    if "answer" not in accepts or tries > 1:
        return {"do": "skip"}
    event: dict[str, Any] = {"do": "answer", "answer": answer_to(data)}
    return {**event, "confidence": 0.75} if data["sure"] else event


@pytest.mark.parametrize("mode", list(Mode))
def test_another_program_drives_every_mode_to_its_end(mode: Mode, folder: Path, worker: Worker, tmp_path: Path) -> None:
    written: list[dict[str, Any]] = []

    def lines() -> Iterator[str]:
        tries: dict[int, int] = {}
        while True:
            step = written[-1]
            assert step["kind"] != "refused", step["words"]
            event = event_for(step, tries.get(step["number"], 0))
            tries[step["number"]] = tries.get(step["number"], 0) + (event["do"] == "answer")
            yield json.dumps(event)

    with (
        Progress.open(tmp_path / "me.sqlite") as progress,
        Player.begin(read_course(folder), Wish(mode, ("every",), seed=7), progress, worker) as player,
    ):
        drive(player, lines(), lambda line: written.append(json.loads(line, parse_constant=pytest.fail)))
        attempts = progress.attempts()
    last = written[-1]
    assert last["kind"] == "done"
    assert last["accepts"] == []
    expected = {Mode.LEARN: 3, Mode.PREDICT: 5, Mode.PRACTICE: 5, Mode.CHALLENGE: 5, Mode.TEST: 10}
    assert len(last["data"]["results"]) == expected.get(mode, len(last["data"]["results"])) > 0
    final = {attempt.item: attempt.verdict.value for attempt in attempts}
    assert final == {result["item"]: result["verdict"] for result in last["data"]["results"] if result["verdict"]}
    assert final


def test_what_does_not_fit_is_refused_and_the_sitting_stays(folder: Path, worker: Worker, tmp_path: Path) -> None:
    bad = [
        "no json",
        "[]",
        '{"do": "next"}',
        '{"do": "answer", "answer": 77}',
        '{"do": "answer", "answer": NaN}',
        "",
        "[",
    ]
    written: list[dict[str, Any]] = []
    with (
        Progress.open(tmp_path / "me.sqlite") as progress,
        Player.begin(read_course(folder), Wish(Mode.TEST, ("quick",)), progress, worker) as player,
    ):
        drive(player, bad, lambda line: written.append(json.loads(line)))
        assert progress.attempts() == []
    assert [line["kind"] for line in written] == ["question", *["refused"] * 6, "done"]
    assert all(line["accepts"] == written[0]["accepts"] for line in written[1:-1])


@contextlib.contextmanager
def running(folder: Path, path: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A real `stepwell learn quiz --json` on questions that need no torch."""
    words = ["quiz", "--mode", "practice", "--topic", "quick", "--seed", "1", "--json", *more]
    options = ["--progress", str(path), "--course", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "stepwell", "learn", *words, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], LONG)[0], "no step in time"
    step: dict[str, Any] = json.loads(process.stdout.readline())
    return step


def send(process: subprocess.Popen[str], event: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write(f"{json.dumps(event)}\n")
    return read(process)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stopped_process_loses_no_answer(how: signal.Signals, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "me.sqlite"
    with running(folder, path) as process:
        step = read(process)
        answered = [step["data"]["item"]]
        told = send(process, {"do": "answer", "answer": answer_to(step["data"])})
        assert told["data"]["verdict"]["verdict"] == "right"
        step = send(process, {"do": "next"})
        answered.append(step["data"]["item"])
        send(process, {"do": "answer", "answer": answer_to(step["data"])})
        process.send_signal(how)
        _, complaint = process.communicate(timeout=LONG)
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert complaint == "\nstopped; 2 answers are recorded\n"
    with Progress.open(path) as progress:
        assert [attempt.item for attempt in progress.attempts()] == answered


def test_two_terminals_at_once_lose_no_answer(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "me.sqlite"
    with running(folder, path) as one, running(folder, path) as other:
        steps = [read(one), read(other)]
        for _ in range(3):
            for number, process in enumerate((one, other)):
                send(process, {"do": "answer", "answer": answer_to(steps[number]["data"])})
                steps[number] = send(process, {"do": "next"})
    with Progress.open(path) as progress:
        attempts = progress.attempts()
    assert len(attempts) == 6
    assert len({attempt.session for attempt in attempts}) == 2
    assert {attempt.verdict for attempt in attempts} == {Verdict.RIGHT}


def on_a_terminal(
    command: list[str], keys: list[str], environment: dict[str, str], until: Callable[[str], bool]
) -> tuple[str, int]:
    """What a process prints on a terminal of 80 columns while keys are typed one by one, and its exit code."""
    file, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    process = subprocess.Popen(
        command,
        stdin=end,
        stdout=end,
        stderr=end,
        env={**os.environ, "COLUMNS": "80", "LINES": "24", **environment},
        start_new_session=True,
    )
    os.close(end)
    seen, waiting = b"", list(keys)
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        if select.select([file], [], [], 0.5)[0]:
            try:
                chunk = os.read(file, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            seen += chunk
        if waiting and until(seen.decode(errors="replace")):
            os.write(file, waiting.pop(0).encode())
    os.close(file)
    try:
        return seen.decode(), process.wait(LONG)
    finally:
        process.kill()


CODE = """
import sys
sys.argv = ["stepwell", "learn", "--progress", sys.argv[1], "--course", sys.argv[2]]
from stepwell.cli import main
main()
print("torch" in sys.modules)
"""


@pytest.mark.parametrize(
    ("environment", "escapes"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True),
        ({"TERM": "dumb"}, False),
    ],
)
def test_the_first_screen_is_there_before_torch(
    environment: dict[str, str], escapes: bool, folder: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path / "me.sqlite"), str(folder)]
    shown, code = on_a_terminal(command, ["q\n"], environment, lambda seen: "q leaves): " in seen)
    assert code == 0
    assert shown.rstrip().endswith("False")
    assert "beg.-adv." in shown
    screen = shown[: shown.index("Topic (number")]
    assert ("\x1b[1m" in screen) == escapes
    assert ("\x1b[3" in screen) is False  # no colours: nothing is strong yet
    assert not (tmp_path / "me.sqlite").exists()


FAST = """
import sys
sys.argv = ["stepwell", "learn", "quiz", "--mode", "challenge", *sys.argv[1:]]
from stepwell.cli import main
from stepwell.cli.learn import countdown
countdown.INTERVAL = 0.005
main()
"""
TICK = "\x1b7"
LEFT, ERASE, CLEAR = "\x1b[D", "\x7f", "\x15"
CODES = re.compile(r"\x1b([78]|\[[?\d;]*[A-Za-z])|(.)", re.DOTALL)
MOVES = {"\r": (0, -80), "\n": (1, 0), "\b": (0, -1), "\0": (0, 0), "A": (-1, 0), "C": (0, 1), "D": (0, -1)}
SILENT = ("h", "l", "m")


def rows(output: str) -> list[str]:
    """What stands on a terminal of 80 columns, however long, after it was sent this."""
    lines: list[list[str]] = [[" "] * 80]
    row = column = 0
    saved = (0, 0)
    for code, sign in CODES.findall(output):
        kind = sign or code[-1]
        if code == "7":
            saved = (row, column)
        elif code == "8":
            row, column = saved
        elif code == "[K":
            lines[row][column:] = [" "] * (80 - column)
        elif kind in MOVES and (code or sign < " "):
            times = int(code[1:-1] or 1) if code else 1
            row, column = row + times * MOVES[kind][0], max(0, column + times * MOVES[kind][1])
        elif sign:
            row, column = (row + 1, 0) if column == 80 else (row, column)
            lines += [[" "] * 80 for _ in range(row + 1 - len(lines))]
            lines[row][column] = sign
            column += 1
        else:
            assert kind in SILENT, code
        lines += [[" "] * 80 for _ in range(row + 1 - len(lines))]
    return ["".join(line).rstrip() for line in lines]


def test_a_running_clock_disturbs_nothing_that_is_typed(folder: Path, tmp_path: Path) -> None:
    options = ("--topic", "quick", "--seed", "7", "--progress", str(tmp_path / "me.sqlite"), "--course", str(folder))
    long = "w" * 70
    form = "Expected the number of an option,"
    # What is typed key by key, what then stands behind the prompt, and what below it.
    typed = [
        (["9", "\n"], "9", f"{form} from 1 to 3; got 9."),
        (["é", "z", ERASE, "y", "\n"], "éy", f"{form} got 'éy'; ? for help."),
        (["9", "4", LEFT, ERASE, "\n"], "4", f"{form} from 1 to 3; got 4."),
        ([long, "x", CLEAR, "8", "\n"], "8", f"{form} from 1 to 3; got 8."),
        ([long, "x", "\n"], f"{'w' * 60}\n{'w' * 10}x", form),
        (["", "\n"], "", f"{form} got nothing; ? for help."),
        (["q", "\n"], "q", "\nDone\n"),
    ]
    seen_until, since = 0, time.monotonic()

    def until(seen: str) -> bool:
        """Whether the clock has ticked a few times since the last key; while the line is too long for it, it rests."""
        nonlocal seen_until, since
        if "Answer (" not in seen or (seen[seen_until:].count(TICK) < 3 and time.monotonic() - since < 1.0):
            return False
        seen_until, since = len(seen), time.monotonic()
        return True

    command = [sys.executable, "-c", FAST, *options]
    shown, code = on_a_terminal(command, [key for keys, *_ in typed for key in keys], {"TERM": "vt100"}, until)
    assert code == 0
    assert shown.count(TICK) > 3 * len(typed)
    screen = re.sub(r"\(\d:\d\d (left|over)\)", "(0:00 left)", "\n".join(rows(shown)))
    for _, words, said in typed:
        assert f"\n{f'Answer (0:00 left): {words}'.rstrip()}\n{said}" in screen
    assert screen.count("Answer (") == screen.count("0:00 left") == len(typed)


def test_the_clock_rests_on_a_dumb_terminal(folder: Path, tmp_path: Path) -> None:
    options = ("--topic", "quick", "--progress", str(tmp_path / "me.sqlite"), "--course", str(folder))
    asked = time.monotonic() + LONG

    def until(seen: str) -> bool:
        nonlocal asked
        if "Answer (" in seen:
            asked = min(asked, time.monotonic())
        return time.monotonic() - asked > 0.6  # where it ticks, it ticks a hundred times meanwhile

    shown, code = on_a_terminal([sys.executable, "-c", FAST, *options], ["q\n"], {"TERM": "dumb"}, until)
    assert code == 0
    assert "\x1b" not in shown
    assert "Answer (2:00 left): q" in shown
