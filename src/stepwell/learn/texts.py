"""The texts of an item filled in: what is shown with the question, and what only after the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepwell.errors import ContentError
from stepwell.learn.course import QuickCheck, Series
from stepwell.learn.instance import Instance
from stepwell.learn.items.card import Card
from stepwell.learn.items.choice import Choice, Option
from stepwell.learn.items.control import Control
from stepwell.learn.items.curves import line
from stepwell.learn.items.explain import Explain
from stepwell.learn.items.match import Match
from stepwell.learn.items.multi import Multi
from stepwell.learn.prove import Truth
from stepwell.learn.template import render


def needs_truth(shown: Instance) -> bool:
    """Whether the question itself shows something measured, so that the proof has to run first."""
    return bool(shown.item.show) or isinstance(shown.item.body, Match)


def front(shown: Instance, truth: Truth | None = None) -> dict[str, Any]:
    """What the learner sees before answering, as plain data; nothing in it tells the key.

    Raises:
        ContentError: the question shows something measured, and nothing is.
    """
    item = shown.item
    names = shown.names if truth is None else truth.names
    if truth is None and needs_truth(shown):
        raise ContentError(f"the question of {item.id!r} shows what its proof measures; run the proof first")
    return {
        "item": item.id,
        "seed": shown.seed,
        "type": item.body.kind,
        "topic": item.topic,
        "level": item.level.value,
        "difficulty": item.difficulty.value,
        "seconds": item.seconds,
        "question": shown.question,
        "num_hints": len(item.hints),
        "series": _series(item.show, names),
        **item.body.face(names, shown.order),
    }


def back(shown: Instance, truth: Truth) -> dict[str, Any]:
    """What the learner sees after answering, as plain data."""
    item, names = shown.item, truth.names
    told: dict[str, Any] = {
        "explanation": render(item.explanation, names),
        "steps": [render(step, names) for step in item.steps],
        "check": None if item.check is None else _asked(item.check, names),
        "mistakes": [render(mistake, names) for mistake in item.mistakes],
        "series": _series(item.reveal, names),
    }
    match item.body:
        case Card(answer=answer) | Explain(answer=answer):
            told["answer"] = render(answer, names)
        case Choice(options=options) | Multi(options=options) | Control(choice=Choice(options=options)):
            told["why"] = [_why(options[number], truth) for number in shown.order]
    return told


def _why(option: Option, truth: Truth) -> str:
    """The author's reason, or what the option claims beside what was measured."""
    if option.why:
        return render(option.why, truth.names)
    measured = {name: truth.measured[name] for name in sorted(option.claim.names) if name in truth.measured}
    shown = [
        f"`{name}` is {value:.4g}" if isinstance(value, float) else f"`{name}` is {value!r}"
        for name, value in measured.items()
        if isinstance(value, bool | int | float | str)
    ]
    return f"It claims `{option.claim.text}`" + (f"; measured: {', '.join(shown)}." if shown else ".")


def _asked(check: QuickCheck, names: Mapping[str, Any]) -> dict[str, str]:
    return {"question": render(check.question, names), "answer": render(check.answer, names)}


def texts(shown: Instance, truth: Truth) -> Iterator[str]:
    """Every text of the item, filled in.

    Raises:
        ContentError: one cannot be.
    """
    yield from _flat(front(shown, truth))
    yield from shown.hints
    yield from _flat(back(shown, truth))
    if isinstance(shown.item.body, Explain):
        yield from (concept["text"] for concept in shown.item.body.suggestions("", truth.names))


def _series(series: tuple[Series, ...], names: Any) -> list[dict[str, Any]]:
    return [{"label": render(one.label, names), "values": line(one.values, names)} for one in series]


def _flat(told: Any) -> Iterator[str]:
    match told:
        case str():
            yield told
        case dict():
            for part in told.values():
                yield from _flat(part)
        case list():
            for part in told:
                yield from _flat(part)
