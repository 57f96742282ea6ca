"""Runs every proof of a course and derives every key; what does not hold is a problem that names its item."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from stepwell.errors import ContentError, OptionError
from stepwell.learn import chart, exercise, page, programs
from stepwell.learn.chart import Chart
from stepwell.learn.claims import Claim
from stepwell.learn.course import Course, Item, Topic
from stepwell.learn.dependence import idle
from stepwell.learn.half_done import half_done
from stepwell.learn.instance import Instance, instance
from stepwell.learn.items.body import Keyed
from stepwell.learn.items.choice import Choice
from stepwell.learn.items.control import Control
from stepwell.learn.items.fix import Fix
from stepwell.learn.items.multi import Multi
from stepwell.learn.items.tune import Tune
from stepwell.learn.items.types import KEYED
from stepwell.learn.job import Ending, Job, Part, Runner
from stepwell.learn.proof import TrainingProof
from stepwell.learn.prove import Truth, claims, prove
from stepwell.learn.texts import texts
from stepwell.learn.verdict import Verdict
from stepwell.learn.worker import Worker

SETS = 6
"""Sets of parameters that are verified of an item, unless it has fewer."""
PAGE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Verified:
    """An item, or a program of a page, that is true as it stands.

    Args:
        item: its id, or the page's and the number of the program: `too-high/page#1`.
        values: the parameters.
        key: what was derived, in the form of an answer with nothing shuffled.
        measured: what the proof measured.
        seconds: how long that took.
    """

    item: str
    values: Mapping[str, Any]
    key: Any
    measured: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Problem:
    """An item that must not be shown as it stands.

    Args:
        place: the file.
        words: what is wrong, and what to do.
    """

    item: str
    values: Mapping[str, Any]
    place: str
    words: str
    seconds: float

    def __str__(self) -> str:
        drawn = ", ".join(f"{name} = {value!r}" for name, value in self.values.items())
        return f"{self.place}, item {self.item!r}{f' with {drawn}' if drawn else ''}: {self.words}"


Finding: TypeAlias = Verified | Problem
_Check: TypeAlias = Callable[[Runner], Finding]


def verify(
    course: Course, topics: Iterable[str] | None = None, *, workers: int = 2, sets: int | None = SETS
) -> Iterator[Finding]:
    """What comes of every item, as soon as it is known; nothing is cached.

    Args:
        course: the course.
        topics: their ids; all by default.
        workers: how many processes run proofs side by side.
        sets: sets of parameters that are verified of each item, spread evenly; None for every one.

    Raises:
        OptionError: an unknown topic, no workers or no sets.
    """
    if workers < 1 or (sets is not None and sets < 1):
        raise OptionError(f"workers and sets must be 1 or more, got {workers} and {sets}")
    chosen = course.topics if topics is None else tuple(course.topic(name) for name in topics)
    checks = [check for topic in chosen for check in _checks(topic, sets)]
    return _run(checks, min(workers, max(1, len(checks))))


def verify_item(item: Item, runner: Runner, *, sets: int | None = SETS) -> list[Finding]:
    """What comes of one item, for each set of parameters."""
    return [check(runner) for check in _item_checks(item, sets)]


def verify_page(topic: Topic, runner: Runner) -> list[Finding]:
    """What comes of each program of a topic's page."""
    return [check(runner) for check in _page_checks(topic)]


def _checks(topic: Topic, sets: int | None) -> Iterator[_Check]:
    yield from _page_checks(topic)
    for item in topic.items:
        yield from _item_checks(item, sets)


def _page_checks(topic: Topic) -> Iterator[_Check]:
    for number, (program, charts) in enumerate(page.programs_of(topic.page), 1):
        yield partial(_page, topic, program, charts, number)


