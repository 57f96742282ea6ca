"""What is to be seen of a sitting: a `Step` of plain data, the same for a terminal, a page and a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stepwell.errors import ContentError
from stepwell.learn.attempt import strict
from stepwell.learn.chart import Chart
from stepwell.learn.grade import solution
from stepwell.learn.instance import Instance
from stepwell.learn.items.card import Card, Rating
from stepwell.learn.items.explain import Explain
from stepwell.learn.items.fix import Fix
from stepwell.learn.items.tune import Tune
from stepwell.learn.mastery import CHALLENGE, Mastery
from stepwell.learn.modes import Mode
from stepwell.learn.page import Block, Curves, Program, Prose
from stepwell.learn.prove import Truth
from stepwell.learn.session.state import Given, Phase, State
from stepwell.learn.texts import back, front, needs_truth
from stepwell.learn.verdict import Graded, Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One screen.

    Args:
        kind: `page`, `question`, `back` (of a card), `concepts` (to tick), `verdict` or `done`.
        mode: of the sitting.
        number: of the item, from 1; 0 before and after them.
        of: how many items there are.
        data: what the kind needs; `docs/authoring.md` and `front`, `back` say what is in it.
        accepts: what can be done here: the `do` of events.
    """

    kind: str
    mode: Mode
    number: int
    of: int
    data: Mapping[str, Any]
    accepts: tuple[str, ...]

    def to_json(self) -> str:
        """The step as one line of strict JSON."""
        fields = {"kind": self.kind, "mode": self.mode.value, "number": self.number, "of": self.of}
        return json.dumps(
            {**fields, "data": strict(dict(self.data)), "accepts": list(self.accepts)}, ensure_ascii=False
        )


def screen(state: State, at: float) -> Step:
    """The step that a sitting is at. While it waits for a proof or a verdict, the step is still the question's.

    Args:
        state: the sitting.
        at: the time on the clock of its events, for what is left of a limit.
    """
    of = len(state.plan.items)
    match state.phase:
        case Phase.PAGE:
            blocks = [block_data(block) for block in state.plan.page]
            return Step("page", state.plan.mode, 0, of, {"title": state.plan.title, "blocks": blocks}, ("next", "quit"))
        case Phase.DONE:
            return Step("done", state.plan.mode, 0, of, _done(state), ())
        case Phase.TOLD:
            return Step("verdict", state.plan.mode, state.number + 1, of, _told(state), ("next", "quit"))
        case Phase.BACK:
            return _back(state, of)
    return _question(state, of, at)


def _question(state: State, of: int, at: float) -> Step:
    accepts = ["reveal" if isinstance(state.item.item.body, Card | Explain) else "answer"]
    if state.trouble:
        accepts = []
    elif state.hints_left > 0:
        accepts.append("hint")
    data = {
        **_asked(state),
        "hints": state.item.hints[: state.hints],
        "hints_left": state.hints_left,
        "attempts_left": state.attempts_left,
        "limit": state.plan.limit,
        "left": None if state.plan.limit is None else state.plan.limit - (at - state.shown),
        "sure": state.plan.rules.sure,
        "last": _last(state),
        "trouble": state.trouble,
    }
    return Step("question", state.plan.mode, state.number + 1, of, data, (*accepts, "skip", "quit"))


def _last(state: State) -> dict[str, Any] | None:
    """The verdict on the answer before, while there are attempts left.

    Reasons, measured values and distances (`score` is one) would give the key away. What was measured of the learner's
    own program or setting does not.
    """
    if not state.tries:
        return None
    graded = state.tries[-1].graded
    if isinstance(state.item.item.body, Fix | Tune):
        return {**_verdict(graded), "evidence": graded.evidence}
    unchecked = graded.verdict is Verdict.COULD_NOT_CHECK
    return {"verdict": graded.verdict.value, "words": graded.words if unchecked else graded.so_far}


def _asked(state: State) -> dict[str, Any]:
    """What is seen before the item is over: the same before and after a first answer, which has run the proof."""
    return _front(state if needs_truth(state.item) else replace(state, truth=None))


def _front(state: State) -> dict[str, Any]:
    if needs_truth(state.item) and state.truth is None:
        return {"item": state.item.item.id, "type": state.item.item.body.kind, "question": state.item.question}
    return front(state.item, state.truth)


def _back(state: State, of: int) -> Step:
    data: dict[str, Any] = {**_front(state), "text": state.text}
    known = state.truth or Truth(state.item.names, {})
    kind = "back"
    if isinstance(state.item.item.body, Explain):
        kind = "concepts"
        data["concepts"] = state.item.item.body.suggestions(state.text, known.names)
    else:
        data.update(_told_texts(state.item, state.truth))
    return Step(kind, state.plan.mode, state.number + 1, of, data, ("answer", "skip", "quit"))


