"""`stepwell compare` as a user types it: real training, in processes of its own where it matters."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import AT_MOST, CALL, start, stepwell
from stepwell import compare
from stepwell.record.store import Store

TASK = """
import torch
from torch import nn
from stepwell import Workload

def blobs(seed, *, spoil=""):
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    if spoil == "frozen":
        model.requires_grad_(False)
    data = torch.Generator().manual_seed(0)
    inputs = torch.randn(120, 4, generator=data)
    targets = (inputs.sum(1) + 0.5 * torch.randn(120, generator=data) > 0).long()

    def train(epoch):
        if spoil == "empty":
            return
        order = torch.randperm(60, generator=torch.Generator().manual_seed(1000 * seed + epoch))
        for rows in order.split(10):
            yield inputs[:60][rows], targets[:60][rows]

    def loss(model, batch):
        value = nn.functional.cross_entropy(model(batch[0]), batch[1])
        return value * float("nan") if spoil == "nan" else value[None] if spoil == "vector" else value

    def metrics(model, batch):
        value = nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="sum")
        return {"loss": (value * float("inf") if spoil == "metric" else value, len(batch[1]))}

    if spoil == "raise":
        raise ValueError("no such data")
    return Workload(
        model, loss, train, 6,
        val=lambda: [(inputs[60:90], targets[60:90])], metrics=metrics,
        test=lambda: [(inputs[90:], targets[90:])],
    )
