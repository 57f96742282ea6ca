"""Prints a question: what is asked, its curves, and what there is to choose, order, match or change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepwell.cli.learn.charts import draw_lines, tells_apart
from stepwell.cli.learn.terminal import Terminal
from stepwell.learn.modes import Mode
from stepwell.learn.session.screen import Step

if TYPE_CHECKING:
    from stepwell.learn.attempt import Attempt

LETTERS = "ABCDEFGH"
RATES = re.compile(r"\b(rates?|lr|factors?)\b", re.IGNORECASE)
OWN_RUNS = 8
"""Runs of one's own that are shown beside a lab."""
STYLES = {"right": "bold green", "wrong": "bold red"}


def print_question(terminal: Terminal, step: Step, before: Step | None) -> None:
    """Print the question; of one that is shown already only what is new: the last verdict and the next hint."""
    data = step.data
    again = before is not None and before.kind == "question" and before.number == step.number
    if not again:
        _heading(terminal, step)
        print_front(terminal, data)
    elif before is not None and data["last"] is not None and len(data["hints"]) == len(before.data["hints"]):
        print_last(terminal, data, step.accepts)  # not after a hint, for it was printed before
    if data["trouble"]:
        terminal.say(f"This question could not be prepared: {data['trouble']}", "yellow")
    shown = len(before.data["hints"]) if again and before is not None else 0
    for hint in data["hints"][shown:]:
        terminal.prose(f"**Hint:** {hint}")


def print_front(terminal: Terminal, data: Mapping[str, Any], marks: Sequence[str] = ()) -> None:
    """Print what is to be seen before an answer; `marks` stand beside the options, instead of their numbers."""
    terminal.prose(data["question"])
    terminal.blank()
    if data.get("series"):
        print_series(terminal, data["series"])
    match data:
        case {"type": "control", "explanations": explanations, "options": options}:
            terminal.section("Explanations:")
            terminal.numbered(explanations, ["-"] * len(explanations))
            terminal.section("Runs:")
            terminal.numbered(options, marks)
        case {"options": options}:
            terminal.numbered(options, marks)
        case {"pieces": pieces}:
            terminal.numbered(pieces)
        case {"labels": labels, "curves": curves}:
            _curves(terminal, curves)
            terminal.numbered(labels)
        case {"type": "draw"}:
            terminal.say(f"A run of {data['total_steps']} updates, 0 to {data['total_steps'] - 1}{_base(data)}.", "dim")
        case {"type": "write"}:
            _write(terminal, data)
        case {"type": "fix", "start": start}:
            print_given(terminal, data)
            terminal.code(start)
        case {"type": "tune"}:
            _tune(terminal, data)


def print_given(terminal: Terminal, data: Mapping[str, Any]) -> None:
    """Print what the names are that a program to mend finds."""
    if data["given"]:
        terminal.prose(f"**There already:** {data['given']}")
        terminal.blank()


def print_last(terminal: Terminal, data: Mapping[str, Any], accepts: Sequence[str] = ()) -> None:
    """Print the verdict on the answer before, and how many are left; `accepts` is what can be typed now."""
    last = data["last"]
    print_verdict(terminal, last)
    print_printed(terminal, last.get("evidence", {}))
    print_runs(terminal, last.get("evidence", {}))
    left = data["attempts_left"]
    hint = ["h shows a hint"] if "hint" in accepts else []
    if left is not None:
        terminal.say(f"{'; '.join([f'{left} attempt' + 's' * (left != 1) + ' left', *hint])}.")
    elif "skip" in accepts:
        terminal.say(f"Try again as often as you like; {', '.join([*hint, 's shows a solution'])}.", "dim")


def print_verdict(terminal: Terminal, verdict: Mapping[str, Any]) -> None:
    """Print what came of an answer: the word, then what there is to say."""
    word = verdict["verdict"]
    if word != "not graded":
        terminal.say(word.capitalize() + ".", STYLES.get(word, "bold yellow"))
    if word in ("crashed", "timed out", "could not check"):
        terminal.say(verdict["words"])  # a traceback, which is no Markdown
    else:
        terminal.prose(verdict["words"])


def print_printed(terminal: Terminal, evidence: Mapping[str, Any]) -> None:
    """Print what the learner's program printed, its middle left out where it is long, and its warnings."""
    printed = evidence.get("printed") or {"head": (), "left_out": 0, "tail": ()}
    if printed["head"]:
        seed = f" under seed {evidence['seed']}" if "seed" in evidence else ""
        terminal.say(f"Your program printed{seed}:", "bold")
        terminal.verbatim([*printed["head"]])
    if printed["left_out"]:
        terminal.say(f"  ... {printed['left_out']} more line{'s' if printed['left_out'] != 1 else ''} ...", "dim")
        terminal.verbatim([*printed["tail"]])
    for warning in evidence.get("warnings", ()):
        terminal.say(f"Warning: {' '.join(warning.split())}", "yellow")


