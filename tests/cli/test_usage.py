"""What a user is told who typed a command wrongly."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stepwell.cli import main


def stepwell(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["stepwell", *arguments])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("compare --seeds abc", "invalid value for '--seeds': expected a whole number, got 'abc'; for help, type: "
         "stepwell compare --help"),
        ("compare --seeds=3.5", "invalid value for '--seeds': expected a whole number, got '3.5'; for help, type: "
         "stepwell compare --help"),
        ("compare --alpha 5%", "invalid value for '--alpha': expected a number, got '5%'; for help, type: "
         "stepwell compare --help"),
        ("compare --sedes 3", "no such option '--sedes', did you mean '--seeds'?; for help, type: "
         "stepwell compare --help"),
        ("runs export x --format xml", "invalid value for '--format': 'xml' is not one of 'csv', 'json'; for help, "
         "type: stepwell runs export --help"),
        ("runs show", "missing argument 'ID'; for help, type: stepwell runs show --help"),
        ("plot cosine --total-steps", "option '--total-steps' requires an argument; for help, type: stepwell --help"),
        ("digest", "no such command 'digest'; for help, type: stepwell --help"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_one_line_that_quotes_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    assert stepwell(monkeypatch, *arguments.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"error: {message}\n"


@pytest.mark.parametrize("arguments", ["", "runs", "new"])
def test_without_a_command_the_help_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str
) -> None:
    assert stepwell(monkeypatch, *arguments.split()) in (0, 2)  # as the version of typer has it
    printed = capsys.readouterr()
    assert "Usage: stepwell" in printed.out + printed.err
    assert "error" not in printed.out + printed.err


@pytest.mark.parametrize("arguments", ["--version", "--help", "runs list --help", "recipes timm.cosine"])
def test_what_is_asked_rightly_ends_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str
) -> None:
    assert stepwell(monkeypatch, *arguments.split()) == 0
    printed = capsys.readouterr()
    assert printed.out
    assert printed.err == ""


def test_a_question_without_an_answer_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    from stepwell.record.run import Ending, Outcome, Run
    from stepwell.record.store import Store

    path = f"{tmp_path}/runs.sqlite"
    with Store.open(path) as store:
        store.save(Run("abc1", "cosine", Outcome(Ending.FINISHED, 0, ""), {}))
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert stepwell(monkeypatch, "runs", "delete", "abc", "--store", path) == 1
    assert capsys.readouterr().err.endswith("aborted\n")
    with Store.open(path) as store:
        assert [summary.id for summary in store.summaries()] == ["abc1"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
@pytest.mark.parametrize("words", [["recipes"], ["learn", "list"], ["learn", "quiz", "--json", "--seed", "1"]])
def test_a_full_disk_is_one_line(words: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "stepwell", *words],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: cannot write (No space left on device)")
    assert ended.stderr.count("\n") == 1
