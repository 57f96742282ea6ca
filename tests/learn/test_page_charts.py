"""Charts of a page: read strictly, compared with what their program measures, and shown without running it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from learn_items import OPTIONS, PROGRAM, head, write_topic
from stepwell.cli.learn.pages import read_page
from stepwell.cli.learn.terminal import Terminal
from stepwell.errors import ContentError
from stepwell.learn import chart
from stepwell.learn.job import Job, Ran
from stepwell.learn.modes import Mode
from stepwell.learn.page import Program, programs_of
from stepwell.learn.page import read as read_blocks
from stepwell.learn.read import read_course
from stepwell.learn.session.screen import Step, block_data
from stepwell.learn.verify import Problem, verify_page
from stepwell.learn.worker import Worker

CODE = """
losses = {"slow": [8.0, 4.0, 2.0], "fast": [8.0, 1.0, float("inf")]}
rates = [0.01, 0.1, 1.0]
"""
STEPS = "loss by step\nslow: 8 4\n  2\nfast: 8 1 nan"
RATES = STEPS.replace("step", "rate: 0.01 0.1\n1")


def page(names: str = "losses", body: str = STEPS, code: str = CODE) -> str:
    return f"```python run\n{code}\n```\n```chart {names}\n{body}\n```"


def test_a_chart_is_its_lines_over_steps_or_over_places_of_its_own() -> None:
    found = chart.read("losses", STEPS)
    assert (found.y, found.x, found.places, found.names) == ("loss", "step", (0.0, 1.0, 2.0), ("losses",))
    assert found.lines["slow"] == (8.0, 4.0, 2.0)
    assert chart.read("losses", STEPS.replace("4\n  2", "")).places == (0.0, 1.0, 2.0)  # a line may end early
    found = chart.read("losses by rates", RATES)
    assert (found.x, found.places, found.names) == ("rate", (0.01, 0.1, 1.0), ("losses", "rates"))
    assert list(found.lines) == ["slow", "fast"]


@pytest.mark.parametrize(
    ("names", "body", "expected"),
    [
        ("", STEPS, "a chart is ```chart losses with the line `loss by step`"),
        ("losses by", STEPS, "got ```chart losses by with"),
        ("losses by rates", STEPS, "or ```chart losses by rates with the line"),
        ("losses", RATES, "with the line `loss by step`"),
        ("losses", "slow: 8 4 2", "with 'slow: 8 4 2'"),
        ("losses", "", "with ''"),
        ("losses", "loss by step", "a chart has lines"),
        ("losses", "loss by step\nslow:", "a value for every place"),
        ("losses", "loss by step\nslow: 1 2\nslow: 1 3", "with different labels"),
        ("losses by rates", "loss by rate: 0.1 0.2\nslow: 1 2 3", "a value for every place"),
        ("losses", "loss by step\nslow: 1 2 x", "are numbers, got '1 2 x'"),
    ],
)
def test_a_chart_that_cannot_be_is_refused_with_its_line(names: str, body: str, expected: str) -> None:
    with pytest.raises(ContentError, match=r"^topic/page\.md, line 7: ") as caught:
        read_blocks(page(names, body), "topic/page.md")
    assert expected in str(caught.value)


def test_a_chart_needs_a_program_above_it() -> None:
    with pytest.raises(ContentError, match=r"line 1: .*put a ```python run block before it"):
        read_blocks(f"```chart losses\n{STEPS}\n```", "page.md")


def test_every_program_has_the_charts_up_to_the_next_one() -> None:
    text = "\n\n".join(["```python run\nx = 0\n```", page(), "Prose.", page().split("```\n", 1)[1]])
    (first, none), (second, both) = programs_of(read_blocks(text, "page.md"))
    assert (first.code, none) == ("x = 0\n", [])
    assert isinstance(second, Program)
    assert [one.values for one in both] == ["losses", "losses"]


@pytest.mark.parametrize(
    ("names", "body", "code", "expected"),
    [
        ("losses", STEPS, CODE, ""),
        ("losses by rates", RATES, CODE, ""),
        ("losses", STEPS.replace("4", "4.03"), CODE, ""),
        ("losses", STEPS.replace("4", "4.1"), CODE, "slow: 8 4 2\nfast: 8 1 inf\n```"),
        ("losses", STEPS.replace("nan", "3"), CODE, "program 1 measures something else than its chart shows"),
        ("losses", STEPS.replace("nan", ""), CODE, "measures something else"),
        ("losses", STEPS.replace("slow", "calm"), CODE, "measures something else"),
        ("losses", STEPS[: STEPS.index("fast")], CODE, "measures something else"),
        ("losses by rates", RATES.replace("0.01", "0.02"), CODE, "loss by rate: 0.01 0.1 1\nslow"),
        ("curves", STEPS, CODE, "program 1 never sets 'curves', which a chart draws; assign to it"),
        ("losses", STEPS, "losses = [8.0, 4.0]", "must give a chart numbers"),
        ("losses", STEPS, 'losses = {"slow": ["8"]}', "must give a chart numbers"),
        ("losses by rates", RATES, CODE + "rates = 3", "must give a chart numbers"),
    ],
)
def test_a_chart_is_what_its_program_measures(
    tmp_path: Path, worker: Worker, names: str, body: str, code: str, expected: str
) -> None:
    item = head("choice") + PROGRAM + OPTIONS
    course = read_course(write_topic(tmp_path / "course", item, page=page(names, body, code)))
    (found,) = verify_page(course.topic("topic"), worker)
    words = str(found) if isinstance(found, Problem) else ""
    assert expected in words
    assert bool(expected) == bool(words)


def test_the_block_that_verify_prints_is_right_itself(worker: Worker) -> None:
    measured = {"losses": {"slow": [8.0, 4.0, 2.0], "fast": [8.0, 1.0, float("inf")]}, "rates": [0.01, 0.1, 1.0]}
    for names, body in (("losses", STEPS), ("losses by rates", RATES)):
        fault = chart.fault(chart.read(names, body.replace("8", "9")), measured)
        first, *block = fault.splitlines()[1:-1]
        assert first == f"```chart {names}"
        assert chart.fault(chart.read(names, "\n".join(block)), measured) == ""


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("colour", [True, False])
def test_a_chart_is_drawn_with_its_axes_and_its_legend(width: int, colour: bool) -> None:
    blocks = [block_data(block) for block in read_blocks(page("losses by rates", RATES), "page")]
    step = Step("page", Mode.LEARN, 0, 3, {"title": "Charts", "blocks": blocks}, ("next", "quit"))
    drawn = json.loads(step.to_json())["data"]["blocks"][1]
    assert drawn["lines"] == {"slow": [8.0, 4.0, 2.0], "fast": [8.0, 1.0, None]}
    console = Console(file=io.StringIO(), width=width, force_terminal=colour, color_system=None, highlight=False)
    read_page(Terminal(console, lambda prompt: "", interactive=False), step, NeverRun())
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    at = lines.index("loss")
    assert max(len(line.rstrip()) for line in lines[at:-1]) <= width
    assert lines[at + 14].split() == ["0.01", "0.1", "rate"]
    assert lines[at + 15].split() == ["*", "slow", "+", "fast"]


class NeverRun:
    """An engine that a page must not need."""

    def run(self, job: Job) -> Ran:
        """Not called."""
        raise AssertionError

    def start(self) -> None:
        """Not called."""
        raise AssertionError

    stop = start
