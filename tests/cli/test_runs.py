from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from stepwell.cli import runs as command
from stepwell.cli.runs import app
from stepwell.errors import OptionError, OutputError, StoreError
from stepwell.record.document import run_from_json
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store
from stepwell.schedule.length import Horizon

SCHEDULE = "linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%" + " | hold" * 30  # wider than any terminal


def a_run(run_id: str, name: str, ending: Ending = Ending.FINISHED) -> Run:
    step = np.arange(40, dtype=np.float64)
    loss = 2.0 / (1 + step)
    loss[-1] = np.nan if ending is Ending.DIVERGED else loss[-1]
    return Run(
        run_id,
        name,
        Outcome(ending, 40, "the loss went [bold]down[/bold]"),
        {"step": step, "loss": loss, "lr": np.linspace(0.1, 0.0, 40)},
        {"step": np.array([0.0, 20.0, 40.0]), "val_loss": np.array([2.5, 1.5, 0.5])},
        results={"test_loss": 0.4375, "test_accuracy": float("nan") if ending is Ending.DIVERGED else 0.875},
        schedule=SCHEDULE,
        horizon=Horizon(40),
        base_lr=0.1,
        optimizer="momentum",
        task="digits-cnn",
        seed=7,
        settings={"threads": 1, "torch": "2.13.0"},
    )


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "runs.sqlite"
    with Store.open(path) as opened:
        opened.save(a_run("abc1", "cosine"))
        opened.save(a_run("abd2", "too [high]", Ending.DIVERGED))
        opened.save(a_run("abc", "its id begins another's"))
        opened.begin(a_run("e5", "still going", Ending.RUNNING))
    return path


def call(*words: object, store: Path, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--store", str(store)], input=answer)


def said(*words: object, store: Path, answer: str | None = None) -> str:
    result = call(*words, store=store, answer=answer)
    assert result.exit_code == 0, result.output
    return result.output


def ids(store: Path) -> list[str]:
    with Store.open(store) as opened:
        return [summary.id for summary in opened.summaries()]


def shown(monkeypatch: pytest.MonkeyPatch, *words: object, store: Path, width: int, encoding: str = "utf-8") -> str:
    """What a terminal of that width shows."""
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    terminal = Console(force_terminal=True, color_system=None, width=width, highlight=False, file=screen)
    monkeypatch.setattr(command, "Console", lambda **options: terminal)
    said(*words, store=store)
    screen.seek(0)
    return screen.read()


def test_list_is_complete_where_it_is_not_a_terminal(store: Path) -> None:
    lines = said("list", store=store).splitlines()
    assert len(lines) == 5
    assert lines[0].split() == [
        "id", "name", "ending", "score", "rate", "seed", "steps", "task", "optimizer", "begun", "schedule",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["abc1", "abd2", "abc", "e5"]
    assert all(SCHEDULE in line for line in lines[1:])
    assert "test loss 0.4375" in lines[1]
    assert "too [high]" in lines[2]
    assert "diverged" in lines[2]
    assert "running, last written 20" in lines[4]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_list_fits_a_terminal_with_one_line_per_run(
    store: Path, monkeypatch: pytest.MonkeyPatch, width: int, encoding: str
) -> None:
    with Store.open(store) as opened:
        opened.save(
            replace(a_run("f" * 32, "a long id and a name that is longer than a column"), task="blobs.py:blobs")
        )
    lines = shown(monkeypatch, "list", store=store, width=width, encoding=encoding).splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[-5:]] == ["abc1", "abd2", "abc", "e5", "f" * 8]
    assert "optimizer momentum" in lines[0] or width < 80  # what all have in common is said once


@pytest.mark.parametrize("silent", [0.01, 0.5, 9.4, 3725.0, 200_000.0])
def test_ids_stay_whole_however_long_a_run_has_been_silent(
    store: Path, monkeypatch: pytest.MonkeyPatch, silent: float
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + silent)
    with Store.open(store) as opened:
        opened.save(a_run("f" * 32, "a name that is longer than a column"))
    lines = shown(monkeypatch, "list", store=store, width=40).splitlines()
    assert [line.split()[0] for line in lines[-5:]] == ["abc1", "abd2", "abc", "e5", "f" * 8]
    assert max(map(len, lines)) <= 40


def test_at_80_columns_a_list_has_what_runs_are_compared_by(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, "list", store=store, width=80).splitlines()
    assert "task digits-cnn" in lines[0]
    assert lines[1].split() == ["id", "name", "ending", "test", "loss", "begun"]
    assert lines[2].split()[:4] == ["abc1", "cosine", "learned", "0.4375"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--ending", "diverged"], ["abd2"]),
        (["--ending", "Did-Not-Learn"], ["n0"]),
        (["--name", "cosine"], ["abc1"]),
        (["--strategy", "too*"], ["abd2"]),
        (["--name", "too [high]"], ["abd2"]),  # a name is not taken for a pattern
        (["--task", "blobs.py:*"], ["n0"]),
        (["--task", "digits-cnn", "--ending", "learned"], ["abc1", "abc"]),
    ],
)
def test_a_list_holds_what_was_asked_for(store: Path, words: list[str], found: list[str]) -> None:
    with Store.open(store) as opened:
        opened.save(replace(a_run("n0", "flat", Ending.NOT_LEARNING), task="blobs.py:blobs"))
    assert [run["id"] for run in json.loads(said("list", "--json", *words, store=store))] == found
    assert [line.split()[0] for line in said("list", *words, store=store).splitlines()[1:]] == found


