"""Lengths in a unit that the run of an item does not have, typed at its prompts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from stepwell.cli.learn.answers import question_event
from stepwell.cli.learn.editor import Draft
from stepwell.cli.learn.terminal import Terminal
from stepwell.learn.modes import Mode
from stepwell.learn.session.screen import Step

WRITE: dict[str, Any] = {"type": "write", "total_steps": 50, "steps_per_epoch": None, "base_lr": 1.0, "target": None}
TUNE: dict[str, Any] = {
    "type": "tune", "steps": 50, "optimizers": ["SGD"], "start": {"optimizer": "SGD", "lr": 0.1, "schedule": "hold"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "lines"), [(WRITE, ["try hold for 5ep", "q"]), (TUNE, ["sgd", "0.1", "hold for 5ep", "q"])]
)
def test_epochs_that_a_run_does_not_have_are_refused_in_words_for_who_types(
    data: dict[str, Any], lines: list[str], tmp_path: Path
) -> None:
    waiting = iter(lines)
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, highlight=False)
    step = Step(
        "question", Mode.DESIGN, 1, 1, {"sure": False, "left": None, "trouble": "", **data}, ("answer", "skip", "quit")
    )
    terminal = Terminal(console, lambda prompt: next(waiting), interactive=False)
    assert question_event(terminal, step, Draft(tmp_path)) == {"do": "quit"}
    assert isinstance(console.file, io.StringIO)
    words = " ".join(console.file.getvalue().split())
    assert "The length '5ep' is in epochs, which this run of 50 updates does not have; type updates, such as 5" in words
    assert "steps_per_epoch" not in words
