"""The course on a terminal: whole sittings, what is typed, what is seen."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

import command_line
from learn_course import write_course
from stepwell.cli.learn import home, pages
from stepwell.cli.learn.answers import question_event
from stepwell.cli.learn.countdown import Countdown
from stepwell.cli.learn.done import print_done
from stepwell.cli.learn.editor import Draft
from stepwell.cli.learn.questions import print_question
from stepwell.cli.learn.quiz import sit_with
from stepwell.cli.learn.sitting import play
from stepwell.cli.learn.terminal import Terminal
from stepwell.cli.learn.turns import concepts_event, verdict_event
from stepwell.cli.learn.verdicts import print_code, print_reasons
from stepwell.errors import StoreError
from stepwell.learn.attempt import Attempt
from stepwell.learn.course import Course, QuickCheck
from stepwell.learn.grade import solution
from stepwell.learn.job import Job, Part
from stepwell.learn.modes import Mode
from stepwell.learn.progress import Progress
from stepwell.learn.prove import prove
from stepwell.learn.read import read_course
from stepwell.learn.session.plan import Wish
from stepwell.learn.session.player import Player
from stepwell.learn.session.screen import Step
from stepwell.learn.verdict import Verdict
from stepwell.learn.worker import Worker

FIXED = "model = None"
ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as warm:
        warm.start()
        yield warm


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def course(folder: Path) -> Course:
    return read_course(folder)


@pytest.fixture
def progress(tmp_path: Path) -> Iterator[Progress]:
    with Progress.open(tmp_path / "me.sqlite") as opened:
        yield opened


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch, worker: Worker) -> None:
    """Commands take the worker that is warm already, and leave it running."""

    @contextmanager
    def warm() -> Iterator[Worker]:
        yield worker

    for name in ("quiz.warm_worker", "home.worker_of_ones_own", "run.warm_worker", "watch.warm_worker"):
        monkeypatch.setattr(f"stepwell.cli.learn.{name}", warm)


def on_terminal(read: Callable[[str], str], *, width: int = 80, colour: bool = True, tty: bool = True) -> Terminal:
    console = Console(
        file=io.StringIO(),
        width=width,
        height=24,
        force_terminal=tty,
        color_system="standard" if colour else None,
        highlight=False,
    )
    return Terminal(console, read, interactive=False)


def printed(terminal: Terminal) -> str:
    file = terminal.console.file
    assert isinstance(file, io.StringIO)
    return ANSI.sub("", file.getvalue())


def typed(*lines: str) -> Callable[[str], str]:
    """A learner who types these lines and then ends the input."""
    waiting = list(lines)

    def read(prompt: str) -> str:
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    return read


def diligent(prompt: str) -> str:
    """A learner who types something that fits every prompt."""
    for begin, line in (
        ("Labels of", "1 2 3"),
        ("Answers", "1"),
        ("Order", "1 2 3"),
        ("Points, such", "0 1, 99 0"),
        ("Points (", ""),
        ("Schedule", "steps x0.5 every 5"),
        ("Enter checks", "s"),
        ("Optimizer", "Adam"),
        ("  ", ""),
        ("How sure", "70%"),
        ("How well", "good"),
        ("Which does", "1 2"),
        ("Your words", ""),
        ("Answer", "1"),
    ):
        if prompt.startswith(begin):
            return line
    return ""


def sit(course: Course, worker: Worker, progress: Progress, wish: Wish, terminal: Terminal) -> Step:
    with Player.begin(course, wish, progress, worker) as player:
        return play(player, terminal, worker, progress)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("kind", ["colours", "no colours", "no terminal"])
def test_every_mode_goes_to_its_end_within_80_columns(
    mode: Mode, kind: str, course: Course, worker: Worker, progress: Progress
) -> None:
    wish = Wish(mode, ("every",), seed=3)
    terminal = on_terminal(diligent_but_brief(), colour=kind == "colours", tty=kind != "no terminal")
    last = sit(course, worker, progress, wish, terminal)
    assert last.kind == "done"
    text = printed(terminal)
    if kind != "no terminal":
        assert max(map(cell_len, text.splitlines())) <= 80
    done = text[text.rindex("\nDone\n") :]
    assert all(result["item"] in done for result in last.data["results"])
    tried = {attempt.item for attempt in progress.attempts()}
    assert tried == {result["item"] for result in last.data["results"] if result["verdict"]}
    assert tried or mode is Mode.FIX


def diligent_but_brief() -> Callable[[str], str]:
    """Who tries everything twice at most, where there is no end of attempts."""
    asked: dict[str, int] = {}

    def read(prompt: str) -> str:
        asked[prompt] = asked.get(prompt, 0) + 1
        if prompt.startswith(("Schedule", "Optimizer")) and asked[prompt] > 2:
            return "s"
        line = diligent(prompt)
        again = asked[prompt] % 2 == 0  # a wrong answer is not taken twice
        return {"1": "2", "1 2 3": "2 1 3"}.get(line, line) if again else line

    return read


def question(kind: str, **data: Any) -> Step:
    known = {"item": "t/i", "type": kind, "sure": False, "trouble": "", "hints": [], "last": None, **data}
    return Step("question", Mode.PRACTICE, 1, 5, known, ("answer", "hint", "skip", "quit"))


THREE = ["a", "b", "c"]


def tuning() -> Step:
    start = {"optimizer": "SGD", "lr": 0.1, "schedule": "hold"}
    return question("tune", optimizers=["SGD", "Adam", "AdamW"], start=start, steps=20)


@pytest.mark.parametrize(
    ("step", "lines", "answer"),
    [
        (question("choice", options=THREE), ["2"], 1),
        (question("choice", options=THREE), ["4", "x", "1 2", "", "3"], 2),
        (question("control", options=THREE, explanations=["u", "v"]), ["1"], 0),
        (question("multi", options=THREE), ["1, 3"], [0, 2]),
        (question("order", pieces=THREE), ["3 1", "3 1 2"], [2, 0, 1]),
        (question("match", labels=THREE, curves=[[1, 2]] * 3), ["1 1 2", "2 3 1"], [1, 2, 0]),
        (question("numeric", unit=""), ["", "5e-2"], "5e-2"),
        (
            question("draw", total_steps=5, base_lr=0.1, label="rate"),
            ["0 1", "2 x", "4 0", "", ""],
            [[0.0, 1.0], [4.0, 0.0]],
        ),
        (
            question("draw", total_steps=5, base_lr=0.1, label="rate"),
            ["0 1, 4 1", "clear", "0 0; 4 2", "", ""],
            [[0, 0], [4, 2]],
        ),
        (
            question("write", total_steps=5, steps_per_epoch=None, base_lr=1.0, target=None),
            ["", "try", "try cosnie", "try cosine", "linear 1..0"],
            "linear 1..0",
        ),
        (
            tuning(),
            ["", "adam", "x", "-1", "0.3", "cosnie", "cosine 1..0"],
            {"optimizer": "Adam", "lr": 0.3, "schedule": "cosine 1..0"},
        ),
        (  # what is not known, or could be several, is said at once; a single letter means no optimizer
            tuning(),
            ["", "lbfgs", "a", "ad", "?", "adam", "", ""],
            {"optimizer": "Adam", "lr": 0.1, "schedule": "hold"},
        ),
        (  # the form in which settings are shown
            tuning(),
            ["AdamW, 0.005, cosine 1..0"],
            {"optimizer": "AdamW", "lr": 0.005, "schedule": "cosine 1..0"},
        ),
        (tuning(), ["adam,,"], {"optimizer": "Adam", "lr": 0.1, "schedule": "hold"}),
        (tuning(), ["SGD, 0.3", ""], {"optimizer": "SGD", "lr": 0.3, "schedule": "hold"}),
        (  # a schedule's commas are its own, and what is refused is asked again alone
            tuning(),
            ["lbfgs, -1, warmup-stable-decay(warmup=5, end=0.1)", "adam", "0.3"],
            {"optimizer": "Adam", "lr": 0.3, "schedule": "warmup-stable-decay(warmup=5, end=0.1)"},
        ),
        (
            tuning(),
            ["x, 1, hold", "sgd, 0.2, cosine 1..0"],
            {"optimizer": "SGD", "lr": 0.2, "schedule": "cosine 1..0"},
        ),
    ],
)
def test_what_is_typed_becomes_an_answer(step: Step, lines: list[str], answer: Any, tmp_path: Path) -> None:
    event = question_event(on_terminal(typed(*lines)), step, Draft(tmp_path))
    assert event == {"do": "answer", "answer": answer}


@pytest.mark.parametrize(
    ("line", "do"), [("h", "hint"), ("HINT", "hint"), ("s", "skip"), ("q", "quit"), ("quit", "quit")]
)
@pytest.mark.parametrize(
    ("step", "begun"),
    [
        (question("draw", total_steps=5, base_lr=0.1, label="rate"), []),
        (question("draw", total_steps=5, base_lr=0.1, label="rate"), ["0 0, 3 1"]),
        (question("draw", total_steps=5, base_lr=0.1, label="rate"), ["0 0, 3 1", ""]),
        (tuning(), []),
        (tuning(), [""]),
        (tuning(), ["adam"]),
        (tuning(), ["", "adam", "0.3"]),
        (question("choice", options=THREE, sure=True), ["1"]),
        (question("numeric", unit="", sure=True), ["1"]),
    ],
)
def test_a_command_is_understood_at_every_prompt(
    line: str, do: str, step: Step, begun: list[str], tmp_path: Path
) -> None:
    draft = Draft(tmp_path)
    terminal = on_terminal(typed(*begun, "?", line))
    assert question_event(terminal, step, draft) == {"do": do}
    assert "h a hint, s to skip, q to end" in " ".join(printed(terminal).split())
    if step.data["type"] == "draw" and begun:
        assert draft.points["t/i"] == {0.0: 0.0, 3.0: 1.0}
    if len(begun) == 3:
        assert draft.setting == {"optimizer": "Adam", "lr": 0.3, "schedule": "hold"}  # where it goes on after a hint


@pytest.mark.parametrize(
    ("step", "wrong", "answer", "said"),
    [
        (question("numeric", unit="", sure=True), "abc", "0.05", "Expected a number, such as 0.05, got 'abc';"),
        (question("numeric", unit="", sure=True), "inf", "5%", "Expected a number, such as 0.05, got 'inf';"),
        (question("choice", options=THREE, sure=True), "9", "2", "from 1 to 3; got 9"),
    ],
)
def test_the_form_of_an_answer_is_checked_before_the_confidence_is_asked_for(
    step: Step, wrong: str, answer: str, said: str, tmp_path: Path
) -> None:
    prompts: list[str] = []
    lines = iter([wrong, answer, "50"])

    def read(prompt: str) -> str:
        prompts.append(prompt.partition(",")[0])
        return next(lines)

    terminal = on_terminal(read, width=100)
    assert question_event(terminal, step, Draft(tmp_path))["confidence"] == 0.5
    assert prompts == ["Answer: ", "Answer: ", "How sure are you"]
    assert said in printed(terminal)


def told_while_drawing(*lines: str) -> str:
    """What is said to points that are typed at a run of five updates."""
    terminal = on_terminal(typed(*lines, "q"), width=200)
    question_event(terminal, question("draw", total_steps=5, base_lr=0.1, label="rate"), Draft(Path()))
    return printed(terminal)


def test_points_are_held_against_the_run_when_they_are_typed() -> None:
    assert "The steps of this run are 0 to 4, got '5 0.1'." in told_while_drawing("0 0.1, 5 0.1")
    assert "A line takes two points or more, such as 0 0.1, 4 0.05." in told_while_drawing("0 0.1", "")
    assert "Expected `step value`, such as 0 0.1, got 'x'; ? for help." in told_while_drawing("x")


@pytest.mark.parametrize("line", ["q", "s", "?"])
def test_a_key_that_is_alone_in_its_line_is_no_part_of_an_explanation(line: str, tmp_path: Path) -> None:
    terminal = on_terminal(typed("it falls", line, "and rises", ""))
    event = question_event(terminal, question("explain"), Draft(tmp_path))
    expected = {"q": {"do": "quit"}, "s": {"do": "skip"}, "?": {"do": "reveal", "text": "it falls\nand rises"}}
    assert event == expected[line]
    assert ("an empty line ends them" in printed(terminal)) == (line == "?")


@pytest.mark.parametrize(
    ("kind", "same", "other"), [("multi", ["1 3", "3, 1"], "2"), ("numeric", ["5", " 5"], "6"), ("choice", ["1"], "2")]
)
def test_an_answer_that_was_wrong_uses_no_second_attempt(
    kind: str, same: list[str], other: str, tmp_path: Path
) -> None:
    draft = Draft(tmp_path)
    terminal = on_terminal(typed(same[0], same[0], *same, other), width=100)
    step = question(kind, options=THREE, attempts_left=2, unit="")
    first = question_event(terminal, step, draft)
    assert question_event(terminal, step, draft) == first  # it could not be checked or recorded, and no attempt is gone
    assert printed(terminal) == ""
    second = question_event(terminal, question(kind, options=THREE, attempts_left=1, unit=""), draft)
    assert second["answer"] != first["answer"]
    assert printed(terminal).count("no attempt was used") == len(same)


def test_help_says_what_can_be_typed(tmp_path: Path) -> None:
    terminal = on_terminal(typed("?", "q"))
    question_event(terminal, question("multi", options=THREE), Draft(tmp_path))
    assert "the numbers of all that hold, such as 1 3. Or h a hint, s to skip, q to end" in " ".join(
        printed(terminal).split()
    )


@pytest.mark.parametrize(
    ("step", "line", "said"),
    [
        (question("choice", options=THREE), "", "Expected the number of an option, got nothing; ? for help."),
        (question("choice", options=THREE), "x", "Expected the number of an option, got 'x'; ? for help."),
        (question("choice", options=THREE), "4", "Expected the number of an option, from 1 to 3; got 4."),
        (question("choice", options=THREE), "1 2", "Expected the number of an option, from 1 to 3; got '1 2'."),
        (question("control", options=THREE), "", "Expected the number of a run, got nothing; ? for help."),
        (question("multi", options=THREE), "", "Expected the numbers of all that hold, such as 1 3, got nothing;"),
    ],
)
def test_what_cannot_be_an_answer_is_told_what_the_question_takes(
    step: Step, line: str, said: str, tmp_path: Path
) -> None:
    terminal = on_terminal(typed(line, "q"), width=100)
    question_event(terminal, step, Draft(tmp_path))
    assert said in printed(terminal)


def test_a_text_that_cannot_be_drawn_keeps_the_mark_below_the_place(tmp_path: Path) -> None:
    terminal = on_terminal(typed("try hold 1 | lin 0..1", "q"), width=200)
    step = question("write", total_steps=5, steps_per_epoch=None, base_lr=1.0, target=None)
    question_event(terminal, step, Draft(tmp_path))
    assert "Unknown shape 'lin'; did you mean" in printed(terminal)
    assert printed(terminal).splitlines()[-2:] == ["    hold 1 | lin 0..1", "             ^^^"]


def test_a_sitting_ends_with_the_command_for_another_like_it(
    course: Course, folder: Path, worker: Worker, progress: Progress
) -> None:
    terminal = on_terminal(typed("q"), width=300)
    sit_with(terminal, course, Wish(Mode.CHALLENGE, ("quick",), seed=5, timer="x2"), progress.path, worker)
    words = f"stepwell learn quiz --mode challenge --topic quick --timer x2 --course {folder} --seed 5"
    assert " ".join(printed(terminal).split()).endswith(f"Seed 5. More like this: {words}")


def test_the_keys_that_are_shown_are_those_that_there_are() -> None:
    data: dict[str, Any] = {"type": "choice", "question": "?", "options": THREE, "hints": [], "limit": None}
    data |= {"level": "intermediate", "difficulty": "easy", "seconds": 20, "item": "optimizer-dependence/" + "x" * 30}
    for accepts, keys in ((("answer", "hint"), "h hint, s skip, q end"), (("answer",), "s skip, q end")):
        terminal = on_terminal(typed())
        shown = {**data, "last": None, "trouble": ""}
        print_question(terminal, Step("question", Mode.TEST, 1, 5, shown, accepts), None)
        assert f"\n{keys}, ? what can be typed\n" in printed(terminal)
        heading = f"\n1 of 5   {data['item']}  intermediate, easy\n         about 20 s\n"
        assert heading in printed(terminal)


@pytest.mark.parametrize(("left", "words"), [(124.9, "(2:05 left)"), (8.5, "(0:09 left)"), (-70.2, "(1:10 over)")])
def test_a_timed_prompt_says_what_is_left(left: float, words: str, tmp_path: Path) -> None:
    prompts: list[str] = []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        return "q"

    question_event(on_terminal(read), question("choice", options=THREE, left=left), Draft(tmp_path))
    question_event(on_terminal(read), question("choice", options=THREE, left=None), Draft(tmp_path))
    assert prompts == [f"Answer {words}: ", "Answer: "]


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_the_clock_of_a_prompt_keeps_its_width_and_never_goes_back(left: float, later: float) -> None:
    prompt = replace(Countdown.from_now("Answer", left), until=left)
    clocks = [prompt.clock(now) for now in sorted((0.0, abs(later)))]
    assert {len(clock) for clock in clocks} == {len(clocks[0])}
    assert prompt.at(0.0)[prompt.column :] == f"{clocks[0]}): "
    seconds = [
        (60 * int(minutes) + int(rest[:2])) * (1 if "left" in rest else -1)
        for minutes, _, rest in (clock.partition(":") for clock in clocks)
    ]
    assert seconds[0] >= seconds[1]
    assert abs(left) >= 6000 or abs(seconds[0] - left) <= 1


CHECKED = {"check": {"question": "And then?", "answer": "It falls."}}


def test_the_answer_of_a_quick_check_is_uncovered_on_the_way_to_the_next() -> None:
    prompts: list[str] = []
    lines = iter(["?", "", "?", ""])

    def read(prompt: str) -> str:
        prompts.append(prompt)
        assert ("It falls." in printed(terminal)) == (len(prompts) > 2)
        return next(lines)

    terminal = on_terminal(read)
    step = Step("verdict", Mode.PRACTICE, 1, 5, CHECKED, ("next", "quit"))
    assert verdict_event(Terminal(terminal.console, read, True), step) == {"do": "next"}
    assert prompts == ["Enter uncovers the answer: "] * 2 + ["Enter for the next, q to end: "] * 2


def test_without_a_person_the_answer_of_a_quick_check_comes_at_the_end(
    course: Course, worker: Worker, progress: Progress
) -> None:
    (item,) = (item for item in course.items if item.id == "quick/quick-0")
    single = Course((replace(course.topic("quick"), items=(replace(item, check=QuickCheck("And?", "So.")),)),))
    for lines in (["1", ""], ["s", "", ""]):
        terminal = on_terminal(typed(*lines), tty=False)
        sit(single, worker, progress, Wish(Mode.PRACTICE), terminal)
        assert re.search(r"\nQuick check:\nAnd\?\n\nAnswer:\nSo\.\n", printed(terminal))


@pytest.mark.parametrize(
    ("rating", "words", "total"),
    [("4", "remembered, easy", "1 of 1 card remembered."), ("1", "forgotten", "0 of 1 card remembered.")],
)
def test_a_card_is_told_as_remembered_or_forgotten(
    rating: str, words: str, total: str, course: Course, worker: Worker, progress: Progress
) -> None:
    terminal = on_terminal(typed("", rating, "q"))
    last = sit(course, worker, progress, Wish(Mode.RECALL, ("every",)), terminal)
    assert last.data["cards"] == {"remembered": int(rating != "1"), "of": 1}
    done = printed(terminal)[printed(terminal).rindex("\nDone\n") :]
    assert re.search(rf"  {words} +every/", done)
    assert total in done
    assert "not graded" not in done


def test_what_a_program_prints_is_shown_and_cut_in_the_middle(
    course: Course, worker: Worker, progress: Progress, tmp_path: Path
) -> None:
    (item,) = (item for item in course.items if item.body.kind == "fix")
    file = tmp_path / "mine.py"
    seen = []
    for code in (item.body.start, item.body.solution, item.body.start + "1 / 0\n"):  # type: ignore[attr-defined]  # of Fix
        file.write_text(f"for step in range(100):\n    print('step', step)\n{code}")
        terminal = on_terminal(typed(str(file), "", "q"))
        with Player.begin(course, Wish(Mode.FIX, ("every",)), progress, worker) as player:
            play(player, terminal, worker, progress)
        seen.append(progress.attempts()[-1].evidence["printed"])
        told = printed(terminal)
        lines = [int(number) for number in re.findall(r"^  step (\d+)$", told, re.MULTILINE)]
        assert lines == [*range(12), *range(88, 100)]
        assert "  ... 76 more lines ...\n" in told
    assert [one["left_out"] for one in seen] == [76] * 3


@pytest.mark.parametrize("columns", [200, 60])
def test_code_is_wrapped_only_where_the_terminal_is_narrower(columns: int) -> None:
    line = "scheduler = " + " + ".join(["1"] * 45)
    console = Console(file=io.StringIO(), width=min(columns, 100), force_terminal=True, color_system=None)
    terminal = Terminal(console, typed(), False, columns)
    terminal.code(line)
    terminal.prose(f"Look:\n```python\n{line}\n```\nSo.")
    assert printed(terminal).count(line) == (2 if columns > len(line) else 0)
    assert len(re.findall(r"^ {10}\+? ?1", printed(terminal), re.MULTILINE)) == (0 if columns > len(line) else 2 * 3)
    assert max(map(cell_len, printed(terminal).splitlines())) <= columns
    assert console.width == min(columns, 100)


@pytest.mark.parametrize("width", [60, 70, 80, 81, 82, 83, 100])
def test_short_code_is_never_broken_at_its_spaces(width: int) -> None:
    code = "linear 0..1 for 200 | hold"
    text = f"A run of a thousand updates has `{code}`, and `StepLR(optimizer,\n2, 0.5)` too: `{'x ' * 60}`."
    terminal = on_terminal(typed(), width=width)
    terminal.prose(text)
    terminal.numbered([text])
    assert printed(terminal).count(code) == printed(terminal).count("StepLR(optimizer, 2, 0.5)") == 2
    assert max(map(cell_len, printed(terminal).splitlines())) <= width
    assert re.search(r"[^\x20-\x7e\n]", printed(terminal)) is None


@pytest.mark.parametrize("width", range(40, 101))
def test_no_line_begins_with_a_full_stop(width: int) -> None:
    table = "{'a long table': 1, 'and so on': 2, 'and on': [3, 4, 5]}"
    words = f"`{table}`. Three more epochs follow it, each with `optimizer.step()` and `scheduler.step()`. What now?"
    terminal = on_terminal(typed(), width=width)
    terminal.prose(words)
    assert not re.search(r"^[.,]", printed(terminal), re.MULTILINE)


@pytest.mark.parametrize(("lines", "confidence"), [(["80"], 0.8), (["x", "101", "5 %"], 0.05), (["100%"], 1.0)])
def test_a_confidence_is_asked_for_in_percent(lines: list[str], confidence: float, tmp_path: Path) -> None:
    step = question("choice", options=THREE, sure=True)
    event = question_event(on_terminal(typed("1", *lines)), step, Draft(tmp_path))
    assert event == {"do": "answer", "answer": 0, "confidence": confidence}


@pytest.mark.parametrize(("line", "ticks"), [("ok", [1]), ("1 3", [0, 2]), ("none", [])])
def test_the_learner_ticks_and_the_machine_suggests(line: str, ticks: list[int]) -> None:
    concepts = [{"text": text, "suggested": text == "b"} for text in THREE]
    step = Step("concepts", Mode.LEARN, 3, 3, {"text": "words", "concepts": concepts}, ("answer", "skip", "quit"))
    terminal = on_terminal(typed("4", "?", "", line))
    event = concepts_event(terminal, step)
    assert "Type the numbers of the concepts, ok for those with *, or none." in printed(terminal)
    assert event == {"do": "answer", "answer": {"text": "words", "ticks": ticks}}


def test_a_prediction_is_committed_before_the_truth_is_laid_over_it(
    course: Course, worker: Worker, progress: Progress
) -> None:
    seen: list[str] = []

    def read(prompt: str) -> str:
        seen.append(printed(terminal))
        return diligent(prompt)

    terminal = on_terminal(read)
    sit(course, worker, progress, Wish(Mode.PREDICT, ("every",), seed=1), terminal)
    before = next(text for text in seen if "measured" in text)
    assert "You were 70% sure." in before
    assert re.search(r"── yours   ── measured", before)
    assert "measured" not in seen[seen.index(before) - 1]
    assert all(attempt.confidence == 0.7 for attempt in progress.attempts())


def wrong_answer(kind: str, right: Any, count: int) -> Any:
    match kind:
        case "choice" | "control":
            return (right + 1) % count
        case "multi":
            return [place for place in range(count) if place not in right]
        case "numeric":
            return f"{right + 1000:g}"
    return [*right[1:], right[0]]


@pytest.mark.parametrize("skipped", [False, True])
@pytest.mark.parametrize("kind", ["choice", "control", "multi", "numeric", "order", "match"])
def test_the_end_of_a_test_shows_what_was_not_right_again_with_the_right_answer(
    kind: str, skipped: bool, course: Course, worker: Worker, progress: Progress
) -> None:
    items = tuple(item for item in course.items if item.body.kind == kind)[:1]
    with Player.begin(
        Course((replace(course.topic("every"), items=items),)), Wish(Mode.TEST), progress, worker
    ) as test:
        data = test.step().data
        right = solution(test.state.item, prove(test.state.item, worker))
        wrong = wrong_answer(kind, right, len(data.get("options", ())))
        done = test.send({"do": "skip"} if skipped else {"do": "answer", "answer": wrong})
    terminal = on_terminal(typed(), tty=False)
    print_done(terminal, done)
    told = printed(terminal)
    assert f"\n{'Skipped' if skipped else 'Wrong'}: {data['item']}\n{data['question'].strip()}\n" in told
    assert done.data["results"][0]["explanation"] in told
    if "options" in data:
        chosen, true = (one if kind == "multi" else [one] for one in (wrong, right))
        chosen = [] if skipped else chosen
        for place, option in enumerate(data["options"]):
            mark = "yours " * (place in chosen) + "right " * (place in true)
            assert f"\n  {mark}{place + 1}. {option}\n" in told
        assert all(why in told for why in done.data["results"][0]["why"])
    else:
        assert told.index("Right is:") < told.index(done.data["results"][0]["explanation"])
        assert skipped or told.index("Your answer:") < told.index("Right is:")
    assert ("yours " in told or "Your answer:" in told) != skipped
    assert ("curve A" in told) == (kind == "match")


SAID = {"explanation": "E.", "steps": (), "mistakes": (), "check": None}


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (["Same."] * 3, "\nE.\n\nSame.\n"),
        (["One.", "Two.", "One."], "\nE.\n\nOption by option:\n  1, 3. One.\n  2. Two.\n"),
        (["One.", "", "One."], "\nE.\n\nOption by option:\n  1, 3. One.\n"),
    ],
)
def test_a_reason_of_several_options_is_said_once(why: list[str], told: str) -> None:
    terminal = on_terminal(typed(), tty=False)
    print_reasons(terminal, {**SAID, "why": why, "type": "choice", "solution": None}, right=False)
    assert printed(terminal) == told
    marked = on_terminal(typed(), tty=False)
    print_reasons(marked, {**SAID, "why": why, "type": "multi", "answer": [0, 1], "solution": [1, 2]}, right=False)
    rows = ["  yours 1. One.", "  yours, right 2. Two.", "  right 3. One."]
    assert re.findall(r"^  .*\.$", printed(marked), re.MULTILINE) == [row for row in rows if row[-4:] in told[9:]]


BEFORE = """
import torch, stepwell
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
"""
AFTER = """
rates = []
for step in range(200):
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    scheduler.step()
"""


def test_a_schedule_is_shown_as_code_both_ways_and_both_have_its_rates(worker: Worker) -> None:
    terminal = on_terminal(typed(), tty=False)
    print_code(terminal, "steps x0.5 every 5ep", {"total_steps": 200, "steps_per_epoch": 10, "base_lr": 0.4})
    rates = []
    for code in printed(terminal).split("# or with torch's own class\n"):
        ran = worker.run(Job((Part("before", BEFORE), Part("code", code), Part("after", AFTER)), ("rates",)))
        rates.append(ran.outcomes[0].values["rates"])
    assert rates[0] == pytest.approx(rates[1], rel=1e-12)
    assert rates[0][::50] == pytest.approx([0.4, 0.2, 0.1, 0.05], rel=1e-12)


def after_a_skip(kind: str, lines: list[str], course: Course, worker: Worker, progress: Progress) -> str:
    """What is printed from the last prompt on where the only item of a type is skipped after these lines."""
    (item,) = [item for item in course.items if item.body.kind == kind][:1]
    mode = {"card": Mode.RECALL, "fix": Mode.FIX, "tune": Mode.TUNE, "write": Mode.DESIGN}.get(kind, Mode.PRACTICE)
    read = typed(*lines, "s", "")

    def watched(prompt: str) -> str:
        terminal.say(f"PROMPT {prompt}")
        return read(prompt)

    terminal = on_terminal(watched, tty=False)
    sit(Course((replace(course.topic("every"), items=(item,)),)), worker, progress, Wish(mode), terminal)
    return re.split(r"PROMPT .*\n", printed(terminal))[len(lines) + 1]


@pytest.mark.parametrize("kind", ["card", "choice", "numeric", "order", "match", "write", "fix", "tune"])
def test_what_was_skipped_says_so_and_what_is_right(
    kind: str, course: Course, worker: Worker, progress: Progress
) -> None:
    said = after_a_skip(kind, [], course, worker, progress)
    right = {
        "card": "\nThe factor between a gradient and the step that is taken against it.\n",
        "numeric": "Right is: ",
        "write": "This is right: ",
        "fix": "A program that passes:\n",
        "tune": "This reaches it: ",
    }
    assert said.startswith("\nSkipped.\n")
    assert right.get(kind, "\nRight is:\n") in said
    assert ("target" in said) == (kind == "write")  # the curve of what is right


def test_losses_of_ones_own_do_not_stand_below_a_setting_that_is_not_ones_own(
    course: Course, worker: Worker, progress: Progress
) -> None:
    said = after_a_skip("tune", ["", "SGD", "0.0001", "hold"], course, worker, progress)
    assert "This reaches it: " in said
    assert "seed 1" not in said


def test_a_card_whose_back_was_seen_is_left_without_showing_it_again(
    course: Course, worker: Worker, progress: Progress
) -> None:
    terminal = on_terminal(typed("", "s", "q"))
    last = sit(course, worker, progress, Wish(Mode.RECALL, ("quick",)), terminal)
    assert printed(terminal).count("It falls.") == 1
    assert [result["skipped"] for result in last.data["results"]] == [True, False]
    done = printed(terminal)[printed(terminal).rindex("\nDone\n") :]
    assert re.search(r"  skipped  quick/card-\d\n  1 item not answered\n", done)


def test_own_runs_stand_beside_the_lab(course: Course, worker: Worker, progress: Progress) -> None:
    terminal = on_terminal(diligent)
    lines = typed("SGD", "0.0001", "hold", "q")
    sit(course, worker, progress, Wish(Mode.TUNE, ("every",)), on_terminal(lines))
    again = on_terminal(typed("q"))
    sit(course, worker, progress, Wish(Mode.TUNE, ("every",)), again)
    assert re.search(r"wrong +SGD, 0\.0001, hold +ends at", printed(again))
    assert printed(terminal) == ""


def test_a_program_is_checked_from_a_file_and_from_an_editor(
    course: Course, worker: Worker, progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (item,) = (item for item in course.items if item.body.kind == "fix")
    solution = tmp_path / "mine.py"
    solution.write_text(item.body.solution)  # type: ignore[attr-defined]  # of Fix
    terminal = on_terminal(typed("", "no.py", "e", str(solution), ""))
    last = sit(course, worker, progress, Wish(Mode.FIX, ("every",)), terminal)
    text = " ".join(printed(terminal).split())
    assert "The program is as it was" in text
    assert "'no.py' cannot be read" in text
    assert "no editor is set" in text.lower()
    assert last.data["right"] == 1
    monkeypatch.setenv("VISUAL", f"{sys.executable} -c \"import sys; open(sys.argv[1], 'a').write('1 / 0')\"")
    by_editor = on_terminal(typed("e", "", "q"))
    sit(course, worker, progress, Wish(Mode.FIX, ("every",)), Terminal(by_editor.console, by_editor.read, True))
    text = printed(by_editor)
    assert "ZeroDivisionError" in text
    kept = Path("".join(text[text.index("Your program is kept:") :].split(":")[1].split()))
    assert kept.read_text().endswith("1 / 0")
    kept.unlink()
    kept.parent.rmdir()
    assert "is kept" not in printed(terminal)


def test_an_answer_that_could_not_be_recorded_can_be_given_again(
    course: Course, worker: Worker, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, failures = Progress.record, [StoreError("no space left to write the progress file")]

    def full_once(self: Progress, attempt: Attempt) -> None:
        if failures:
            raise failures.pop()
        record(self, attempt)

    monkeypatch.setattr(Progress, "record", full_once)
    terminal = on_terminal(typed("1", "1", "", "q"))
    sit(course, worker, progress, Wish(Mode.CHALLENGE, ("quick",)), terminal)
    assert "not recorded: no space left to write the progress file" in printed(terminal)
    assert [one.number for one in progress.attempts()] == [1]


def test_a_page_says_its_keys(course: Course, worker: Worker, progress: Progress) -> None:
    prompts: list[str] = []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        return ["?", "r 9", "q"][len(prompts) - 1]

    terminal = on_terminal(read)
    sit(course, worker, progress, Wish(Mode.LEARN, ("every",)), Terminal(terminal.console, read, True))
    assert len(set(prompts)) == 1
    assert printed(terminal).count("Enter for more, r 1 runs the program that was shown, q ends") == 2
    assert "'r 9' means nothing here." in printed(terminal)


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, ""), (1, "r 1 runs the program"), (2, "r 1 and r 2 run the programs"), (4, "r 1 to r 4 run the programs")],
)
def test_a_page_says_what_runs_its_programs(count: int, words: str) -> None:
    assert pages._runs(count) == words


def test_a_page_offers_only_the_programs_that_were_shown(course: Course, worker: Worker, progress: Progress) -> None:
    prose = {"kind": "prose", "markdown": "\n\n".join(["Read."] * 10)}
    program = {"kind": "program", "code": "print(1)\n", "output": None}
    page = Step("page", Mode.LEARN, 0, 3, {"title": "A page", "blocks": [prose, program, prose]}, ("next", "quit"))
    prompts: list[str] = []
    said = iter(["?", "", "", ""])

    def read(prompt: str) -> str:
        prompts.append(prompt)
        return next(said)

    terminal = Terminal(on_terminal(read).console, read, interactive=True)
    assert pages.read_page(terminal, page, worker) == "next"
    none, one = "-- Enter for more, q ends: ", "-- Enter for more, r 1 runs the program, q ends: "
    assert prompts == [none, none, one, "-- Enter goes on to the questions, r 1 runs the program, q ends: "]
    assert "that was shown" not in printed(terminal)


def test_a_page_stops_at_every_screen_and_runs_its_programs(course: Course, worker: Worker, progress: Progress) -> None:
    prompts: list[str] = []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        return "r 1" if len(prompts) == 1 else "q"

    terminal = on_terminal(read)
    last = sit(course, worker, progress, Wish(Mode.LEARN, ("every",)), Terminal(terminal.console, read, True))
    assert last.kind == "done"
    assert prompts[0].startswith("-- Enter for more")
    assert "finished in" in printed(terminal)
    assert "down" not in printed(terminal).split("finished in")[1]


@pytest.mark.parametrize("colour", [True, False])
def test_curves_to_match_share_a_chart_only_where_colours_tell_them_apart(
    colour: bool, course: Course, worker: Worker, progress: Progress
) -> None:
    (item,) = (item for item in course.items if item.body.kind == "match")
    single = Course((replace(course.topic("every"), items=(item,)),))
    terminal = on_terminal(typed("q"), colour=colour)
    sit(single, worker, progress, Wish(Mode.PRACTICE), terminal)
    assert len(re.findall(r"step *$", printed(terminal), re.MULTILINE)) == (1 if colour else 3)


def attempt(item: str, verdict: Verdict, mode: Mode = Mode.PRACTICE, **more: Any) -> Attempt:
    known: dict[str, Any] = {
        "time": 1e9, "session": "s", "seed": 1, "number": 1, "answer": 0, "score": 1.0, "hints": 0, "seconds": 5.0,
        "overtime": 0.0, "confidence": None, "evidence": {}, **more,
    }  # fmt: skip
    return Attempt(mode=mode, item=item, topic=item.split("/")[0], verdict=verdict, **known)


def stepwell(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    return command_line.stepwell(capsys, "learn", *arguments)


@pytest.fixture
def me(tmp_path: Path, folder: Path) -> tuple[object, ...]:
    """The options of a learner of one's own."""
    return ("--progress", tmp_path / "me.sqlite", "--course", folder)


