"""Answers of each type: right, wrong, and of the wrong form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from learn_items import PROGRAM, choice
from stepwell.errors import AnswerError
from stepwell.learn.course import Item
from stepwell.learn.grade import grade, solution
from stepwell.learn.instance import instance
from stepwell.learn.items.explain import Explain
from stepwell.learn.job import Ending, Job, Ran
from stepwell.learn.prove import prove
from stepwell.learn.read import read_items
from stepwell.learn.texts import back, front
from stepwell.learn.verdict import Verdict
from stepwell.learn.worker import Worker

PAGE = (Path(__file__).parents[2] / "docs/authoring.md").read_text()
ITEMS: dict[str, Item] = {
    item.body.kind: item
    for block in re.findall(r"```toml\n(\[\[item\]\].*?)```", PAGE, re.DOTALL)
    for item in read_items(block, "page", "topic")
}
KINDS = ["choice", "multi", "numeric", "order", "match", "control", "draw", "write"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_solution_is_right_however_the_parts_are_shuffled(kind: str, seed: int, worker: Worker) -> None:
    shown = instance(ITEMS[kind], seed)
    truth = prove(shown, worker)
    graded = grade(shown, solution(shown, truth), worker)
    assert graded.verdict is Verdict.RIGHT
    assert graded.score == pytest.approx(1.0)
    assert graded.solution == solution(shown, truth)
    assert back(shown, truth)["explanation"]
    assert "claim" not in repr(front(shown, truth))


WRONG: dict[str, tuple[Any, Any]] = {  # a wrong answer, and what is left of the score
    "numeric": (10, 0.0),
    "draw": ([[0, 0.0], [99, 0.1]], None),
    "write": ("decay x0.5 per 3", None),
}


@pytest.mark.parametrize("kind", sorted(WRONG))
def test_a_wrong_answer_is_wrong(kind: str, worker: Worker) -> None:
    answer, score = WRONG[kind]
    graded = grade(instance(ITEMS[kind], 0), answer, worker)
    assert graded.verdict is Verdict.WRONG
    assert 0 <= graded.score < 1
    assert score is None or graded.score == score


@pytest.mark.parametrize("seed", range(6))
def test_every_other_option_is_wrong(seed: int, worker: Worker) -> None:
    shown = instance(ITEMS["choice"], seed)
    truth = prove(shown, worker)
    verdicts = [grade(shown, number, worker, truth).verdict for number in range(3)]
    assert verdicts.count(Verdict.RIGHT) == 1
    assert verdicts[solution(shown, truth)] is Verdict.RIGHT


def test_seeds_change_the_place_of_the_right_option_and_the_parameters(worker: Worker) -> None:
    shown = [instance(ITEMS["choice"], seed) for seed in range(30)]
    assert len({one.order for one in shown}) == 6
    assert {one.values["rate"] for one in shown} == {0.1, 0.2, 0.4}
    assert instance(ITEMS["choice"], 5) == instance(ITEMS["choice"], 5)


@pytest.mark.parametrize(
    ("kind", "answer", "score"),
    [("multi", 0, 2 / 3), ("order", 1, 2 / 3), ("match", 2, 1 / 3)],
)
def test_what_is_nearly_right_keeps_a_part_of_the_score(kind: str, answer: int, score: float, worker: Worker) -> None:
    shown = instance(ITEMS[kind], 4)
    right = solution(shown, prove(shown, worker))
    changed = right[:-1] if kind == "multi" else [right[1], right[0], *right[2:]]
    graded = grade(shown, changed, worker)
    assert graded.verdict is Verdict.WRONG
    assert graded.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("50", Verdict.RIGHT),
        (" 5e1 ", Verdict.RIGHT),
        ("5000%", Verdict.RIGHT),
        (50.0, Verdict.RIGHT),
        ("51", Verdict.WRONG),
    ],
)
def test_a_number_can_be_written_in_many_ways(text: Any, verdict: Verdict, worker: Worker) -> None:
    assert grade(instance(ITEMS["numeric"], 0), text, worker).verdict is verdict


MISFITS: list[tuple[str, Any]] = [
    ("choice", 3), ("choice", -1), ("choice", "a"), ("choice", True), ("choice", None),
    ("multi", 0), ("multi", [0, 0]), ("multi", [9]),
    ("numeric", "much"), ("numeric", None), ("numeric", True), ("numeric", "nan"), ("numeric", float("inf")),
    ("order", [0, 1]), ("order", [0, 1, 1]), ("match", [0, 1]), ("match", "abc"),
    ("draw", []), ("draw", [[0, 1]]), ("draw", [[0, 1], [0, 2]]), ("draw", [[0, float("nan")], [1, 2]]),
    ("draw", [[0], [1]]),
    ("write", ""), ("write", 3), ("write", "x" * 3000),
    ("fix", ""), ("fix", 3), ("card", "fine"), ("card", 1),
    ("explain", "text"), ("explain", {"text": "a"}), ("explain", {"text": "a", "ticks": [7]}),
    ("tune", {}), ("tune", {"optimizer": "Lion", "lr": 0.1, "schedule": "hold"}),
    ("tune", {"optimizer": "SGD", "lr": 0, "schedule": "hold"}),
    ("tune", {"optimizer": "SGD", "lr": 1, "schedule": "held"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "answer"), MISFITS)
def test_an_answer_of_the_wrong_form_is_not_graded(kind: str, answer: Any, worker: Worker) -> None:
    with pytest.raises(AnswerError):
        grade(instance(ITEMS[kind], 0), answer, worker)


@pytest.mark.parametrize(("text", "words"), [("stairs x0.5", "unknown shape 'stairs'"), ("hold for 9999", "9999")])
def test_a_text_without_a_curve_is_refused_in_the_words_of_the_language(text: str, words: str, worker: Worker) -> None:
    with pytest.raises(AnswerError, match=words):  # it costs no attempt
        grade(instance(ITEMS["write"], 0), text, worker)


@pytest.mark.parametrize(
    ("text", "counted"), [("hold for 20ep | linear to 0", "epochs"), ("cosine 1..0 over 5e6tok", "tokens")]
)
@pytest.mark.parametrize(("kind", "updates"), [("write", 12), ("tune", 40)])
def test_a_length_that_the_run_does_not_know_is_told_what_can_be_typed(
    kind: str, updates: int, text: str, counted: str, worker: Worker
) -> None:
    answer = text if kind == "write" else {"optimizer": "SGD", "lr": 0.1, "schedule": text}
    with pytest.raises(AnswerError) as caught:
        grade(instance(ITEMS[kind], 0), answer, worker)
    words = f"is in {counted}, which this run of {updates} updates does not have; type updates, such as 5, or a share"
    assert words in str(caught.value)
    assert not re.search(r"pass|\w_\w", str(caught.value))


START = "import torch\nmodel = torch.nn.Linear(1, 1)\n"
LOOP = """
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for step in range(200):
    optimizer.zero_grad()
    ((model(x) - y) ** 2).mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        (START + LOOP, Verdict.RIGHT, "It passes under 3 seeds."),
        (START, Verdict.WRONG, "On new points the loss is"),
        (START + "1 / 0", Verdict.CRASHED, "line 3: 1 / 0\nZeroDivisionError: division by zero"),
        ("model = ", Verdict.CRASHED, "SyntaxError"),
        ("x = 1", Verdict.WRONG, "The program has to leave these names behind: model."),
        ("import os\nos._exit(0)", Verdict.CRASHED, "ended without a result"),
        (START + LOOP + "model = lambda points: None", Verdict.COULD_NOT_CHECK, "the check stopped"),
        (START + LOOP + "raise SystemExit(0)", Verdict.CRASHED, "SystemExit"),
        ("print('reached = 0.0')\nreached = 0.0\nmodel = 1", Verdict.COULD_NOT_CHECK, "'int' object is not callable"),
    ],
)
def test_programs_are_judged_by_what_they_do(code: str, verdict: Verdict, words: str, worker: Worker) -> None:
    graded = grade(instance(ITEMS["fix"], 0), code, worker)
    assert graded.verdict is verdict, graded
    assert words in graded.words


