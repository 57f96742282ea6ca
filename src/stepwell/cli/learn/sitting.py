"""Drives a sitting on a terminal: prints each step, reads what the learner does, and sends it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepwell.cli.learn.answers import question_event
from stepwell.cli.learn.done import print_done
from stepwell.cli.learn.editor import Draft
from stepwell.cli.learn.pages import read_page
from stepwell.cli.learn.questions import print_own_runs, print_question
from stepwell.cli.learn.terminal import Terminal
from stepwell.cli.learn.turns import back_event, concepts_event, verdict_event
from stepwell.cli.learn.verdicts import print_told
from stepwell.errors import AnswerError, StoreError
from stepwell.learn.session.player import Player
from stepwell.learn.session.screen import Step
from stepwell.learn.verdict import Verdict

if TYPE_CHECKING:
    from stepwell.learn.job import Engine
    from stepwell.learn.progress import Progress


def play(player: Player, terminal: Terminal, worker: Engine, progress: Progress) -> Step:
    """Go through a sitting to its end; the last step. Where the input ends, the sitting does.

    Args:
        player: the sitting.
        terminal: where it is shown.
        worker: runs programs of a page.
        progress: tells what was tried in a lab before.
    """
    before: Step | None = None
    with terminal.busy("measuring"):
        step = player.step()
    draft = Draft(Path(tempfile.mkdtemp(prefix="stepwell-learn-")))
    try:
        while step.accepts:
            _print(terminal, step, before)
            if step.kind == "question" and step.data["type"] == "tune":
                print_own_runs(terminal, progress.attempts(item=step.data["item"]))
            before = step
            step = _sent(player, terminal, step, draft, worker)
        print_done(terminal, step)
    finally:
        _put_away(player, terminal, draft)
    return step


def _put_away(player: Player, terminal: Terminal, draft: Draft) -> None:
    """Remove the programs that were edited, but not one that was changed and is not right yet."""
    right = {given.number for given in player.state.given if given.graded.verdict is Verdict.RIGHT}
    solved = {player.state.plan.items[number].item.id for number in right}
    kept = draft.put_away(solved)
    for path in kept:
        terminal.say(f"Your program is kept: {path}")


def _sent(player: Player, terminal: Terminal, step: Step, draft: Draft, worker: Engine) -> Step:
    """The step that follows; what is refused is said, and asked again."""
    while True:
        try:
            event = _event(terminal, step, draft, worker)
        except EOFError:
            terminal.blank()
            event = {"do": "quit"}
        try:
            with terminal.busy("running it"):
                return player.send(event)
        except AnswerError as error:
            terminal.refuse(error, "; ? for help")
        except StoreError as error:  # nothing was shown yet, so that the same answer can be given again
            terminal.say(f"not recorded: {error}", "bold red")


def _event(terminal: Terminal, step: Step, draft: Draft, worker: Engine) -> Mapping[str, Any]:
    match step.kind:
        case "page":
            return {"do": read_page(terminal, step, worker)}
        case "back":
            return back_event(terminal)
        case "concepts":
            return concepts_event(terminal, step)
        case "verdict":
            return verdict_event(terminal, step)
    return question_event(terminal, step, draft)


def _print(terminal: Terminal, step: Step, before: Step | None) -> None:
    match step.kind:
        case "question":
            print_question(terminal, step, before)
        case "back":
            terminal.blank()
            terminal.prose(step.data.get("answer", ""))
            terminal.prose(step.data.get("explanation", ""))
        case "concepts":
            concepts = step.data["concepts"]
            marks = [f"{number}{'*' if one['suggested'] else ' '}" for number, one in enumerate(concepts, 1)]
            terminal.say("What a good explanation says; * seems to be in yours:", "bold")
            terminal.numbered([one["text"] for one in concepts], marks)
        case "verdict":
            print_told(terminal, step, uncover=not terminal.interactive)
