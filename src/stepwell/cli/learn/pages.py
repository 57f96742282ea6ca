"""Prints a concept page, as much at a time as the terminal has lines; its programs can be run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stepwell.cli.learn.charts import draw_lines, laid
from stepwell.cli.learn.terminal import Terminal
from stepwell.learn.session.screen import Step

if TYPE_CHECKING:
    from stepwell.learn.job import Engine

SECONDS = 60.0


def read_page(terminal: Terminal, step: Step, worker: Engine) -> str:
    """Print the page and wait for the learner; the `do` that follows: `next` or `quit`."""
    terminal.blank()
    terminal.say(step.data["title"], "bold")
    programs: list[str] = []
    room = terminal.console.height - 2
    for block in step.data["blocks"]:
        shown = [*programs]  # not those of a block that waits for the learner
        with terminal.console.capture() as captured:
            _print_block(terminal, block, programs)
        height = captured.get().count("\n")
        if terminal.interactive and height > room and room < terminal.console.height - 2:
            if _pause(terminal, "Enter for more", shown, worker) == "quit":
                return "quit"
            room = terminal.console.height - 2
        terminal.console.out(captured.get(), end="", highlight=False)
        room -= height
    return _pause(terminal, "Enter goes on to the questions", programs, worker)


def _pause(terminal: Terminal, words: str, programs: list[str], worker: Engine) -> str:
    runs = _runs(len(programs))
    while True:
        line = terminal.ask(f"-- {words}{f', {runs}' if runs else ''}, q ends: ").casefold()
        word, _, number = line.partition(" ")
        if line in ("q", "quit"):
            return "quit"
        if not line:
            return "next"
        if word == "r" and number.strip().isdecimal() and 1 <= int(number) <= len(programs):
            _run(terminal, programs[int(number) - 1], worker)
            continue
        if line != "?":
            terminal.say(f"{line!r} means nothing here.", "yellow")
        shown = f"{runs} that {'was' if len(programs) == 1 else 'were'} shown, " if runs else ""
        terminal.say(f"{words}, {shown}q ends; what is answered is kept.")


def _runs(count: int) -> str:
    """What runs the programs that were shown so far; empty where there are none."""
    if count < 2:
        return "r 1 runs the program" if count else ""
    return f"r 1 {'and' if count == 2 else 'to'} r {count} run the programs"


def _run(terminal: Terminal, code: str, worker: Engine) -> None:
    from stepwell.cli.learn.run import print_ran
    from stepwell.learn.job import Job, Part

    with terminal.busy("running it"):
        ran = worker.run(Job((Part("program", code),), seconds=SECONDS))
    print_ran(terminal, ran)


def _print_block(terminal: Terminal, block: Mapping[str, Any], programs: list[str]) -> None:
    match block:
        case {"kind": "prose", "markdown": markdown}:
            terminal.prose(markdown)
        case {"kind": "program", "code": code, "output": output}:
            programs.append(code)
            terminal.say(f"Program {len(programs)}", "dim")
            terminal.code(code)
            if output is not None:
                terminal.say("It prints:", "dim")
                terminal.say(output.rstrip())
        case {"kind": "curves", "schedules": schedules}:
            figures = block["total_steps"], block["steps_per_epoch"], block["base_lr"]
            lines = [(name, laid(text, *figures)) for name, text in schedules.items()]
            draw_lines(terminal.console, lines, what="rate" if block["base_lr"] != 1 else "factor")
        case {"kind": "chart", "y": y, "x": x, "places": places, "lines": lines}:
            draw_lines(terminal.console, [*lines.items()], what=y, over=(x, places), wide=True)
    terminal.blank()
