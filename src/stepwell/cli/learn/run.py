"""`stepwell learn run`: a program of your own in the course's worker, under its limits."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepwell.cli.learn.options import JsonOption, warm_worker

if TYPE_CHECKING:
    from stepwell.cli.learn.terminal import Terminal
    from stepwell.learn.job import Ran

OWN = "your code"
LEAST, MOST = 0.1, 600.0
"""Seconds that a program may be given."""


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Python program.")],
    seconds: Annotated[float, typer.Option(help=f"Of wall time, {LEAST:g} to {MOST:g}.")] = 20.0,
    seed: Annotated[int, typer.Option(min=0, help="torch, numpy and random are seeded with it.")] = 0,
    json: JsonOption = False,
) -> None:
    """Run a program as the course does: in a process of its own, with limits of time, memory and files.

    Ends with 0 where the program finished, with 1 where it was stopped or raised.
    """
    from stepwell.cli.learn.editor import read_program
    from stepwell.cli.learn.terminal import terminal
    from stepwell.errors import OptionError
    from stepwell.learn.job import Job, Part

    if not LEAST <= seconds <= MOST:
        raise OptionError(f"--seconds is how long the program may run, from {LEAST:g} to {MOST:g}; got {seconds:g}")
    job = Job((Part(OWN, read_program(file)),), seeds=(seed,), seconds=seconds, file=str(file.absolute()))
    front = terminal()
    with warm_worker() as worker:
        try:
            with front.busy("running it"):
                ran = worker.run(job)
        except KeyboardInterrupt:
            from stepwell.cli.around import stopped

            raise stopped("\nstopped") from None
    if json:
        typer.echo(json_format.dumps(_document(ran), ensure_ascii=False))
    else:
        print_ran(front, ran)
    if verdict(ran) != "finished":
        raise typer.Exit(1)


def verdict(ran: Ran) -> str:
    """How a program ended: `finished`, `timed out`, `crashed` or `could not run`."""
    from stepwell.learn.job import Ending

    match ran.ending:
        case Ending.BROKEN:
            return "could not run"
        case Ending.FINISHED if any(outcome.error for outcome in ran.outcomes):
            return "crashed"
    return ran.ending.value


def print_ran(terminal: Terminal, ran: Ran) -> None:
    """Print what a program printed, warned and raised, and how it ended."""
    for outcome in ran.outcomes:
        if outcome.stdout:
            terminal.say(outcome.stdout.rstrip("\n"))
        for warning in outcome.warnings:
            terminal.say(f"warning: {' '.join(warning.split())}", "yellow")
        if outcome.error:
            terminal.say(outcome.trace or f"{outcome.error}: {outcome.message}", "red")
    word = verdict(ran)
    words = f": {ran.words}" if ran.words else f" in {ran.seconds:.2f} s"
    terminal.say(f"{word}{words}", "bold green" if word == "finished" else "bold red")


def _document(ran: Ran) -> dict[str, object]:
    outcomes = [asdict(outcome) for outcome in ran.outcomes]
    first = {name: outcomes[0][name] for name in ("stdout", "warnings", "error", "message", "line")} if outcomes else {}
    return {"verdict": verdict(ran), "words": ran.words, "seconds": ran.seconds, **first}