def _item_checks(item: Item, sets: int | None) -> Iterator[_Check]:
    count = item.parameters.count
    numbers = range(count) if sets is None or count <= sets else [place * count // sets for place in range(sets)]
    for number in numbers:
        yield partial(_item, item, number)


def _run(checks: Sequence[_Check], workers: int) -> Iterator[Finding]:
    waiting: queue.SimpleQueue[_Check] = queue.SimpleQueue()
    for check in checks:
        waiting.put(check)
    found: queue.SimpleQueue[Finding | BaseException] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        with Worker() as worker:
            while not stop.is_set():
                try:
                    found.put(waiting.get_nowait()(worker))
                except queue.Empty:
                    return
                except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
                    found.put(error)
                    return

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        for _ in checks:
            finding = found.get()
            if isinstance(finding, BaseException):
                raise finding
            yield finding
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _item(item: Item, number: int, runner: Runner) -> Finding:
    shown = replace(instance(item, 0, number), order=tuple(range(item.body.parts)))
    begun = time.monotonic()
    try:
        key, measured = _prove(shown, runner)
    except ContentError as error:
        return Problem(item.id, shown.values, item.place, str(error), time.monotonic() - begun)
    return Verified(item.id, shown.values, key, measured, time.monotonic() - begun)


def _prove(shown: Instance, runner: Runner) -> tuple[Any, Mapping[str, Any]]:
    """The key and what was measured.

    Raises:
        ContentError: something does not hold.
    """
    item = shown.item
    truth = prove(shown, runner)
    key: Any = None
    match item.body:
        case Fix() as body:
            key = _fix(body, shown, runner)
        case Tune() as body:
            key = _tune(body, runner)
        case body if isinstance(body, KEYED):
            key = _key(body, shown, truth)
    for fact in item.facts:
        if not fact.holds(truth.names):
            raise ContentError(f"the fact {fact.text!r} does not hold; {_seen(fact, truth)}")
    for claim in claims(item):
        if idle(claim, truth.names, truth.measured):
            raise ContentError(f"{claim.text!r} comes out the same whatever is measured; claim something about it")
    for _ in texts(shown, truth):  # every text can be filled in
        pass
    return key, truth.measured


def _key(body: Keyed, shown: Instance, truth: Truth) -> Any:
    key = body.key(truth.names)
    proof = shown.item.proof
    if isinstance(proof, TrainingProof):
        for claim in _true_claims(body, key):
            if "margin" not in claim.names:
                raise ContentError(f"{claim.text!r} is true of a training proof and must use `margin`")
        for half in (0, 1):
            part = {name: values[half::2] for name, values in truth.measured.items()}
            if _decided(body, {**truth.names, **part}) != key:
                raise ContentError("half of the seeds give another key; use more seeds or claim less")
    solution = body.solution(key, truth.names, shown.order)
    if not body.judge(key, solution, truth.names, shown.order).right:
        raise ContentError("its own solution is not judged right")
    return solution


def _decided(body: Keyed, names: Mapping[str, Any]) -> Any:
    """The key of some of the seeds; None where they do not decide."""
    try:
        return body.key(names)
    except ContentError:
        return None


def _true_claims(body: Keyed, key: Any) -> list[Claim]:
    match body:
        case Choice(options=options) | Control(choice=Choice(options=options)):
            return [options[key].claim]
        case Multi(options=options):
            return [options[number].claim for number in key]
    return []


def _fix(body: Fix, shown: Instance, runner: Runner) -> str:
    names = shown.names
    codes = [
        exercise.rendered(text, names) for text in (body.start, body.solution, body.check.before, body.check.after)
    ]
    for code in codes:
        programs.check(code)
    began = exercise.check(body, codes[0], names, runner)
    if began.verdict not in (Verdict.WRONG, Verdict.CRASHED, Verdict.TIMED_OUT):
        raise ContentError(f"the start must fail its check, it came out {began.verdict}: {began.words}")
    solved = exercise.check(body, codes[1], names, runner)
    if solved.verdict is not Verdict.RIGHT:
        raise ContentError(f"the solution must pass its check, it came out {solved.verdict}: {solved.words}")
    short = replace(body, check=replace(body.check, seeds=body.check.seeds[:1]))
    for less in half_done(codes[1]):
        judged = exercise.check(short, less, names, runner)
        if judged.verdict is Verdict.COULD_NOT_CHECK:
            raise ContentError(
                "a program that does less than the solution must be judged too, such as by a demand on the length of a "
                f"list that comes before the others; it came out {judged.verdict}: {judged.words}\n{less}"
            )
    return codes[1]


def _tune(body: Tune, runner: Runner) -> str:
    began = exercise.train(body.lab, body.start, runner)
    if began.verdict is not Verdict.WRONG:
        raise ContentError(f"the start must miss the target, it came out {began.verdict}: {began.words}")
    solved = exercise.train(body.lab, body.solution, runner)
    if solved.verdict is not Verdict.RIGHT:
        raise ContentError(f"the solution must reach the target, it came out {solved.verdict}: {solved.words}")
    return f"{body.solution.optimizer}, {body.solution.lr:g}, {body.solution.schedule}: {solved.words}"


def _seen(claim: Claim, truth: Truth) -> str:
    seen = {name: truth.measured[name] for name in sorted(claim.names & truth.measured.keys())}
    return "measured: " + ", ".join(f"{name} = {value!r:.120}" for name, value in seen.items())


def _page(topic: Topic, program: page.Program, charts: Sequence[Chart], number: int, runner: Runner) -> Finding:
    name, place = f"{topic.id}/page#{number}", f"{topic.id}/page"
    drawn = tuple(dict.fromkeys(value for one in charts for value in one.names))
    begun = time.monotonic()
    ran = runner.run(Job((Part("page", program.code),), drawn, seconds=PAGE_SECONDS))
    seconds = time.monotonic() - begun
    if ran.ending is not Ending.FINISHED:
        return Problem(name, {}, place, f"program {number} {ran.ending.value}: {ran.words}", seconds)
    outcome = ran.outcomes[0]
    if outcome.error:
        return Problem(name, {}, place, f"program {number} raised {outcome.error}: {outcome.trace}", seconds)
    if program.output is not None and not page.agrees(program.output, outcome.stdout):
        words = f"program {number} prints something else than the page says:\n{outcome.stdout}"
        return Problem(name, {}, place, words, seconds)
    for one in charts:
        if fault := chart.fault(one, outcome.values):
            return Problem(name, {}, place, f"program {number} {fault}", seconds)
    return Verified(name, {}, None, {"stdout": outcome.stdout}, seconds)
