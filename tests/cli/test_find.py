"""`stepwell find` as a user types it: real short runs of a task that trains in milliseconds."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from command_line import AT_MOST, start, stepwell

TASK = """
import dataclasses
import pathlib
import time
import torch
from torch import nn
from stepwell import Workload

def blobs(seed, *, spoil=""):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    data = torch.Generator().manual_seed(0)
    inputs = torch.randn(90, 4, generator=data)
    targets = (inputs.sum(1) > 0).long()

    def train(epoch):
        order = torch.randperm(60, generator=torch.Generator().manual_seed(1000 * seed + epoch))
        for rows in order.split(10):
            yield inputs[:60][rows], targets[:60][rows]

    def loss(model, batch):
        value = nn.functional.cross_entropy(model(batch[0]), batch[1])
        if spoil == "slow":
            pathlib.Path("training").touch()
            time.sleep(0.2)
        spoilt = {"nan": value * float("nan"), "vector": value.repeat(2), "detached": value.detach()}
        return spoilt.get(spoil, value)

    def metrics(model, batch):
        return {"loss": (nn.functional.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[1]))}

    return Workload(model, loss, train, 6, val=lambda: [(inputs[60:], targets[60:])], metrics=metrics)

def nan(seed):
    return blobs(seed, spoil="nan")

def vector(seed):
    return blobs(seed, spoil="vector")

def once(seed):
    work = blobs(seed)
    batches = iter([*work.train(0)] * 9)
    return dataclasses.replace(work, train=lambda epoch: batches)

def detached(seed):
    return blobs(seed, spoil="detached")

def slow(seed):
    return blobs(seed, spoil="slow")