def test_a_setting_is_trained_under_every_seed(worker: Worker) -> None:
    shown = instance(ITEMS["tune"], 0)
    graded = grade(shown, {"optimizer": "SGD", "lr": 0.4, "schedule": "linear 1..0.5"}, worker)
    assert graded.verdict is Verdict.RIGHT, graded.words
    assert [run["seed"] for run in graded.evidence["runs"]] == [1, 2, 3]
    assert graded.evidence["runs"][0]["rates"][-1] == pytest.approx(0.4 * (1 - 0.5 * 39 / 40))
    wild = grade(shown, {"optimizer": "SGD", "lr": 1e6, "schedule": "hold"}, worker)
    assert wild.verdict is Verdict.WRONG
    assert "0 of 3 seeds" in wild.words


def test_cards_and_explanations_are_never_graded(worker: Worker) -> None:
    assert grade(instance(ITEMS["card"], 0), "good", worker).verdict is Verdict.UNGRADED
    graded = grade(instance(ITEMS["explain"], 0), {"text": "fast", "ticks": [0, 1, 2]}, worker)
    assert (graded.verdict, graded.score) == (Verdict.UNGRADED, 1.0)
    body = ITEMS["explain"].body
    assert isinstance(body, Explain)
    suggested = [one["suggested"] for one in body.suggestions("Large steps are FAST,\nand they  get out early.", {})]
    assert suggested == [True, True, False]


class Refusing:
    """A runner whose machinery always fails in the same way."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending

    def run(self, job: Job) -> Ran:
        return Ran(self.ending, words="no room")


@pytest.mark.parametrize("ending", [Ending.BROKEN, Ending.TIMED_OUT, Ending.CRASHED])
def test_nothing_is_right_where_the_proof_cannot_be_run(ending: Ending) -> None:
    graded = grade(instance(choice(), 0), 0, Refusing(ending))
    assert graded.verdict is Verdict.COULD_NOT_CHECK
    assert not graded.verdict.counts
    assert "no room" in graded.words


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (Ending.BROKEN, Verdict.COULD_NOT_CHECK),
        (Ending.TIMED_OUT, Verdict.TIMED_OUT),
        (Ending.CRASHED, Verdict.CRASHED),
    ],
)
def test_how_a_program_ended_is_told_apart(ending: Ending, verdict: Verdict) -> None:
    assert grade(instance(ITEMS["fix"], 0), "model = 1", Refusing(ending)).verdict is verdict
    setting = {"optimizer": "SGD", "lr": 0.1, "schedule": "hold"}
    assert grade(instance(ITEMS["tune"], 0), setting, Refusing(ending)).verdict is verdict


def test_a_proof_that_breaks_on_this_machine_is_not_held_against_the_learner(worker: Worker) -> None:
    item = choice(proof=PROGRAM.replace('"x = 3"', '"x = 3 / 0"'))
    assert grade(instance(item, 0), 0, worker).verdict is Verdict.COULD_NOT_CHECK


def test_an_option_without_a_reason_is_held_against_what_was_measured(worker: Worker) -> None:
    shown = instance(choice(), 0)
    told = back(shown, prove(shown, worker))["why"]
    assert [told[shown.order.index(number)] for number in range(3)] == [
        "It is.",
        "It is 3.",
        "It claims `x > 4`; measured: `x` is 3.",
    ]
