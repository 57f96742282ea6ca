"""Rules of the house for the course's texts, held over every item and page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from stepwell.learn.chart import Chart
from stepwell.learn.course import Item
from stepwell.learn.grade import solution
from stepwell.learn.instance import Instance, instance
from stepwell.learn.items.card import Card
from stepwell.learn.items.choice import Choice
from stepwell.learn.items.control import Control
from stepwell.learn.items.explain import Explain
from stepwell.learn.items.fix import Fix
from stepwell.learn.items.match import Match
from stepwell.learn.items.multi import Multi
from stepwell.learn.items.order import Order
from stepwell.learn.items.tune import Tune
from stepwell.learn.page import Curves, Prose
from stepwell.learn.prove import prove
from stepwell.learn.read import read_course
from stepwell.learn.texts import back, front, needs_truth, texts
from stepwell.learn.worker import Worker

COURSE = read_course()
ITEMS = tuple(COURSE.items)
TOPICS = [topic.id for topic in COURSE.topics]
SEEDS = 30

# A number 1 and a word in the plural: `the first 1 updates`. A verb that ends in s is none.
ONE_OF_MANY = re.compile(r"(?<![\w.,:/*^=+-])(?<![-+*/=] )1 (?!is|was|has|as|this|minus|plus|times|does)([a-z]+s)\b")
VERBS = frozenset({"changes", "gives", "grows", "makes", "sets", "sits", "starts"})
# Texts begin with a capital, code, a number or a place; `torch` is a name.
BEGINNING = re.compile(r"\"?[A-Z`0-9{(+-]|torch\b|log \d")


def instances(item: Item) -> Iterator[Instance]:
    """Its different appearances under the first seeds."""
    seen = set()
    for seed in range(SEEDS):
        shown = instance(item, seed)
        if (drawn := tuple(sorted(shown.values.items()))) not in seen:
            seen.add(drawn)
            yield shown


def flat(told: Any) -> Iterator[str]:
    match told:
        case str():
            yield told
        case dict():
            for part in told.values():
                yield from flat(part)
        case list():
            for part in told:
                yield from flat(part)


def plurals(text: str) -> list[str]:
    return [found[0] for found in ONE_OF_MANY.finditer(text) if found[1] not in VERBS]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("over the first 1 updates", 1), ("After 1 calls", 1), ("1 stairs are complete", 1), ("epochs 1 to 3", 0),
        ("a factor of 1 changes nothing", 0), ("0.1 updates", 0), ("it is 2 - 1 steps", 0), ("21 updates", 0),
        ("gives 1 times 2", 0), ("1 update", 0),
    ],
)  # fmt: skip
def test_the_rule_about_numbers_finds_what_it_should(text: str, count: int) -> None:
    assert len(plurals(text)) == count


@pytest.mark.parametrize("topic", TOPICS)
def test_no_number_1_stands_before_a_plural(topic: str) -> None:
    for item in COURSE.topic(topic).items:
        for shown in instances(item):
            told = [*shown.hints, *([] if needs_truth(shown) else flat(front(shown)))]
            assert [found for text in told for found in plurals(text)] == [], item.id


@pytest.mark.soak
@pytest.mark.parametrize("topic", TOPICS)
def test_no_number_1_stands_before_a_plural_after_the_answer(topic: str, worker: Worker) -> None:
    for item in COURSE.topic(topic).items:
        for shown in instances(item):
            told = texts(shown, prove(shown, worker))
            assert [found for text in told for found in plurals(text)] == [], shown.values


def shown_parts(item: Item) -> Iterator[str]:
    """What is listed for the learner, and every sentence that is told."""
    match item.body:
        case Choice(options=options) | Multi(options=options) | Control(choice=Choice(options=options)):
            for option in options:
                yield from (option.text, option.why)
            if isinstance(item.body, Control):
                yield from item.body.explanations
        case Order(pieces=pieces):
            yield from (piece.text for piece in pieces)
        case Match(pairs=pairs):
            yield from (pair.label for pair in pairs)
        case Explain(concepts=concepts, answer=answer):
            yield from (*(concept.text for concept in concepts), answer)
        case Card(answer=answer) | Fix(given=answer):
            yield answer
    if item.check is not None:
        yield from (item.check.question, item.check.answer)
    yield from (item.question, item.explanation, *item.hints, *item.steps, *item.mistakes)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_percent_sign_stands_at_its_number(topic: str) -> None:
    pages = [block.markdown for block in COURSE.topic(topic).page if isinstance(block, Prose)]
    told = [text for item in COURSE.topic(topic).items for text in shown_parts(item)]
    prose = [re.sub(r"`[^`]*`", "", text) for text in (*pages, *told)]
    assert [text for text in prose if re.search(r"(\d|\}\}) %", text)] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_every_option_has_a_reason(topic: str) -> None:
    for item in COURSE.topic(topic).items:
        match item.body:
            case Choice(options=options) | Multi(options=options) | Control(choice=Choice(options=options)):
                assert [option.text for option in options if not option.why] == [], item.id


# Reasons against an option, of items in which another set of parameters makes it the right one.
AGAINST = [
    ("call-order/rates-of-either-order", r"comes one epoch early|before any call of it"),
    ("call-order/a-scheduler-of-the-old-optimizer", r"does not follow"),
    ("multisteplr/resumed-by-last-epoch", r"Not here"),
    ("param-groups/a-group-that-comes-late", r"multiplies what it finds|Exception here: none"),
    ("param-groups/who-gets-the-new-rate", r"The code writes into"),
    ("resuming/a-new-figure-in-the-script", r"is overwritten"),
    ("resuming/the-best-state-so-far", r"would have to hold|of its own here"),
]


@pytest.mark.parametrize(("name", "against"), AGAINST)
def test_the_reason_of_the_right_option_does_not_speak_against_it(name: str, against: str, worker: Worker) -> None:
    (item,) = (item for item in ITEMS if item.id == name)
    keys = set()
    for shown in instances(item):
        truth = prove(shown, worker)
        told, right = back(shown, truth), solution(shown, truth)
        keys.add(shown.order[right])
        assert not re.search(against, told["why"][right]), shown.values
    assert len(keys) > 1


@pytest.mark.parametrize("topic", TOPICS)
def test_texts_begin_with_a_capital_and_lines_of_a_chart_with_a_small_letter(topic: str) -> None:
    for item in COURSE.topic(topic).items:
        assert [text for text in shown_parts(item) if text and not BEGINNING.match(text)] == [], item.id
        assert [one.label for one in (*item.show, *item.reveal) if one.label[0].isupper()] == [], item.id


@pytest.mark.parametrize("topic", COURSE.topics, ids=lambda topic: topic.id)
def test_headings_of_a_page_are_in_sentence_case_and_none_is_only_bold(topic: Any) -> None:
    for block in topic.page:
        match block:
            case Prose(markdown=markdown):
                prose = re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL)
                assert re.findall(r"^\*\*[^*]+\*\*$", prose, re.MULTILINE) == []
                for level, heading in re.findall(r"^(#+) (.*)$", prose, re.MULTILINE):
                    assert level == "##"
                    assert heading[0].isupper()
                    assert [word for word in heading.split()[1:] if word.istitle() and word != "Adam"] == []
            case Curves(texts=lines) | Chart(lines=lines):
                for label in lines:  # names of classes stay as they are
                    assert label[0].islower() or label[0].isdigit() or re.match(r"[A-Z]\w*[A-Z]|T_|Adam$", label), label


@pytest.mark.parametrize("item", [item for item in ITEMS if isinstance(item.body, Tune)], ids=lambda item: item.id)
def test_a_lab_asks_for_the_target_as_it_is_judged(item: Item) -> None:
    assert isinstance(item.body, Tune)
    asked = " ".join(item.question.split())
    target = re.escape(f"{item.body.lab.target:g}")
    assert not re.search(r"\b(below|under|less than) \d", asked)
    for number in re.finditer(rf"(?<![\d.]){target}(?![\d.]*\d)", asked):
        assert asked[number.end() :].startswith(" or lower") or asked[: number.start()].endswith("within ")
    assert f"n {item.body.lab.steps} updates" in asked


@pytest.mark.parametrize("item", [item for item in ITEMS if isinstance(item.body, Fix)], ids=lambda item: item.id)
def test_a_program_to_mend_says_what_its_numbers_mean(item: Item) -> None:
    """A loss in a message needs one to compare with; `below` in it is `<` in its claim."""
    assert isinstance(item.body, Fix)
    for demand in item.body.check.demands:
        if re.search(r"\b(loss|error) is \{\{", demand.message):
            assert re.search(r"untrained|guessing|always says 0", f"{item.question} {item.body.given}", re.IGNORECASE)
        for bound in re.findall(r"has to come below (\d[\d.]*\d|\d)", demand.message):
            assert re.search(rf"< {re.escape(bound)}(?!\d)", demand.claim.text)


def test_a_quick_check_asks_and_is_answered() -> None:
    checks = [item.check for item in ITEMS if item.check is not None]
    assert checks
    assert [one for one in checks if not (one.question.endswith("?") and one.answer.endswith("."))] == []
