"""Prints the end of a sitting: what came of each item, and of a test what was kept back until then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stepwell.cli.learn.questions import STYLES, clock, print_front, print_series
from stepwell.cli.learn.terminal import Terminal
from stepwell.cli.learn.verdicts import (
    option_marks,
    print_answers,
    print_given_answer,
    print_reasons,
    print_solution,
)
from stepwell.learn.mastery import STRONG_FROM
from stepwell.learn.session.screen import Step

TOO_FEW = f"it takes {STRONG_FROM} answers to call a topic strong"


def print_done(terminal: Terminal, step: Step) -> None:
    """Print how a sitting went: each item, each topic with its sample size, the reasons that were kept back."""
    data = step.data
    terminal.blank()
    terminal.say("Done", "bold")
    _items(terminal, data["results"])
    kept_back = [result for result in data["results"] if "question" in result]
    for result in kept_back:
        _kept_back(terminal, result)
    if kept_back:
        terminal.blank()
    _totals(terminal, data)


def _items(terminal: Terminal, results: Sequence[Mapping[str, Any]]) -> None:
    """A line for each item that was answered or skipped, and one for those that were not reached."""
    reached = [result for result in results if result["verdict"] or result["skipped"]]
    width = max((len(_result_word(result)) for result in reached), default=0)
    for result in reached:
        word = _result_word(result)
        taken = f"   {clock(result['seconds'])}" if result.get("seconds") is not None else ""
        terminal.say(f"  {word:{width}}  {result['item']}{taken}", STYLES["right"] if word == "right" else "")
    if len(reached) < len(results):
        terminal.say(f"  {_many(len(results) - len(reached), 'item')} not answered", "dim")


def _totals(terminal: Terminal, data: Mapping[str, Any]) -> None:
    skipped = sum(result["skipped"] and not result["verdict"] for result in data["results"])
    if data["answered"]:
        terminal.say(f"{data['right']} of {data['answered']} right{f', {skipped} skipped' if skipped else ''}.", "bold")
    if data["cards"]["of"]:
        terminal.say(f"{data['cards']['remembered']} of {_many(data['cards']['of'], 'card')} remembered.", "bold")
    for topic, found in data["topics"].items():
        words = {True: "right: strong", False: "right: not strong yet", None: f"right; {TOO_FEW}"}[found["strong"]]
        terminal.say(f"  {topic}: {found['words']} {words}")
    if data["overtime"]:
        terminal.say(f"{clock(data['overtime'])} over the time allowed; no answer was lost by it.", "dim")
    if data["badge"]:
        terminal.say("A badge: all five problems right.", "bold green")


def _result_word(result: Mapping[str, Any]) -> str:
    """What came of an item that was answered or skipped, in two words at most."""
    match result:
        case {"verdict": None}:
            return "skipped"
        case {"type": "card", "answer": "again"}:
            return "forgotten"
        case {"type": "card", "answer": rating}:
            return f"remembered, {rating}"
        case {"type": "explain", "answer": {"ticks": ticks}}:
            return f"told, {_many(len(set(ticks)), 'concept')}"
    return str(result["verdict"])


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _kept_back(terminal: Terminal, result: Mapping[str, Any]) -> None:
    """A wrong or missing answer of a test, with the reasons that came too late to help."""
    face, data = result["face"], {**result["face"], **result}
    terminal.blank()
    terminal.say(f"{_result_word(result).capitalize()}: {result['item']}", "bold")
    if not face:
        terminal.prose(result["question"])
    elif "options" in face:
        print_front(terminal, face, option_marks(data))
    else:
        print_front(terminal, face)
        if "answer" in result:
            print_given_answer(terminal, data)
        if result["solution"] is not None:
            print_solution(terminal, data, right=False)
    if result.get("words") and not any(data.get("why", ())):
        terminal.prose(result["words"])
    if result.get("series"):
        print_series(terminal, result["series"])
    print_reasons(terminal, data, right=False)
    print_answers(terminal, data)