def test_statistics_tell_mastery_with_its_sample_badges_and_calibration(
    capsys: pytest.CaptureFixture[str], progress: Progress, folder: Path
) -> None:
    for number in range(3):
        progress.record(attempt(f"quick/q{number}", Verdict.RIGHT if number else Verdict.WRONG, confidence=0.9))
    for number in range(5):
        progress.record(attempt(f"every/q{number}", Verdict.RIGHT, Mode.CHALLENGE, session="c"))
    options = ("--progress", progress.path, "--course", folder)
    code, told, _ = stepwell(capsys, "stats", *options)
    assert code == 0
    assert re.search(r"quick +2 of 3 +\[#{13}\.{7}\]  not strong yet", told)
    assert re.search(r"every +5 of 5 .* strong", told)
    assert "2001-09-0" in told
    assert "every, within the time" in told
    assert re.search(r"90% sure +67% right .* 3 answers", told)
    found = json.loads(stepwell(capsys, "stats", "--json", *options)[1])
    assert found["calibration"] == [{"confidence": pytest.approx(0.9), "right": pytest.approx(2 / 3), "count": 3}]
    assert {row["topic"]: (row["right"], row["of"]) for row in found["topics"]} == {"quick": (2, 3), "every": (5, 5)}
    listed = json.loads(stepwell(capsys, "list", "--json", *options)[1])
    assert {row["topic"]: (row["right"], row["of"], row["items"]) for row in listed} == {
        "every": (5, 5, 20),
        "quick": (2, 3, 14),
    }