def _told(state: State) -> dict[str, Any]:
    last = state.tries[-1] if state.tries else None
    truth = state.truth or (last.truth if last else None)
    return {
        **_front(state),
        "skipped": state.skipped,
        "verdict": _verdict(last.graded) if last else None,
        "answer": last.answer.answer if last else None,
        "confidence": last.answer.confidence if last else None,
        "solution": _solution(state, truth),
        "evidence": last.graded.evidence if last else {},
        "seconds": last.seconds if last else None,
        "overtime": last.overtime if last else None,
        **_told_texts(state.item, truth),
    }


def _solution(state: State, truth: Truth | None) -> Any:
    if state.tries and state.tries[-1].graded.solution is not None:
        return state.tries[-1].graded.solution
    return _derived(state.item, truth)


def _derived(shown: Instance, truth: Truth | None) -> Any:
    try:
        return solution(shown, truth or Truth(shown.names, {}))
    except ContentError:  # without a proof that ran there is none to show, and `untold` says why
        return None


def _told_texts(shown: Instance, truth: Truth | None) -> dict[str, Any]:
    """What comes after the answer; only that it cannot be said where nothing was measured."""
    try:
        return back(shown, truth or Truth(shown.names, {}))
    except ContentError as error:
        return {"explanation": "", "untold": str(error)}


def _verdict(graded: Graded) -> dict[str, Any]:
    return {"verdict": graded.verdict.value, "words": graded.words, "score": graded.score}


def _done(state: State) -> dict[str, Any]:
    last = {given.number: given for given in state.given}
    topics: dict[str, Mastery] = {}
    for number, given in last.items():
        if given.graded.verdict.counts:
            topic = state.plan.items[number].item.topic
            before = topics.get(topic, Mastery(0, 0))
            topics[topic] = Mastery(before.right + (given.graded.verdict is Verdict.RIGHT), before.of + 1)
    return {
        "results": [_result(state, number, last.get(number)) for number in range(len(state.plan.items))],
        "right": sum(found.right for found in topics.values()),
        "answered": sum(found.of for found in topics.values()),
        "topics": {
            topic: {"right": found.right, "of": found.of, "words": str(found), "strong": found.strong}
            for topic, found in topics.items()
        },
        "cards": _remembered(state, last),
        "badge": wins(state),
        "overtime": sum(given.overtime for given in last.values()),  # a second answer's time includes the first's
    }


def wins(state: State) -> bool:
    """Whether the sitting is a challenge all of whose problems are right."""
    if state.plan.mode is not Mode.CHALLENGE or len(state.plan.items) != CHALLENGE:
        return False
    last = {given.number: given.graded.verdict for given in state.given}
    return [last.get(number) for number in range(CHALLENGE)] == [Verdict.RIGHT] * CHALLENGE


def _remembered(state: State, last: Mapping[int, Given]) -> dict[str, int]:
    """How many of the cards that were rated were remembered, which is every rating but `again`."""
    bodies = ((state.plan.items[number].item.body, given.answer.answer) for number, given in last.items())
    ratings = [rating for body, rating in bodies if isinstance(body, Card)]
    return {"remembered": sum(rating != Rating.AGAIN.value for rating in ratings), "of": len(ratings)}


def _result(state: State, number: int, given: Given | None) -> dict[str, Any]:
    shown = state.plan.items[number]
    known = {"item": shown.item.id, "type": shown.item.body.kind, "seed": shown.seed, "topic": shown.item.topic}
    skipped = number in state.skips
    result: dict[str, Any] = {**known, "skipped": skipped, "verdict": None}
    if given is not None:
        result |= {**_verdict(given.graded), "answer": given.answer.answer, "seconds": given.seconds}
    if state.plan.rules.told or result["verdict"] == Verdict.RIGHT or not (given or skipped):
        return result
    truth = given.truth if given else state.skips[number]
    right = given.graded.solution if given else _derived(shown, truth)
    result |= {"question": shown.question, "solution": right, **_told_texts(shown, truth)}  # kept back until now
    result["face"] = front(shown, truth) if truth else {}
    return result


def block_data(block: Block) -> dict[str, Any]:
    """A block of a page as plain data."""
    match block:
        case Prose(markdown=markdown):
            return {"kind": "prose", "markdown": markdown}
        case Program(code=code, output=output):
            return {"kind": "program", "code": code, "output": output}
        case Curves(texts=texts, horizon=horizon, base_lr=base_lr):
            figures = {
                "total_steps": horizon.total_steps,
                "steps_per_epoch": horizon.steps_per_epoch,
                "tokens_per_step": horizon.tokens_per_step,
                "base_lr": base_lr,
            }
            return {"kind": "curves", "schedules": dict(texts), **figures}
        case Chart(y=y, x=x, places=places, lines=lines):
            drawn = {label: list(values) for label, values in lines.items()}
            return {"kind": "chart", "y": y, "x": x, "places": list(places), "lines": drawn}
