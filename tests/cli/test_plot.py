from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from stepwell.cli.plot import plot
from stepwell.errors import StepwellError
from stepwell.schedule import Horizon, schedule

WSD = "linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%"


def run(*arguments: str) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(plot)
    return CliRunner().invoke(app, list(arguments))


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, StepwellError), result.output
    return str(result.exception)


def test_the_terminal_shows_every_curve() -> None:
    result = run("cosine", WSD, "--total-steps", "620")
    assert result.exit_code == 0
    assert f"* cosine   + {WSD}" in result.output
    assert "each of the 620 updates" in result.output


def test_findings_stand_on_the_error_stream_below_the_chart(tmp_path: Path) -> None:
    result = run("linear 0..1 for 5 | linear to 0 over 1000", "--total-steps", "100")
    assert result.exit_code == 0
    assert "SW104 at step 100: 'linear to 0 over 1000' ends at a factor of 0.905" in result.stderr
    assert "SW104" not in result.stdout
    result = run("cosine", "linear 0..1", "--total-steps", "100", "-o", str(tmp_path / "plot.csv"))
    assert result.stderr.startswith("linear 0..1\n  SW108 at step 0: the rate rises for the whole run")
    assert "SW108" not in (tmp_path / "plot.csv").read_text()
    assert not run("cosine", WSD, "--total-steps", "620").stderr


STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html>", "csv": b"step,"}


@pytest.mark.parametrize("suffix", STARTS)
def test_each_kind_of_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"plot.{suffix.upper()}"
    result = run("cosine", WSD, "--epochs", "20", "--steps-per-epoch", "31", "-o", str(path))
    assert result.output == f"wrote {path}\n"
    assert path.read_bytes().startswith(STARTS[suffix])


def test_the_csv_has_the_exact_numbers(tmp_path: Path) -> None:
    path = tmp_path / "plot.csv"
    run("one-cycle", "cosine", "--total-steps", "10", "-o", str(path), "--base-lr", "0.1")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    curve = schedule("one-cycle").resolve(Horizon(10), base_lr=0.1, momentum=1.0)
    assert [int(row["step"]) for row in rows] == list(range(10))
    assert [float(row["one-cycle"]) for row in rows] == (0.1 * curve(np.arange(10))).tolist()
    assert [float(row["one-cycle (momentum)"]) for row in rows] == curve(np.arange(10), "momentum").tolist()


def test_a_curve_that_ends_earlier_leaves_its_cells_empty(tmp_path: Path) -> None:
    path = tmp_path / "plot.csv"
    run("linear 1..0 for 2", "linear 1..0 for 4", "-o", str(path))
    assert path.read_text().splitlines()[3:] == ["2,,0.5", "3,,0.25"]


def test_a_schedule_without_end_is_shown_as_long_as_its_neighbour() -> None:
    assert "each of the 40 updates" in run("hold", "linear 1..0 for 40").output


def test_rates_instead_of_factors() -> None:
    result = run("cosine", "--total-steps", "100", "--base-lr", "3e-4")
    assert "learning rate" in result.output
    assert "0.0003" in result.output


def test_a_plateau_says_that_only_a_run_can_tell() -> None:
    assert "only a run can tell" in run("hold * plateau(x0.1, patience 3)", "--total-steps", "10").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hold"], "pass --total-steps"),
        (["cosine"], "pass --total-steps"),
        (["steps x0.5 every 5ep", "--total-steps", "10"], "pass --steps-per-epoch"),
        (["hold for 1e9tok | linear to 0", "--total-steps", "10"], "pass --tokens-per-step"),
        (["cosine 1..=1e-5", "--total-steps", "10"], "pass --base-lr"),
        (["cosine", "--epochs", "3"], "pass --steps-per-epoch"),
        (["cosine", "--epochs", "3", "--total-steps", "9", "--steps-per-epoch", "3"], "not both"),
        (["cosine", "--total-steps", "0"], "positive whole number"),
        (["cosine", "--total-steps", "10", "--base-lr", "nan"], "--base-lr must be a positive number, got nan"),
        (["cosine", "--total-steps", "10", "--base-lr", "0"], "--base-lr must be a positive number"),
        (["cosnie", "--total-steps", "10"], "cosnie"),
        (["cosine", "--total-steps", "10", "-o", "plot.bmp"], "must end in .csv, .html, .pdf, .png or .svg"),
        (["cosine", "--total-steps", "10", "-o", "plot"], "must end in"),
        (["cosine", "--total-steps", "10", "-o", "missing/plot.csv"], "there is no folder"),
        (["cosine", "--total-steps", "100000000000", "-o", "plot.csv"], "too long"),
    ],
)
def test_bad_input_is_one_clear_error(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_a_trillion_steps_is_drawn_all_the_same() -> None:
    assert run("cosine", "--total-steps", "1000000000000").exit_code == 0


@pytest.mark.parametrize("output", [[], ["-o", "plot.csv"], ["-o", "plot.html"], ["-o", "plot.svg"]])
def test_it_never_imports_torch(tmp_path: Path, output: list[str]) -> None:
    code = (
        "import sys, typer\n"
        "from stepwell.cli.plot import plot\n"
        "app = typer.Typer(); app.command()(plot)\n"
        "app(['cosine', '--total-steps', '50', *sys.argv[1:]], standalone_mode=False)\n"
        "heavy = {'torch', 'sklearn', 'scipy'} | (set() if len(sys.argv) > 1 else {'matplotlib', 'plotly'})\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    subprocess.run([sys.executable, "-c", code, *output], check=True, cwd=tmp_path)