def test_the_time_of_a_second_answer_is_not_counted_twice(
    capsys: pytest.CaptureFixture[str], progress: Progress, folder: Path
) -> None:
    for number, (verdict, seconds) in enumerate([(Verdict.WRONG, 124.0), (Verdict.RIGHT, 126.0)], 1):
        more = {"seconds": seconds, "overtime": seconds - 120, "number": number}
        progress.record(attempt("quick/q", verdict, Mode.CHALLENGE, **more))
    progress.record(attempt("quick/q", Verdict.RIGHT, session="another", seconds=10.0))
    found = json.loads(stepwell(capsys, "stats", "--json", "--progress", progress.path, "--course", folder)[1])
    assert (found["answers"], found["seconds"], found["overtime"]) == (3, 136.0, 6.0)


def test_looking_makes_no_progress_file(
    capsys: pytest.CaptureFixture[str], me: tuple[object, ...], tmp_path: Path
) -> None:
    for words in ([], ["list"], ["stats"], ["list", "quick"], ["reset", "quick/quick-1"]):
        assert stepwell(capsys, *words, *me)[0] == 0
    assert stepwell(capsys, "export", "--progress", tmp_path / "me.sqlite")[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_the_topics_are_plain_lines_and_the_way_on_is_told(
    capsys: pytest.CaptureFixture[str], me: tuple[object, ...]
) -> None:
    code, told, _ = stepwell(capsys, *me)
    assert code == 0
    rows = [line.split("\t") for line in told.splitlines() if "\t" in line]
    assert rows[0] == ["every", "T", "5 min", "beginner to advanced", "20 items", "not begun"]
    assert "stepwell learn quiz --mode learn --topic every" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["quiz", "--mode", "prctice"], "there is no mode 'prctice'; did you mean practice"),
        (["quiz", "--mode", "xyz"], "modes: learn, predict, recall, practice, challenge, test, fix, design, tune"),
        (["quiz", "--topic", "quik"], "there is no topic 'quik'; did you mean quick?"),
        (["quiz", "--topic", "zzz"], "there is no topic 'zzz'; see all: stepwell learn list"),
        (["quiz", "--level", "beginer"], "there is no level 'beginer'; did you mean beginner?"),
        (["quiz", "--mode", "challenge", "--timer", "x3"], "the timer is one of off, x1, x2, x10, got 'x3'"),
        (["quiz", "--mode", "learn"], "the mode learn is about one topic, got 0; name one, such as --topic every"),
        (["verify", "evry"], "there is no topic 'evry'; did you mean every?"),
        (["reset", "quick/quick-99"], "did you mean quick/quick-9"),
        (["reset", "quick-1"], "several items are called 'quick-1': every/quick-1, quick/quick-1; name the topic too"),
        (["watch", "quick/quick-1"], "watch is for programs to fix, 'quick/quick-1' is of the type choice; try every/"),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest_names(
    capsys: pytest.CaptureFixture[str], me: tuple[object, ...], words: list[str], message: str
) -> None:
    code, told, complaint = stepwell(capsys, *words, *([] if words[0] == "verify" else me), *_course(words, me))
    assert (code, told) == (2, "")
    assert message in complaint
    assert complaint.count("\n") == 1


