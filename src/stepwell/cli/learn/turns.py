"""Reads what a learner types where a page is turned: at the back of a card, at concepts to tick, after a verdict."""

from __future__ import annotations

from stepwell.cli.learn.answers import places
from stepwell.cli.learn.keys import LEAVE, QUIT, Event
from stepwell.cli.learn.terminal import Terminal
from stepwell.cli.learn.verdicts import print_answers
from stepwell.errors import AnswerError
from stepwell.learn.session.screen import Step

RATINGS = ("again", "hard", "good", "easy")


def back_event(terminal: Terminal) -> Event:
    """How well a card was known."""
    while True:
        word = terminal.ask("How well did you know it? 1 again, 2 hard, 3 good, 4 easy: ").casefold()
        if word in LEAVE:
            return QUIT
        if word in ("s", "skip"):
            return {"do": "skip"}
        if word in ("1", "2", "3", "4"):
            word = RATINGS[int(word) - 1]
        if word in RATINGS:
            return {"do": "answer", "answer": word}
        terminal.say("Type a number from 1 to 4, s to leave it unrated, or q to end.", "dim")


def concepts_event(terminal: Terminal, step: Step) -> Event:
    """Which concepts the learner finds in the own explanation. The machine suggests, and never counts alone."""
    count = len(step.data["concepts"])
    suggested = [number for number, concept in enumerate(step.data["concepts"]) if concept["suggested"]]
    while True:
        line = terminal.ask("Which does your text have? Numbers such as 1 3; ok takes those with *; none: ").casefold()
        if line in LEAVE:
            return QUIT
        if line in ("s", "skip"):
            return {"do": "skip"}
        if line == "?":
            terminal.say("Type the numbers of the concepts, ok for those with *, or none. Or s to skip, q to end.")
            continue
        try:
            none = line in ("none", "0")
            ticks = suggested if line == "ok" else [] if none else places(line, count, "numbers such as 1 3")
        except AnswerError as error:
            terminal.refuse(error)
            continue
        return {"do": "answer", "answer": {"text": step.data["text"], "ticks": ticks}}


def verdict_event(terminal: Terminal, step: Step) -> Event:
    """Whether the learner goes on after a verdict; the answer to its quick check is uncovered on the way."""
    hidden = terminal.interactive and bool(step.data.get("check"))
    go_on = "Enter to end" if step.number == step.of else "Enter for the next, q to end"
    while True:
        line = terminal.ask("Enter uncovers the answer: " if hidden else f"{go_on}: ").casefold()
        if line in LEAVE:
            return QUIT
        if line:
            uncover = "Enter uncovers the answer to the quick check; then " if hidden else ""
            terminal.say(f"{uncover}{go_on}; what is answered is kept.")
        elif hidden:
            print_answers(terminal, step.data)
            hidden = False
        else:
            return {"do": "next"}
