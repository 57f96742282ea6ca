"""The keys that mean the same at every prompt of a question: h, s, q and ?."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from stepwell.cli.learn.countdown import Countdown
from stepwell.cli.learn.terminal import Terminal
from stepwell.learn.session.screen import Step

Event: TypeAlias = Mapping[str, Any]

QUIT: Event = MappingProxyType({"do": "quit"})
LEAVE = ("q", "quit")
_COMMANDS = {"h": "hint", "s": "skip", "q": "quit", "?": "help"}


def typed(terminal: Terminal, step: Step, prompt: str | Countdown, form: str) -> Event | str:
    """What is typed at a prompt of a question, or the event of the key that it is; help is given here.

    Args:
        terminal: where.
        step: the question.
        prompt: what stands before the place to type.
        form: what can be typed there, for the help.
    """
    while True:
        line = terminal.ask(prompt)
        match _COMMANDS.get(line.casefold(), line.casefold()):
            case "quit":
                return QUIT
            case "help":
                terminal.say(_help(step, form))
            case "hint" | "skip" as word if word in step.accepts:
                return {"do": word}
            case "hint":
                terminal.say("There is no further hint here.", "dim")
            case _:
                return line


def _help(step: Step, form: str) -> str:
    verb = "Press" if form.startswith("Enter") else "Type"
    hint = "h a hint, " if "hint" in step.accepts else ""
    return f"{verb} {form}. Or {hint}s to skip, q to end; what is answered is kept."