def _course(words: list[str], me: tuple[object, ...]) -> tuple[object, ...]:
    return me[2:] if words[0] == "verify" else ()


def test_a_reset_asks_first_and_hides_the_item(
    capsys: pytest.CaptureFixture[str], progress: Progress, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.record(attempt("quick/quick-7", Verdict.WRONG))
    options = ("--progress", progress.path, "--course", folder)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert stepwell(capsys, "reset", "quick-7", *options)[0] == 1
    assert len(progress.attempts()) == 1
    assert (
        stepwell(capsys, "reset", "quick-7", "--yes", *options)[1]
        == "quick/quick-7 begins anew; 1 answer no longer counts\n"
    )
    assert progress.attempts() == []
    assert "nothing is recorded" in stepwell(capsys, "reset", "quick-7", *options)[1]
    exported = json.loads(stepwell(capsys, "export", *options[:2])[1])
    assert [row["item"] for row in exported["attempts"]] == ["quick/quick-7"]


def test_a_reset_takes_no_badge_away_and_says_so(
    capsys: pytest.CaptureFixture[str], progress: Progress, folder: Path
) -> None:
    for number in range(5):
        progress.record(attempt(f"quick/quick-{number}", Verdict.RIGHT, Mode.CHALLENGE, session="c"))
    options = ("--progress", progress.path, "--course", folder)
    for number in range(5):
        assert stepwell(capsys, "reset", f"quick/quick-{number}", "--yes", *options)[0] == 0
        told = stepwell(capsys, "stats", *options)[1]
        assert re.search(r"  2001-09-0\d  quick, within the time\n", told)
        assert json.loads(stepwell(capsys, "stats", "--json", *options)[1])["answers"] == 4 - number
    assert "badges stay won" in " ".join(stepwell(capsys, "reset", "--help")[1].split())


def test_an_export_goes_to_a_file_and_never_over_the_progress(
    capsys: pytest.CaptureFixture[str], progress: Progress, tmp_path: Path
) -> None:
    progress.record(attempt("quick/quick-7", Verdict.WRONG))
    options = ("--progress", progress.path)
    table = tmp_path / "table.csv"
    assert stepwell(capsys, "export", "--csv", "-o", table, *options)[0] == 0
    assert [line.split(",")[3] for line in table.read_text().splitlines()] == ["item", "quick/quick-7"]
    code, _, complaint = stepwell(capsys, "export", "-o", progress.path, *options)
    assert code == 2
    assert "is the progress file itself" in complaint
    assert len(progress.attempts()) == 1


def test_a_progress_file_of_a_newer_version_is_left_alone(
    capsys: pytest.CaptureFixture[str], me: tuple[object, ...], tmp_path: Path
) -> None:
    import sqlite3

    path = tmp_path / "me.sqlite"
    Progress.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    content = path.read_bytes()
    for words in ([], ["stats"], ["quiz"], ["list"]):
        code, told, complaint = stepwell(capsys, *words, *me)
        assert (code, told) == (2, "")
        assert "was written by a newer Stepwell" in complaint
        assert complaint.endswith("type: pip install --upgrade stepwell\n")
    assert path.read_bytes() == content


def test_without_the_extra_its_command_is_told(
    capsys: pytest.CaptureFixture[str], me: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsrs", None)
    assert stepwell(capsys, *me)[0] == 0
    code, _, complaint = stepwell(capsys, "review", *me)
    assert code == 2
    assert complaint == 'error: spacing cards needs fsrs; type: pip install "stepwell[learn]"\n'


def test_a_review_without_cards_says_when_the_next_is_due(
    capsys: pytest.CaptureFixture[str], me: tuple[object, ...], course: Course, tmp_path: Path
) -> None:
    with Progress.open(tmp_path / "me.sqlite") as opened:
        for item in course.items:
            if Mode.RECALL in item.modes:
                opened.record(attempt(item.id, Verdict.UNGRADED, Mode.RECALL, answer="easy", time=time.time()))
    code, told, _ = stepwell(capsys, "review", *me)
    assert code == 0
    assert re.fullmatch(r"no card is due now; the next one is in about \d+ days\n", told)


def test_a_review_takes_only_cards_that_were_rated(
    capsys: pytest.CaptureFixture[str], me: tuple[object, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, told, _ = stepwell(capsys, "review", *me)
    assert (code, told.count("\n")) == (0, 1)
    (way,) = re.findall(r"^you have rated no card yet; .*: stepwell learn (quiz --mode learn --topic \S+)$", told, re.M)
    code, out, complaint = stepwell(capsys, "review", "--json", *me)
    assert (code, out) == (2, "")
    assert complaint.startswith("error: you have rated no card yet; ")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"do": "quit"}\n'))
    assert json.loads(stepwell(capsys, *way.split(), "--json", *me)[1].splitlines()[0])["kind"] == "page"
    with Progress.open(tmp_path / "me.sqlite") as opened:
        rated = attempt("every/card-1", Verdict.UNGRADED, Mode.RECALL, answer="again", time=time.time() - 1e6)
        opened.record(rated)
    monkeypatch.setattr("sys.stdin", io.StringIO('{"do": "quit"}\n'))
    first = json.loads(stepwell(capsys, "review", "--json", *me)[1].splitlines()[0])
    assert (first["number"], first["of"], first["data"]["item"]) == (1, 1, "every/card-1")


@pytest.mark.parametrize(
    ("code", "ending", "verdict", "shown"),
    [
        ("print(6 * 7)", 0, "finished", "42"),
        ("import torch\nprint(torch.ones(2).sum().item())\n1 / 0", 1, "crashed", "line 3: 1 / 0"),
        ("while True: pass", 1, "timed out", "it was stopped after"),
        ("import os\nos._exit(9)", 1, "crashed", "its process ended without a result"),
        ("def", 1, "crashed", "line 1: def\nSyntaxError: invalid syntax\n"),
        (
            "x = 1\nfor step in range(3)\n    pass",
            1,
            "crashed",
            "line 2: for step in range(3)\nSyntaxError: expected ':'\n",
        ),
        ("if True:\nx = 1", 1, "crashed", "line 2: x = 1\nIndentationError: "),
    ],
)
def test_a_program_of_ones_own_runs_under_limits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, code: str, ending: int, verdict: str, shown: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(code)
    seconds = 0.5 if verdict == "timed out" else 300
    found, told, _ = stepwell(capsys, "run", file, "--seconds", seconds)
    assert found == ending
    assert told.splitlines()[-1].startswith(verdict)
    assert shown in told
    document = json.loads(stepwell(capsys, "run", file, "--json", "--seconds", seconds)[1])
    assert document["verdict"] == verdict


def test_a_program_of_ones_own_imports_what_lies_beside_it_under_the_same_limits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside_me.py").write_text("def spoil(path): open(path, 'w')\n")
    (tmp_path / "figures.txt").write_text("42")
    file = tmp_path / "mine.py"
    file.write_text(
        "import beside_me\nfrom pathlib import Path\n"
        "print(__file__, Path(__file__).with_name('figures.txt').read_text())\nbeside_me.spoil('inside')\n"
    )
    monkeypatch.chdir(tmp_path)
    code, told, _ = stepwell(capsys, "run", "mine.py", "--seconds", 300)
    assert code == 0
    assert "".join(told.split()).startswith(f"{file}42")
    file.write_text("import beside_me\nbeside_me.spoil(__file__ + '.new')\n")
    code, told, _ = stepwell(capsys, "run", file, "--seconds", 300)
    assert code == 1
    assert "line 2: beside_me.spoil(__file__ + '.new')\nPermissionError" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside_me.py", "figures.txt", "mine.py"]


@pytest.mark.parametrize("seconds", ["-1", "0", "601", "nan"])
def test_the_seconds_of_a_program_are_refused_in_the_words_of_the_option(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, seconds: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text("print(1)")
    code, told, complaint = stepwell(capsys, "run", file, "--seconds", seconds)
    assert (code, told) == (2, "")
    assert complaint == f"error: --seconds is how long the program may run, from 0.1 to 600; got {seconds}\n"


def test_a_watched_program_is_checked_at_every_save(
    capsys: pytest.CaptureFixture[str],
    me: tuple[object, ...],
    course: Course,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (item,) = (item for item in course.items if item.body.kind == "fix")
    file = tmp_path / "mine.py"
    saves = iter(["1 / 0", None, *["away"] * 9, item.body.solution])  # type: ignore[attr-defined]  # of Fix

    def save(seconds: float) -> None:
        code = next(saves)
        if code == "away":
            file.unlink(missing_ok=True)
        elif code is not None:
            file.write_text(code)

    monkeypatch.setattr("stepwell.cli.learn.watch.time.sleep", save)
    code, told, complaint = stepwell(capsys, "watch", item.id, file, *me)
    assert code == 0
    assert f"Wrote {file}." in told
    assert complaint.endswith("cannot be read (no such file or directory); it is checked as soon as it can be\n")
    assert complaint.count("\n") == 1
    assert f"There already:** {item.body.given}" in told  # type: ignore[attr-defined]  # of Fix
    assert told.index("ZeroDivisionError") < told.index("Right.")
    with Progress.open(tmp_path / "me.sqlite") as opened:
        assert [one.verdict for one in opened.attempts()] == [Verdict.CRASHED, Verdict.RIGHT]
    assert file.read_text() == item.body.solution  # type: ignore[attr-defined]  # what is there is not written over


def test_verify_prints_every_key_and_ends_with_1_where_an_item_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from learn_course import QUICK
    from learn_items import head, write_topic

    sound = write_topic(tmp_path / "sound", head("choice", id='"a"') + QUICK)
    broken = write_topic(
        tmp_path / "broken", head("choice", id='"a"') + QUICK.replace("rates[0] > rates[-1]", "rates[0] > 9")
    )
    code, told, _ = stepwell(capsys, "verify", "--course", sound, "--workers", "1")
    assert code == 0
    assert re.search(r"s  topic/a -> 0\nitems and programs: 1, proofs: 1, refused: 0, ", told)
    code, told, _ = stepwell(capsys, "verify", "topic", "--json", "--course", broken, "--workers", "1")
    finding, totals = map(json.loads, told.splitlines())
    assert code == 1
    assert finding["refused"]
    assert "exactly one option must be true" in finding["words"]
    assert (totals["proofs"], totals["refused"]) == (1, 1)


def test_the_first_screen_leads_to_a_sitting_and_back(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    seen: list[str] = []
    lines = iter(
        [
            "nothing",
            "qui",
            "9",
            "?",
            "p",
            "prac",
            "q",
            "",
            "?",
            "2",
            "chal",
            "q",
            "2",
            "chal",
            "x7",
            "off",
            "1",
            "q",
            "q",
        ]
    )

    def read(prompt: str) -> str:
        seen.append(printed(terminal))
        return next(lines)

    found = on_terminal(read)
    terminal = Terminal(found.console, read, True)
    monkeypatch.setattr(home, "terminal", lambda: terminal)
    path = tmp_path / "me.sqlite"
    home.home(path, folder)
    assert next(lines, None) is None
    first = seen[0].splitlines()
    assert re.fullmatch(r" +topic +min levels +items +right *", first[1])
    assert re.search(r"1 +T +5 +beg\.-adv\. +20 +-", first[2])
    assert "There is no topic 'nothing'; type a number from 1 to 2, or a name." in seen[1]
    assert "There is no mode '9'; type a number from 1 to " in seen[3]
    assert "Type the number of a mode, or its name;" in seen[4]
    assert re.search(r"'p' may be \d predict, \d practice; type a number\.", seen[5])
    assert "Type one of off, x1, x2, x10, got 'x7', or q to go back" in seen[-4]
    assert "Time allowed" not in printed(terminal)
    with Progress.open(path) as opened:
        assert len(opened.attempts()) == 1
    assert max(map(cell_len, printed(terminal).splitlines())) <= 80


def test_a_list_longer_than_the_terminal_stops_where_that_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[str] = []
    prompts: list[str] = []
    lines = iter(["rate", "29", "", "", "", "", "q"])

    def read(prompt: str) -> str:
        prompts.append(prompt)
        seen.append(printed(terminal))
        return next(lines)

    found = on_terminal(read)
    terminal = Terminal(found.console, read, True)
    monkeypatch.setattr(home, "terminal", lambda: terminal)
    home.home(tmp_path / "me.sqlite", None)
    assert len(seen[0].splitlines()) == 22  # the prompt and an empty line are below it
    assert re.findall(r"^ *(\d+) ", seen[0], re.MULTILINE) == [str(number) for number in range(1, 21)]
    assert re.search(r"'rate' may be 1 .*, 2 .* or others; type a number\.", " ".join(seen[1].split()))
    assert prompts[:3] == ["Topic (number or name; Enter for more; q leaves): "] * 2 + [
        "Mode (number or name; Enter to go back): "
    ]
    again = seen[4].rindex("Every answer is run.")
    rest = seen[4][again:].split("levels")[2]
    assert re.findall(r"^ *(\d+) ", rest, re.MULTILINE) == [str(number) for number in range(21, 30)]
    assert prompts[4] == "Topic (number or name; Enter for all; q leaves): "
    assert prompts[5].startswith("Mode")


@pytest.mark.parametrize(
    ("word", "place"),
    [("1", 0), ("3", None), ("0", None), ("cosine", 1), ("step", 0), ("down", 1), ("a", None), ("", None)],
)
def test_what_is_named_is_found_by_number_name_or_title(word: str, place: int | None) -> None:
    found = home.fitting(word, ["steplr", "cosine"], ["A staircase", "Down again"])
    assert (found[0] if len(found) == 1 else None) == place


def test_the_options_of_the_group_reach_its_commands(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    _, told, _ = stepwell(capsys, "--course", folder, "list")
    assert [line.split("\t")[0] for line in told.splitlines()] == ["every", "quick"]


def test_what_the_page_about_the_course_types_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs/learn.md").read_text()
    built_in = read_course()
    for mode in Mode:
        assert f"| `{mode.value}` | " in page
    items = set(
        re.findall(r"(?<![\w/])[a-z-]+/[a-z-]+(?![\w/.])", "\n".join(re.findall(r"^    stepwell .*$", page, re.M)))
    )
    assert items
    assert items <= {item.id for item in built_in.items}
    _, told, _ = stepwell(capsys, "--help")
    for command in set(re.findall(r"^    stepwell learn ([a-z]+)", page, re.MULTILINE)):
        assert re.search(rf"^│ {command} ", told, re.MULTILINE), command