"""
FEW = ["--only", "constant,cosine", "--seeds", "3", "--budget", "4ep", "--lr", "0.1,0.4,1.6"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "blobs.py").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_comparison_prints_its_answer_and_writes_its_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = stepwell(capsys, "compare", "blobs.py:blobs", *FEW, "--engine", "inline", "--out", "result")
    assert code == 0
    assert "judging on fresh seeds ..." in err
    for word in ("constant", "cosine", "Too low: at a constant", "scheduler = Scheduler(", "report: "):
        assert word in out
    page = (folder / "result" / "report.html").read_text()
    assert "blobs.py:blobs" in page
    assert {path.suffix for path in (folder / "result").iterdir()} >= {".html", ".png", ".svg"}


def test_a_strategy_that_takes_the_place_of_a_built_in_one_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--only", "constant,cosine", "--seeds", "3", "--budget", "2ep", "--lr", "0.1", "--engine", "inline"]
    command = ("compare", "blobs.py:blobs", *few, "--strategy", "constant=hold", "--out", "result")
    code, out, err = stepwell(capsys, *command, "--strategy", "cosine=cosine 1..0.1")
    assert code == 0
    assert err.count("note: ") == 1  # the other one has the built-in text
    assert "note: strategy 'cosine' is yours, 'cosine 1..0.1', not the built-in 'cosine 1..0'" in err
    assert "cosine: your text, cosine 1..0.1; the built-in one is cosine 1..0" in " ".join(out.split())
    page = (folder / "result" / "report.html").read_text()
    assert "your text, in place of the built-in <code>cosine 1..0</code>" in page


def test_json_is_all_that_is_printed_with_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = stepwell(capsys, "compare", "blobs.py:blobs", *FEW, "--engine", "inline", "--json")
    assert code == 0
    assert {entry["name"] for entry in json.loads(out)["strategies"]} >= {"constant", "cosine"}


def test_the_same_command_repeats_nothing_and_says_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("compare", "blobs.py:blobs", *FEW, "--engine", "inline", "--json")
    first = json.loads(stepwell(capsys, *command)[1])
    second = json.loads(stepwell(capsys, *command)[1])
    assert first["cost"]["trials"] > 0
    assert second["cost"]["trials"] == 0
    assert first["strategies"] == second["strategies"]


def test_an_edited_task_is_noticed_and_trained_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("compare", "blobs.py:blobs", *FEW, "--engine", "inline")
    stepwell(capsys, *command)
    (folder / "blobs.py").write_text(TASK.replace("nn.Linear(4, 8)", "nn.Linear(4, 9)").replace("Linear(8", "Linear(9"))
    code, out, _ = stepwell(capsys, *command, "--json")
    assert code == 0
    assert json.loads(out)["cost"]["reused"] == 0
    (folder / "blobs.py").write_text(TASK.replace("nn.Linear(4, 8)", "nn.Linear(4, 7)").replace("Linear(8", "Linear(7"))
    _, _, err = stepwell(capsys, *command)
    assert "was edited since its runs were stored" in " ".join(err.split())


def test_every_engine_gives_the_same_numbers_bit_for_bit(folder: Path) -> None:
    results = [
        compare("blobs.py:blobs", only=["constant", "cosine"], seeds=3, budget="3ep", lr=[0.1, 0.4], engine=engine)
        for engine in ("inline", "processes")
    ]
    for one, other in zip(results[0].results, results[1].results, strict=True):
        assert one.base_lr == other.base_lr
        for a, b in zip(one.runs, other.runs, strict=True):
            for column in ("loss", "lr", "val_loss"):
                np.testing.assert_array_equal(a[column], b[column])
            assert a.results["test_loss"] == b.results["test_loss"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_comparison_goes_on_and_ends_as_if_never_stopped(folder: Path, sent: signal.Signals) -> None:
    few = ["compare", "blobs.py:blobs", "--only", "constant,cosine", "--seeds", "8", "--budget", "60ep"]
    few += ["--lr", "0.1,0.4,1.6", "--json"]
    running = start(*few, "--store", "stopped.sqlite")
    deadline = time.monotonic() + AT_MOST
    while finished_runs(folder / "stopped.sqlite") < 5:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(sent)
    _, err = running.communicate(timeout=AT_MOST)
    if sent is signal.SIGINT:
        assert running.returncode == 130
        assert "the same command goes on from here" in err
    time.sleep(0.5)  # workers of a killed parent leave their checkpoints and end
    before = finished_runs(folder / "stopped.sqlite")
    again = start(*few, "--store", "stopped.sqlite")
    whole = start(*few, "--store", "whole.sqlite")
    (resumed, resumed_err), (fresh, fresh_err) = again.communicate(timeout=600), whole.communicate(timeout=600)
    assert again.returncode == 0, resumed_err
    assert whole.returncode == 0, fresh_err
    one, other = json.loads(resumed), json.loads(fresh)
    assert without_times(one["strategies"]) == without_times(other["strategies"])
    assert one["cost"]["reused"] >= before >= 5
    assert one["cost"]["trials"] + one["cost"]["reused"] == other["cost"]["trials"]


def without_times(strategies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for strategy in strategies:
        for run in strategy["runs"]:
            del run["results"]["seconds"], run["results"]["train_seconds"]
    return strategies


def finished_runs(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as connection:
            row = connection.execute(
                "SELECT count(*) FROM runs WHERE ending IN ('learned', 'did not learn')"
            ).fetchone()
            return int(row[0])
    except sqlite3.OperationalError:
        return 0  # being made


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits-cn"], "digits-cnn"),
        (["nothing.py:blobs"], "nothing.py"),
        (["blobs.py:bolbs"], "blobs"),
        (["blobs.py:blobs", "--only", "cosin"], "unknown strategy 'cosin', did you mean 'cosine'?"),
        (["blobs.py:blobs", "--strategy", "a=lin 1..0"], "strategy 'a': unknown shape 'lin'; did you mean 'linear'?"),
        (["blobs.py:blobs", "--strategy", "a=cosine 1..0 for 5m | hold"], "unknown unit 'm'"),
        (["blobs.py:blobs", "--strategy", "a=hold for 500 | linear to 0"], "strategy 'a' does not fit 24 updates"),
        (["blobs.py:blobs", "--strategy", "cosine"], "written NAME=TEXT"),
        (["blobs.py:blobs", "--optimizer", "adem"], "adam"),
        (["blobs.py:blobs", "--option", "weight_decay=much"], "NAME=VALUE with a number"),
        (["blobs.py:blobs", "--option", "wd=0.1"], "weight_decay"),
        (["blobs.py:blobs", "--lr", "nan"], "positive and finite"),
        (["blobs.py:blobs", "--lr", "inf"], "positive and finite"),
        (["blobs.py:blobs", "--lr", "0"], "positive and finite"),
        (["blobs.py:blobs", "--lr", "0.1,fast"], "a rate is a number"),
        (["blobs.py:blobs", "--seeds", "2"], "at least 3"),
        (["blobs.py:blobs", "--budget", "ten"], "expected a length"),
        (["blobs.py:blobs", "--budget", "10%"], "a budget is in epochs (20ep) or updates (600)"),
        (["blobs.py:blobs", "--margin", "-1"], "margin"),
        (["blobs.py:blobs", "--alpha", "2"], "alpha"),
        (["blobs.py:blobs", "--engine", "cluster"], "unknown engine 'cluster'; known engines: inline, processes"),
        (["blobs.py:blobs,spoil=nan"], "nan"),
        (["blobs.py:blobs,spoil=vector"], "single number, got shape (1,)"),
        (["blobs.py:blobs,spoil=frozen"], "trainable"),
        (["blobs.py:blobs,spoil=empty"], "train"),
        (["blobs.py:blobs,spoil=metric"], "val_loss of the untrained model is inf"),
        (["blobs.py:blobs,spoil=raise"], "blobs.py:32, while task"),
        (["blobs.py:blobs,spoiled=1"], "spoil"),
    ],
)
def test_bad_input_is_one_clear_error_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, out, err = stepwell(capsys, "compare", arguments[0], "--budget", "4ep", *arguments[1:])
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert len(err.splitlines()) <= 4  # one sentence, and the place in a schedule text
    assert {path.name for path in folder.iterdir()} <= {"blobs.py", "__pycache__"}


def test_text_where_a_number_belongs_is_a_usage_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = stepwell(capsys, "compare", "blobs.py:blobs", "--seeds", "ten")
    assert code == 2
    assert "--seeds" in err


def test_a_store_from_a_newer_version_is_left_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "new.sqlite"
    Store.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    code, _, err = stepwell(capsys, "compare", "blobs.py:blobs", *FEW, "--store", str(path))
    assert code == 2
    assert "newer" in err
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_trained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("not a folder")
    code, _, err = stepwell(capsys, "compare", "blobs.py:blobs", *FEW, "--out", "file/result")
    assert code == 2
    assert "file" in err
    assert not (folder / "stepwell-runs").exists()


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_trained(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (folder / "result").mkdir()
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    code, _, err = stepwell(capsys, "compare", "blobs.py:blobs", *FEW, "--out", "result")
    assert code == 2
    assert "cannot write into the folder" in err
    assert not (folder / "stepwell-runs").exists()


def test_another_optimizer_does_not_overwrite_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("compare", "blobs.py:blobs", "--only", "cosine", "--seeds", "3", "--budget", "2ep", "--lr", "0.1")
    for optimizer in ("sgd", "adam"):
        code, out, _ = stepwell(capsys, *command, "--engine", "inline", "--optimizer", optimizer)
        assert code == 0
        assert (folder / "stepwell-runs" / f"blobs.py-blobs-{optimizer}" / "report.html").exists()
        assert str(folder) in out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_closed_pipe_loses_no_report(folder: Path, form: list[str]) -> None:
    few = ["compare", "blobs.py:blobs", *FEW, "--engine", "inline", "--out", "result", *form]
    ours, theirs = os.pipe()
    os.close(ours)
    ended = subprocess.run([sys.executable, "-c", CALL, *few], stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert (folder / "result" / "report.html").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_stdout_is_one_sentence_and_loses_no_report(folder: Path, form: list[str]) -> None:
    few = ["compare", "blobs.py:blobs", *FEW, "--engine", "inline", "--out", "result", *form]
    with open("/dev/full", "w") as full:
        ended = subprocess.run([sys.executable, "-c", CALL, *few], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.strip().splitlines()[-1].startswith("error: cannot write to the standard output")
    assert "report.html" in ended.stderr
    assert (folder / "result" / "report.html").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the simulated full disk is Linux's file-size limit")
def test_a_full_disk_loses_nothing(folder: Path) -> None:
    few = ["compare", "blobs.py:blobs", *FEW, "--engine", "inline", "--json"]
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
    call = f"{limit} {CALL}"
    full = subprocess.run([sys.executable, "-c", call, *few], capture_output=True, text=True, check=False)
    assert full.returncode == 2, full.stdout + full.stderr
    assert full.stderr.strip().splitlines()[-1].startswith("error: ")
    assert not list(folder.rglob("*.html"))
    begun = finished_runs(folder / "stepwell-runs" / "runs.sqlite")
    later = start(*few)
    out, err = later.communicate(timeout=AT_MOST)
    assert later.returncode == 0, err
    assert json.loads(out)["cost"]["reused"] == begun
    assert os.path.exists(folder / "stepwell-runs" / "runs.sqlite")