def test_where_no_run_has_what_was_asked_for_it_says_what_there_is(store: Path) -> None:
    assert said("list", "--task", "digits", "--ending", "failed", store=store) == (
        f"no run in {store} has task 'digits' and ending 'failed'; known tasks: digits-cnn; "
        "known endings: diverged, learned, running\n"
    )
    assert json.loads(said("list", "--json", "--task", "digits", store=store)) == []


def test_an_unknown_ending_is_quoted_and_the_known_ones_are_named(store: Path) -> None:
    error = call("list", "--ending", "exploded", store=store).exception
    assert isinstance(error, OptionError)
    assert str(error) == (
        "an ending is one of running, learned, did not learn, diverged, stopped, failed, got 'exploded'"
    )


def test_list_as_json_is_strict(store: Path) -> None:
    listed = json.loads(said("list", "--json", store=store), parse_constant=pytest.fail)
    assert [run["id"] for run in listed] == ["abc1", "abd2", "abc", "e5"]
    assert listed[1]["outcome"]["ending"] == "diverged"
    assert listed[1]["results"] == {"test_loss": 0.4375, "test_accuracy": "nan"}
    assert listed[0]["num_steps"] == 40
    assert listed[0]["begun"] <= listed[1]["begun"]


def test_an_empty_store_has_no_runs(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    Store.open(path).close()
    assert said("list", store=path) == f"no runs in {path} yet\n"
    assert json.loads(said("list", "--json", store=path)) == []


def test_show_says_how_it_ended_and_draws_its_curves(store: Path) -> None:
    text = said("show", "abd", store=store)
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in text.splitlines()}
    assert lines["ending"].strip() == "diverged: the loss went [bold]down[/bold]"
    assert lines["schedule"].strip() == SCHEDULE
    assert lines["software"].strip() == "torch 2.13.0"
    assert lines["hardware"].strip() == "With 1 thread per run"
    assert lines["test_loss"].strip() == "0.4375"
    assert lines["test_accuracy"].strip() == "nan"
    assert "█" in lines["loss"]
    assert lines["loss"].endswith("2 -> nan")
    assert lines["lr"].endswith("0.1 -> 0")
    assert lines["val_loss"].endswith("2.5 -> 0.5")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_show_draws_each_curve_in_one_line(store: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    lines = shown(monkeypatch, "show", "abc1", store=store, width=width).splitlines()
    assert max(map(len, lines)) <= width
    curves = [line.rsplit("  ", 1)[1].strip() for line in map(str.rstrip, lines) if "█" in line]
    assert curves == ["2 -> 0.05", "0.1 -> 0", "2.5 -> 0.5"]


def test_show_has_every_recorded_column(store: Path) -> None:
    run = a_run("g1", "all")
    norm = np.full(40, np.nan)
    norm[::10] = [4.0, 3.0, 2.0, 1.0]  # read at every tenth update
    columns = {**run.columns, "lr.1": np.full(40, 0.01), "grad_norm": norm}
    evals = {
        **run.evals,
        "val_accuracy": np.array([0.1, np.nan, 0.9]),  # measured at two of three evaluations
        "once": np.array([np.nan, np.nan, 3.0]),
        "lost": np.array([3.0, 2.0, np.nan]),
    }
    with Store.open(store) as opened:
        opened.save(replace(run, columns=columns, evals=evals))
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in said("show", "g1", store=store).splitlines()}
    assert list(lines)[-8:] == ["loss", "lr", "lr.1", "grad_norm", "val_loss", "val_accuracy", "once", "lost"]
    assert lines["lr.1"].endswith("0.01 -> 0.01")
    assert lines["grad_norm"] == "█▆▃▁  4 -> 1"
    assert (lines["val_accuracy"], lines["once"]) == ("0.1 -> 0.9", "3")
    assert lines["lost"].endswith("3 -> nan")