def print_series(terminal: Terminal, series: Sequence[Mapping[str, Any]]) -> None:
    """Print the lines of an item in one chart."""
    lines = [(one["label"], one["values"]) for one in series]
    wide = not any(RATES.search(name) for name, _ in lines)
    draw_lines(terminal.console, lines, wide=wide)


def print_runs(terminal: Terminal, evidence: Mapping[str, Any]) -> None:
    """Print the losses of a lab's runs beside their target."""
    runs = evidence.get("runs", ())
    lines = [(f"seed {run['seed']}", run.get("losses") or ()) for run in runs]
    longest = max((len(losses) for _, losses in lines), default=0)
    if longest:
        target = (f"target {evidence['target']:g}", [evidence["target"]] * longest)
        draw_lines(terminal.console, [*lines, target], what="loss", wide=True)


def print_own_runs(terminal: Terminal, attempts: Sequence[Attempt]) -> None:
    """Print what the learner tried in this lab before, the newest last."""
    tried = [one for one in attempts if isinstance(one.answer, dict)][-OWN_RUNS:]
    if not tried:
        return
    terminal.section("Your own runs:")
    for attempt in tried:
        reached = [run.get("reached") for run in attempt.evidence.get("runs", ())]
        ends = ", ".join("not finite" if loss is None else f"{loss:.3g}" for loss in reached)
        terminal.say(
            f"  {attempt.verdict.value:9} {setting_words(attempt.answer)}   {f'ends at {ends}' if ends else ''}"
        )


def clock(seconds: float) -> str:
    """A time as a learner reads it.

    Example:
        >>> clock(125.2), clock(8.04)
        ('2:05', '8 s')
    """
    return f"{seconds:.0f} s" if seconds < 59.5 else f"{int(seconds + 0.5) // 60}:{int(seconds + 0.5) % 60:02d}"


def _heading(terminal: Terminal, step: Step) -> None:
    data = step.data
    facts = [data.get("item", ""), ", ".join(filter(None, (data.get("level"), data.get("difficulty"))))]
    if "seconds" in data:
        facts.append(f"about {clock(data['seconds'])}")
    terminal.blank()
    place = f"{step.number} of {step.of}   "
    lines = [place + facts[0]]
    for fact in filter(None, facts[1:]):  # a line ends between two facts, never within one
        if len(lines[-1]) + 2 + len(fact) <= terminal.console.width:
            lines[-1] += f"  {fact}"
        else:
            lines.append(" " * len(place) + fact)
    terminal.say("\n".join(lines), "bold")
    if data["limit"] is not None:
        terminal.say(f"Time allowed: {clock(data['limit'])}. Overtime is noted and costs nothing.", "dim")
    if step.number == 1:
        hint = "h hint, " if "hint" in step.accepts else ""
        terminal.say(f"{hint}s skip, q end, ? what can be typed", "dim")
        if step.mode is Mode.TEST:
            terminal.say("What is right is told at the end.", "dim")
    terminal.blank()


def _base(data: Mapping[str, Any]) -> str:
    return "" if data["base_lr"] == 1 else f", with a base rate of {data['base_lr']:g}"


def _curves(terminal: Terminal, curves: Sequence[Sequence[float]]) -> None:
    """The curves to match: in one chart where colours tell them apart, otherwise each in its own."""
    lines = [(f"curve {letter}", curve) for letter, curve in zip(LETTERS, curves, strict=False)]
    if tells_apart(terminal.console):
        draw_lines(terminal.console, lines)
        return
    for line in lines:
        draw_lines(terminal.console, [line], height=5)


def _write(terminal: Terminal, data: Mapping[str, Any]) -> None:
    epochs = "" if data["steps_per_epoch"] is None else f", {data['steps_per_epoch']} to an epoch"
    terminal.say(f"A run of {data['total_steps']} updates{epochs}{_base(data)}.", "dim")
    if data["target"]:
        draw_lines(terminal.console, [("target", data["target"])])
    if data["start"]:
        terminal.say(f"To begin with: {data['start']}")


def _tune(terminal: Terminal, data: Mapping[str, Any]) -> None:
    terminal.code(data["setup"])
    start = data["start"]
    words = f"Reach {data['target']:g} or lower in {data['steps']} updates under {data['seeds']} seeds."
    terminal.say(words, "bold")
    terminal.say(f"Optimizers: {', '.join(data['optimizers'])}")
    terminal.say(f"To begin with, and not enough: {setting_words(start)}")


def setting_words(setting: Mapping[str, Any]) -> str:
    """A setting of the lab in a line."""
    return f"{setting['optimizer']}, {setting['lr']:g}, {setting['schedule']}"
