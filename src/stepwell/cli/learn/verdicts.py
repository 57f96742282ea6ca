"""Prints what comes after an answer: the verdict, what is right and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stepwell.cli.learn.charts import draw_lines, laid
from stepwell.cli.learn.questions import (
    LETTERS,
    clock,
    print_printed,
    print_runs,
    print_series,
    print_verdict,
    setting_words,
)
from stepwell.cli.learn.terminal import Terminal
from stepwell.learn.session.screen import Step


def print_told(terminal: Terminal, step: Step, *, uncover: bool) -> None:
    """Print the verdict on an item, what is right, the curves laid over each other, and the explanation.

    Args:
        terminal: where.
        step: the verdict.
        uncover: whether the answer to the quick check comes with it, because nobody will ask for it.
    """
    data = step.data
    right = (data["verdict"] or {}).get("verdict") == "right"
    terminal.blank()
    if data["skipped"]:
        terminal.say("Skipped.", "bold")
    elif data["verdict"] is not None:
        elsewhere = any(data.get("why", ()))  # the reasons stand beside the options, or in the explanation
        print_verdict(terminal, {**data["verdict"], "words": ""} if elsewhere else data["verdict"])
        print_printed(terminal, data["evidence"])
        _score(terminal, data)
    lab = data["type"] == "tune"
    if lab:  # the learner's own losses come before another setting, or they would seem to be its
        print_overlay(terminal, data)
    if data["solution"] is not None and (data["skipped"] or data["type"] != "numeric"):
        print_solution(terminal, data, right=right)
    if not lab:
        print_overlay(terminal, data)
    if data["type"] == "explain":
        terminal.section("An explanation to compare with:")
    if data["type"] in ("card", "explain"):
        terminal.prose(data.get("answer", ""))
    print_reasons(terminal, data, right=right)
    if uncover:
        print_answers(terminal, data)
    if data["seconds"] is not None:
        terminal.blank()
        over = f", {clock(data['overtime'])} over the time allowed, which costs nothing" if data["overtime"] else ""
        terminal.say(f"Answered in {clock(data['seconds'])}{over}.", "dim")


def print_reasons(terminal: Terminal, data: Mapping[str, Any], *, right: bool) -> None:
    """Print the texts that come after an answer."""
    if data.get("untold"):
        terminal.say(f"The explanation needs what could not be measured: {data['untold']}", "yellow")
        return
    terminal.blank()
    terminal.prose(data["explanation"])
    if not right and any(data.get("why", ())):
        _option_by_option(terminal, data["why"], option_marks(data))
    if data["steps"]:
        terminal.section("Step by step:")
        terminal.numbered(data["steps"])
    if data["mistakes"]:
        terminal.section("Common mistakes:")
        terminal.numbered(data["mistakes"], ["-"] * len(data["mistakes"]))
    if data["check"]:
        terminal.section("Quick check:")
        terminal.prose(data["check"]["question"])


def option_marks(data: Mapping[str, Any]) -> list[str]:
    """What stands beside each option: its number, and whether it was chosen and is right."""
    several = data["type"] == "multi"
    chosen, right = ((one or []) if several else [one] for one in (data.get("answer"), data["solution"]))
    marks = []
    for place in range(len(data["why"])):
        words = [word for word, there in (("yours", place in chosen), ("right", place in right)) if there]
        marks.append(" ".join([", ".join(words), str(place + 1)]).strip())
    return marks


def _option_by_option(terminal: Terminal, reasons: Sequence[str], marks: Sequence[str]) -> None:
    """The reason of each option; one that holds for several is said once, and for all of them without their numbers."""
    if all(reasons) and len({why.strip() for why in reasons}) == 1:
        terminal.blank()
        terminal.prose(reasons[0].strip())
        return
    numbers: dict[tuple[str, str], list[str]] = {}
    for mark, why in zip(marks, reasons, strict=True):
        if why:
            words, _, number = mark.rpartition(" ")
            numbers.setdefault((why.strip(), words), []).append(number)
    terminal.section("Option by option:")
    terminal.numbered(
        [why for why, _ in numbers],
        [f"{words} {', '.join(same)}".strip() for (_, words), same in numbers.items()],
    )


def print_answers(terminal: Terminal, data: Mapping[str, Any]) -> None:
    """Print the answer to the quick check, where there is one."""
    if data.get("check"):
        terminal.section("Answer:")
        terminal.prose(data["check"]["answer"])


def print_solution(terminal: Terminal, data: Mapping[str, Any], *, right: bool) -> None:
    """Print what is right, where the answer was not."""
    solution = data["solution"]
    match data["type"]:
        case "fix":
            terminal.section("Another way to mend it:" if right else "A program that passes:")
            terminal.code(solution)
        case "write":
            text = data["answer"] if right else solution
            terminal.section("As code:" if right else f"This is right: {text}")
            print_code(terminal, text, data)
        case "tune" if not right:
            terminal.say(f"This reaches it: {setting_words(solution)}")
        case "draw" | "tune":
            return
        case _ if right:
            return
        case "numeric":
            terminal.say(f"Right is: {_amount(data, solution)}")
        case _:
            terminal.section("Right is:")
            terminal.numbered(*_parts(data, solution))


def print_given_answer(terminal: Terminal, data: Mapping[str, Any]) -> None:
    """Print what the learner answered."""
    if data["type"] == "numeric":
        terminal.say(f"Your answer: {_amount(data, data['answer'])}")
        return
    terminal.section("Your answer:")
    terminal.numbered(*_parts(data, data["answer"]))


def print_code(terminal: Terminal, text: str, data: Mapping[str, Any]) -> None:
    """Print a schedule as code both ways: Stepwell's scheduler, and torch's own class with the same curve."""
    run = f"total_steps={data['total_steps']}"
    if data["steps_per_epoch"] is not None:
        run += f", steps_per_epoch={data['steps_per_epoch']}"
    terminal.code(
        f"scheduler = stepwell.Scheduler(\n    optimizer, {text!r},\n    {run},\n)\n"
        "# or with torch's own class\n"
        f"run = stepwell.Horizon({run})\n"
        f"curve = stepwell.schedule({text!r}).resolve(\n    run, base_lr={data['base_lr']!r}\n)\n"
        "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, curve)\n"
    )


def print_overlay(terminal: Terminal, data: Mapping[str, Any]) -> None:
    """Print what was predicted or written with the truth over it, and what was measured besides."""
    evidence = data["evidence"]
    match evidence:
        case {"drawn": drawn, "measured": measured}:
            draw_lines(terminal.console, [("yours", drawn), ("measured", measured)], what=data.get("label", ""))
        case {"given": [*given], "target": [*target]}:
            draw_lines(terminal.console, [("yours", given), ("target", target)], what="rate")
        case {"runs": _}:
            if not data["skipped"]:  # then they were shown when they had run
                print_runs(terminal, evidence)
        case _ if data["type"] == "write" and data["solution"]:
            figures = data["total_steps"], data["steps_per_epoch"], data["base_lr"]
            draw_lines(terminal.console, [("target", laid(data["solution"], *figures))], what="rate")
        case _ if data["type"] == "draw" and data["solution"]:
            draw_lines(terminal.console, [("measured", [value for _, value in data["solution"]])])
    if data.get("series"):
        print_series(terminal, data["series"])


def _score(terminal: Terminal, data: Mapping[str, Any]) -> None:
    match data:
        case {"type": "numeric", "evidence": {"given": given, "measured": measured}}:
            terminal.say(f"You said {_amount(data, given)}, measured is {_amount(data, measured)}.")
        case {"type": "draw", "verdict": {"score": score}}:
            terminal.say(f"Score {score:.0%}, by the distance of the curves.")
    if data["confidence"] is not None:
        terminal.say(f"You were {data['confidence']:.0%} sure.")


def _parts(data: Mapping[str, Any], solution: Any) -> tuple[Sequence[str], Sequence[str]]:
    """The parts of a solution and the marks beside them."""
    match data:
        case {"type": "choice" | "control", "options": options}:
            return [options[solution]], [str(solution + 1)]
        case {"options": options}:
            return [options[number] for number in solution], [str(number + 1) for number in solution]
        case {"pieces": pieces}:
            return [pieces[number] for number in solution], [str(number + 1) for number in solution]
        case {"labels": labels}:
            return [labels[number] for number in solution], list(LETTERS[: len(solution)])
    return [str(solution)], ["="]


def _amount(data: Mapping[str, Any], value: float | str) -> str:
    """A number with its unit; what was typed is left as it is."""
    words = f"{value:.6g}" if isinstance(value, float | int) else value
    return f"{words} {data['unit']}" if data.get("unit") else words