def test_show_ends_a_line_without_a_full_stop(store: Path) -> None:
    settings = {"optimizer_options": {"weight_decay": 0.0}, "goal": ["val_loss", "min"], "test_split": True}
    with Store.open(store) as opened:
        opened.save(replace(a_run("g1", "plain"), settings=settings | {"note": "As it was."}))
    text = said("show", "g1", store=store)
    for line in ("digits-cnn", "momentum with weight decay 0", "There is a test split besides.", "As it was."):
        assert f"{line}\n" in text


def test_show_as_json_is_the_run(store: Path) -> None:
    shown = run_from_json(json.loads(said("show", "abd", "--json", store=store), parse_constant=pytest.fail))
    with Store.open(store) as opened:
        stored = opened.load("abd2")
    assert shown["loss"].tobytes() == stored["loss"].tobytes()
    assert (shown.outcome, shown.settings, shown.schedule) == (stored.outcome, stored.settings, stored.schedule)


def test_export_as_csv_has_every_row_in_the_order_of_time(store: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(said("export", "abc1", "abd2", store=store))))
    assert len(rows) == 2 * (40 + 3)
    assert list(rows[0]) == ["run", "name", "kind", "step", "loss", "lr", "val_loss"]
    first = [row for row in rows if row["run"] == "abc1"]
    assert [(row["kind"], row["step"]) for row in first[:2]] == [("eval", "0"), ("train", "0")]
    assert [row["step"] for row in first if row["kind"] == "eval"] == ["0", "20", "40"]
    assert first[0] | {"val_loss": ""} == first[0] | {"loss": "", "lr": "", "val_loss": ""}
    with Store.open(store) as opened:
        losses = opened.load("abc1")["loss"].tolist()
    assert [float(row["loss"]) for row in first if row["kind"] == "train"] == losses
    assert rows[-2]["loss"] == "nan"


def test_export_as_json_is_the_runs(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    assert said("export", "abc1", "e5", "--format", "json", "-o", target, store=store) == (
        f"wrote 2 runs, 86 rows, to {target}\n"
    )
    document = json.loads(target.read_text(), parse_constant=pytest.fail)
    assert document["stepwell_runs"] == 1
    assert [run_from_json(run).id for run in document["runs"]] == ["abc1", "e5"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "runs.sqlite"]


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("no/such/folder.csv", "cannot write '{}': there is no folder '{}/no/such'; make it first"),
        ("folder", "cannot write '{}': it is a folder"),
        ("runs.sqlite", "'{}' is the run store itself; give another file with -o FILE"),
        ("a" * 300, "cannot write '{}': file name too long"),
        ("/dev/full", "cannot write '{}': no space left on device"),
    ],
)
def test_an_export_that_cannot_be_written_is_one_sentence_and_leaves_nothing(
    store: Path, target: str, complaint: str
) -> None:
    (store.parent / "folder").mkdir()
    before = sorted(store.parent.iterdir())
    content = store.read_bytes()
    result = call("export", "abc1", "-o", store.parent / target, store=store)
    assert isinstance(result.exception, OutputError | OptionError), result.exception
    assert str(result.exception) == complaint.format(store.parent / target, store.parent)
    assert sorted(store.parent.iterdir()) == before
    assert store.read_bytes() == content


