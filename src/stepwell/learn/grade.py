"""Grades an answer: the truth is run, the key derived from it, and the answer held against the key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from stepwell.errors import ContentError
from stepwell.learn import exercise
from stepwell.learn.instance import Instance
from stepwell.learn.items.body import Keyed, expect
from stepwell.learn.items.card import Card, Rating
from stepwell.learn.items.explain import Explain
from stepwell.learn.items.fix import Fix
from stepwell.learn.items.tune import Tune
from stepwell.learn.job import Runner
from stepwell.learn.prove import Truth, prove
from stepwell.learn.template import render
from stepwell.learn.verdict import Graded, Verdict

LONGEST_PROGRAM = 50_000


def grade(shown: Instance, answer: Any, runner: Runner, truth: Truth | None = None) -> Graded:
    """The verdict on an answer, in the form that `docs/authoring.md` lists for its type.

    Args:
        shown: the item as it was shown.
        answer: plain data.
        runner: runs proofs and programs; not used for proofs where the truth is known already.
        truth: what the proof measured, if it has run.

    Raises:
        AnswerError: the answer is not of the form that the item takes; nothing is recorded for it.
    """
    match shown.item.body:
        case Card():
            return _rate(answer)
        case Explain() as body:
            return _tick(body, answer, shown)
        case Fix() as body:
            if not isinstance(answer, str) or not 0 < len(answer) <= LONGEST_PROGRAM:
                expect("fix", f"a program of at most {LONGEST_PROGRAM} characters", answer)
            graded = exercise.check(body, answer, shown.names, runner)
            return replace(graded, solution=render(body.solution, shown.names, exact=True))
        case Tune() as body:
            graded = exercise.train(body.lab, body.setting(answer), runner)
            return replace(graded, solution=_setting(body))
    return _compare(shown, answer, runner, truth)


def solution(shown: Instance, truth: Truth) -> Any:
    """What is right, in the form in which answers come; None for cards and explanations.

    Raises:
        ContentError: what was measured does not decide.
    """
    match shown.item.body:
        case Card() | Explain():
            return None
        case Fix(solution=code):
            return render(code, shown.names, exact=True)
        case Tune() as body:
            return _setting(body)
    keyed = cast(Keyed, shown.item.body)
    return keyed.solution(keyed.key(truth.names), truth.names, shown.order)


def _compare(shown: Instance, answer: Any, runner: Runner, truth: Truth | None) -> Graded:
    body = cast(Keyed, shown.item.body)
    try:
        truth = prove(shown, runner) if truth is None else truth
        key = body.key(truth.names)
        right = body.solution(key, truth.names, shown.order)
        judged = body.judge(key, answer, truth.names, shown.order)
    except ContentError as error:
        return Graded(Verdict.COULD_NOT_CHECK, words=str(error))
    verdict = Verdict.RIGHT if judged.right else Verdict.WRONG
    return Graded(verdict, judged.score, judged.words, judged.evidence, right, judged.so_far)


def _rate(answer: Any) -> Graded:
    if answer not in [rating.value for rating in Rating]:
        expect("card", "again, hard, good or easy", answer)
    return Graded(Verdict.UNGRADED, evidence={"rating": str(answer)})


def _tick(body: Explain, answer: Any, shown: Instance) -> Graded:
    form = 'a table such as {"text": "...", "ticks": [0, 2]}'
    if not isinstance(answer, dict) or answer.keys() != {"text", "ticks"} or not isinstance(answer["text"], str):
        expect("explain", form, answer)
    ticks = answer["ticks"]
    count = len(body.concepts)
    if not isinstance(ticks, list) or not all(type(one) is int and 0 <= one < count for one in ticks):
        expect("explain", form, answer)
    found = sorted(set(ticks))
    evidence = {"text": answer["text"], "ticks": found, "needed": body.needed, "concepts": count}
    words = f"{len(found)} of {count} concepts by your own count, {body.needed} make a good explanation."
    return Graded(Verdict.UNGRADED, len(found) / count, words, evidence)


def _setting(body: Tune) -> dict[str, Any]:
    found = body.solution
    return {"optimizer": found.optimizer, "lr": found.lr, "schedule": found.schedule}