"""
LONG = "linear 0..1 for 900 | cosine 1..0"
BLOBS = ("find", "blobs.py:blobs", "--budget", "200")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "blobs.py").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_search_prints_its_answer_and_writes_its_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = stepwell(capsys, *BLOBS, "--out", "result")
    assert code == 0
    assert err == "searching for a rate, within 200 steps ...\n"
    for words in ("Verdict", "Good rates", "of 200 steps", "What each rule suggests", "lr=", "report: "):
        assert words in out
    names = {path.name for path in (folder / "result").iterdir()}
    assert names >= {"report.html", "scores.png", "scores.svg", "short-runs.png", "sweep.png"}
    assert "blobs.py:blobs" in (folder / "result" / "report.html").read_text()


def test_without_out_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = stepwell(capsys, *BLOBS)
    assert code == 0
    assert "report:" not in out
    assert {path.name for path in folder.iterdir()} - {"__pycache__"} == {"blobs.py"}


def test_json_is_all_that_is_printed_with_json_and_is_the_same_twice(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [stepwell(capsys, *BLOBS, "--json", "--optimizer", "adam", "--seed", "3")[1] for _ in range(2)]
    found = json.loads(runs[0])
    assert runs[0] == runs[1]
    assert found["optimizer"] == "adam"
    assert found["low"] <= found["lr"] <= found["high"]
    assert found["spent"] <= 200
    assert min(run["seed"] for run in found["runs"]) == 3


def test_what_is_asked_is_what_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--schedule", "cosine 1..0", "--length", "20ep", "--metric", "val", "--low", "0.001", "--high", "0.3")
    code, out, _ = stepwell(capsys, *BLOBS, *options, "--option", "weight_decay=0.01", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["schedule"], found["metric"]) == ("cosine 1..0", "val")
    assert "total_steps=120" in found["code"]
    assert "weight_decay=0.01" in found["code"]
    assert all(0.001 <= run["lr"] <= 0.31 for run in found["runs"])
    assert all(run["val"] == run["score"] for run in found["runs"] if run["fate"] == "finished")


def test_the_range_test_alone_shows_every_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = stepwell(capsys, *BLOBS, "--method", "range", "--low", "1e-4", "--high", "100", "--out", "swept")
    assert code == 0
    for words in ("The range test", "fastai.valley", "lightning", "torch-lr-finder", "ignite"):
        assert words in f"The range test {out}"
    assert not (folder / "swept" / "scores.png").exists()
    assert (folder / "swept" / "sweep.png").exists()


def test_a_loss_that_is_nan_is_an_answer_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = stepwell(capsys, "find", "blobs.py:nan", "--budget", "200")
    assert code == 0
    assert "No rate found: no signal." in out


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (
            ("--high", "1e-8"),
            "Only rates from low ones to 1e-8 (--high) were allowed: widen the limit. No rate lowered",
        ),
        (("--low", "1e-9", "--high", "1e-8"), "Only rates from 1e-9 (--low) to 1e-8 (--high) were allowed: widen the"),
    ],
)
def test_where_nothing_was_learned_the_limits_that_were_typed_are_named(
    capsys: pytest.CaptureFixture[str], limits: tuple[str, ...], words: str
) -> None:
    found = json.loads(stepwell(capsys, *BLOBS, *limits, "--json")[1])
    assert found["verdict"] == "no signal"
    assert found["words"].startswith(words)


@pytest.mark.parametrize("arguments", [("blobs.py:nan", "--low", "1e-3"), ("blobs.py:blobs", "--low", "1e-3")])
def test_limits_that_are_no_reason_are_not(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert "were allowed" not in stepwell(capsys, "find", *arguments, "--budget", "200")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("find", "blobs.py:missing"), "missing"),
        (("find", "blobs.py:vector"), "the loss must be a tensor with a single number, got shape (2,)"),
        (("find", "blobs.py:detached"), "the loss has no gradient"),
        (("find", "blobs.py:once"), "train(epoch) gave one and the same iterator for two epochs"),
        (
            (*BLOBS, "--schedule", LONG, "--length", "600"),
            "in your run of 600 updates (total_steps=, or --length), the",
        ),
        ((*BLOBS, "--schedule", LONG, "--length", "100ep"), "fill 900 of 600 steps"),
        ((*BLOBS, "--schedule", LONG), "(at the command line --length 20ep, or --length 10000)"),
        ((*BLOBS, "--schedule", "linear 0..1 for 7ep | hold", "--length", "6ep"), "fill 42 of 36 steps"),
        ((*BLOBS, "--optimizer", "adamm"), "adamm"),
        ((*BLOBS, "--option", "weight_decay"), "NAME=VALUE"),
        ((*BLOBS, "--schedule", "cosin 1..0"), "cosin"),
        ((*BLOBS, "--length", "20%"), "--length is in epochs (20ep) or updates (600), got '20%'"),
        ((*BLOBS, "--length", "0.1ep"), "--length 0.1ep is 0.6 updates; it must be a whole number of at least 1"),
        ((*BLOBS, "--low", "1", "--high", "0.1"), "low must be well below high"),
        ((*BLOBS, "--low", "0"), "low is a rate above 0, got 0"),
        ((*BLOBS, "--low", "-1"), "low is a rate above 0, got -1"),
        ((*BLOBS, "--metric", "accuracy"), "'accuracy' is not one of 'loss', 'val'"),
        ((*BLOBS, "--method", "guess"), "'guess' is not one of 'race', 'range'"),
        (("find", "blobs.py:blobs", "--budget", "10"), "at least 60, got 10"),
        ((*BLOBS, "--out", "blobs.py"), "cannot make the folder"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    code, out, err = stepwell(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")  # nothing was searched, and nothing says so
    assert words in err


def test_ctrl_c_ends_it_with_one_sentence_and_leaves_nothing_behind(folder: Path) -> None:
    process = start("find", "blobs.py:slow", "--out", "result")
    assert process.stderr is not None
    assert "searching" in process.stderr.readline()
    deadline = time.monotonic() + AT_MOST
    while not (folder / "training").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=AT_MOST)
    assert process.returncode == 130
    assert out == ""
    assert err == "stopped; nothing was kept, and nothing is left behind\n"
    assert not (folder / "result").exists()
