"""The course as it ships: every key is derived from what runs with the installed torch."""

from __future__ import annotations

from collections import Counter

import pytest

from stepwell.learn.chart import Chart
from stepwell.learn.course import Topic
from stepwell.learn.items.card import Card
from stepwell.learn.items.explain import Explain
from stepwell.learn.items.fix import Fix
from stepwell.learn.outline import outline
from stepwell.learn.page import Curves
from stepwell.learn.read import read_course
from stepwell.learn.verify import Problem, verify, verify_item, verify_page
from stepwell.learn.worker import Worker

COURSE = read_course()


@pytest.mark.parametrize("topic", [topic.id for topic in COURSE.topics])
def test_the_page_and_every_item_of_a_topic_are_true(topic: str, worker: Worker) -> None:
    """One set of parameters each; `make soak` takes more."""
    found = verify_page(COURSE.topic(topic), worker)
    assert found  # every page has a program
    found += [one for item in COURSE.topic(topic).items for one in verify_item(item, worker, sets=1)]
    assert [str(one) for one in found if isinstance(one, Problem)] == []


@pytest.mark.soak
def test_the_whole_course_is_true_for_many_parameters() -> None:
    assert [str(one) for one in verify(COURSE) if isinstance(one, Problem)] == []


def test_the_outline_agrees_with_the_course() -> None:
    assert [(short.id, short.num_items) for short in outline()] == [(one.id, len(one.items)) for one in COURSE.topics]
    for short, topic in zip(outline(), COURSE.topics, strict=True):
        assert set(short.levels) == {item.level for item in topic.items}


@pytest.mark.parametrize("topic", COURSE.topics, ids=lambda topic: topic.id)
def test_every_page_has_a_picture(topic: Topic) -> None:
    assert any(isinstance(block, Curves | Chart) for block in topic.page)


@pytest.mark.parametrize("topic", [topic.id for topic in COURSE.topics])
def test_a_topic_has_what_learning_it_needs(topic: str) -> None:
    kinds = Counter(type(item.body) for item in COURSE.topic(topic).items)
    assert kinds[Card] >= 1
    assert kinds[Explain] >= 1
    assert COURSE.topic(topic).page


@pytest.mark.parametrize("topic", [topic.id for topic in COURSE.topics])
def test_a_topic_goes_from_easy_to_hard_and_asks_back(topic: str) -> None:
    items = COURSE.topic(topic).items
    assert sum(not isinstance(item.body, Card | Explain) for item in items) >= 4
    assert len({item.level for item in items}) >= 3
    assert sum(item.check is not None for item in items) >= 2


def test_there_is_enough_to_practise_and_letters_cannot_be_memorised() -> None:
    graded = [item for item in COURSE.items if not isinstance(item.body, Card | Explain)]
    assert len(graded) >= 120
    assert sum(item.parameters.count > 1 for item in graded) >= 40
    assert sum(isinstance(item.body, Fix) for item in graded) >= 15