def test_an_export_replaces_a_file_as_a_whole(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine")

    def fail(*paths: object) -> None:
        raise OSError(28, "No space left on device", ".out.csv.123.part")

    monkeypatch.setattr("os.replace", fail)
    error = call("export", "abc1", "-o", target, store=store).exception
    assert isinstance(error, OutputError)
    assert str(error) == f"cannot write '{target}': no space left on device"
    assert target.read_text() == "mine"
    monkeypatch.undo()
    assert said("export", "abc1", "-o", target, store=store) == f"wrote 1 run, 43 rows, to {target}\n"
    assert target.read_text().startswith("run,name,kind,step,")
    assert "\r" not in target.read_bytes().decode()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs a device to write to")
def test_an_export_into_a_device_does_not_mix_with_what_is_said(store: Path) -> None:
    result = call("export", "abc1", "-o", "/dev/null", store=store)
    assert (result.stdout, result.stderr) == ("", "wrote 1 run, 43 rows, to /dev/null\n")


def test_a_standard_output_that_is_full_says_so(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(runs: Any, stream: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "write_csv", full)
    error = call("export", "abc1", store=store).exception
    assert isinstance(error, OutputError)
    assert str(error) == "cannot write to the standard output (no space left on device); give a file with -o FILE"


def test_delete_asks(store: Path) -> None:
    refused = call("delete", "abd", "e", store=store, answer="n\n")
    assert refused.exit_code == 1
    assert "Delete abd2 (too [high]), e5 (still going) for good?" in refused.output
    assert len(ids(store)) == 4
    assert call("delete", "abd", store=store, answer="").exit_code == 1  # nobody there to say yes
    assert len(ids(store)) == 4
    assert "deleted 2 runs" in said("delete", "abd", "e", store=store, answer="y\n")
    assert ids(store) == ["abc1", "abc"]
    assert said("delete", "abc", "abc1", "abc", "--yes", store=store) == "deleted 2 runs\n"
    assert ids(store) == []


def test_a_whole_id_is_not_the_beginning_of_another(store: Path) -> None:
    assert json.loads(said("show", "abc", "--json", store=store))["id"] == "abc"


@pytest.mark.parametrize("words", [["show", "zz"], ["export", "abc1", "zz"], ["delete", "--yes", "abc1", "zz"]])
def test_an_unknown_id_says_how_to_see_the_known_ones_and_does_nothing(store: Path, words: list[str]) -> None:
    error = call(*words, store=store).exception
    assert isinstance(error, OptionError)
    assert str(error) == (
        f"no run has an id that begins with 'zz'; to see all, type: stepwell runs list --store {store}"
    )
    assert len(ids(store)) == 4


def test_a_mistyped_id_names_the_nearest(store: Path) -> None:
    error = call("show", "bad2", store=store).exception
    assert isinstance(error, OptionError)
    assert "begins with 'bad2'; the nearest is abd2 (too [high]); to see all, type: " in str(error)


def test_a_name_in_the_place_of_an_id_names_its_runs(store: Path) -> None:
    error = call("show", "still going", store=store).exception
    assert isinstance(error, OptionError)
    assert str(error) == (
        "'still going' is a name, and an id is needed, as of e5 (still going); "
        f"to see all, type: stepwell runs list --store {store} --name 'still going'"
    )


@pytest.mark.parametrize("text", ["", "a"])
def test_no_error_is_a_wall_of_ids(tmp_path: Path, text: str) -> None:
    path = tmp_path / "runs.sqlite"
    with Store.open(path) as opened:
        for index in range(30):
            opened.save(a_run(f"a{index:02}" + 29 * "0", "n"))
    error = call("show", text, store=path).exception
    assert isinstance(error, OptionError)
    assert len(str(error)) < 120 + len(str(path))
    assert text == "" or "could be a2700000 (n), a2800000 (n), a2900000 (n) or 27 older; type more" in str(error)


def test_an_ambiguous_id_lists_its_meanings(store: Path) -> None:
    error = call("show", "ab", store=store).exception
    assert isinstance(error, OptionError)
    assert "the id 'ab' could be abc1 (cosine), abd2 (too [high]), abc (" in str(error)


@pytest.mark.parametrize("words", [["list"], ["show", "a"], ["export", "a"], ["delete", "a"]])
def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, words: list[str]) -> None:
    error = call(*words, store=tmp_path / "runs.sqlite").exception
    assert isinstance(error, StoreError)
    assert "there is no run store at" in str(error)
    assert list(tmp_path.iterdir()) == []
