"""A sitting as a value: events make a new one, and it says what it waits for. Nothing is run or printed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from stepwell.errors import AnswerError
from stepwell.learn.instance import Instance
from stepwell.learn.items.card import Card
from stepwell.learn.items.explain import Explain
from stepwell.learn.prove import Truth
from stepwell.learn.session.events import Answer, Event, Hint, Next, Quit, Reveal, Skip
from stepwell.learn.session.plan import Plan
from stepwell.learn.texts import needs_truth
from stepwell.learn.verdict import Graded, Verdict


class Phase(StrEnum):
    """Where a sitting is."""

    PAGE = "page"  # the concept page is read
    PROVING = "proving"  # what comes next shows something measured, which is being run
    ASKING = "asking"
    BACK = "back"  # a card is turned over, or an explanation is compared with the concepts
    GRADING = "grading"
    TOLD = "told"
    DONE = "done"


_HERE: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.PAGE: "at the page; go on with next",
        Phase.PROVING: "while the question is prepared",
        Phase.ASKING: "at a question; answer, or give up with skip",
        Phase.BACK: "after it was turned over; answer, or give up with skip",
        Phase.GRADING: "while an answer is judged",
        Phase.TOLD: "after the verdict; go on with next",
    }
)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer and what came of it.

    Args:
        number: the item's place in the plan.
        seconds: from the question to the answer.
    """

    number: int
    answer: Answer
    graded: Graded
    hints: int
    seconds: float
    overtime: float
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class State:
    """A sitting at one moment.

    Args:
        after: what follows a proof that is being run.
        number: the item's place in the plan.
        shown: when its question was shown, on the clock of the events.
        hints: how many of its hints are shown.
        answer: what is being graded.
        text: the learner's explanation, while concepts are ticked.
        seconds: how long the answer that is being graded took.
        truth: what its proof measured, where that is known.
        trouble: why the proof could not be run, where it could not.
        skipped: whether the item was given up.
        given: every answer, in order.
        passed: the places of items before that were given up, each with what its proof measured.
    """

    plan: Plan
    phase: Phase
    after: Phase = Phase.ASKING
    number: int = 0
    shown: float = 0.0
    hints: int = 0
    answer: Answer | None = None
    text: str = ""
    seconds: float = 0.0
    truth: Truth | None = None
    trouble: str = ""
    skipped: bool = False
    given: tuple[Given, ...] = ()
    passed: tuple[tuple[int, Truth | None], ...] = ()

    @property
    def item(self) -> Instance:
        """The item that it is at."""
        return self.plan.items[self.number]

    @property
    def tries(self) -> tuple[Given, ...]:
        """The answers to this item."""
        return tuple(given for given in self.given if given.number == self.number)

    @property
    def skips(self) -> Mapping[int, Truth | None]:
        """The place of every item that was given up, and what its proof measured."""
        return dict((*self.passed, (self.number, self.truth)) if self.skipped else self.passed)

    @property
    def attempts_left(self) -> int | None:
        """How many answers still count; None without end."""
        allowed = self.plan.rules.attempts
        allowed = self.item.item.attempts if allowed is None else allowed
        if allowed == 0:
            return None
        return allowed - sum(given.graded.verdict.counts for given in self.tries)

    @property
    def hints_left(self) -> int:
        """How many hints can still be asked for."""
        there = len(self.item.item.hints)
        allowed = self.plan.rules.hints
        return (there if allowed is None else min(there, allowed)) - self.hints


@dataclass(frozen=True, slots=True)
class Prove:
    """Asks whoever drives the sitting to run the item's proof, and to come back with `Proved`."""

    shown: Instance


@dataclass(frozen=True, slots=True)
class Grade:
    """Asks to grade the answer, and to come back with `Told`."""

    shown: Instance
    answer: Answer
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class Proved:
    """What the proof measured, or why it could not be run."""

    truth: Truth | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the answer; an answer of the wrong form comes back as `refused`, and nothing has happened."""

    graded: Graded
    truth: Truth | None


Ask: TypeAlias = Prove | Grade


def begin(plan: Plan, at: float) -> State:
    """The sitting before its first event.

    Args:
        plan: what is done.
        at: the time, in seconds on any clock that goes on.
    """
    if plan.page:
        return State(plan, Phase.PAGE)
    return _show(State(plan, Phase.ASKING), 0, at)


def pending(state: State) -> Ask | None:
    """What the sitting waits for besides the learner."""
    match state.phase:
        case Phase.PROVING:
            return Prove(state.item)
        case Phase.GRADING if state.answer is not None:
            return Grade(state.item, state.answer, state.truth)
    return None


def advance(state: State, event: Event | Proved | Told, at: float) -> State:
    """The sitting after an event.

    Raises:
        AnswerError: the event does not fit where the sitting is; it stays as it was.
    """
    match state.phase, event:
        case Phase.DONE, _:
            raise AnswerError("the sitting is over; begin another one")
        case _, Quit():
            return replace(state, phase=Phase.DONE)
        case Phase.PAGE, Next():
            return _show(state, 0, at)
        case Phase.PROVING, Proved(truth=truth, trouble=trouble):
            # The clock starts when the question can be seen.
            shown = at if state.after is Phase.ASKING else state.shown
            state = replace(state, phase=state.after, truth=truth, trouble=trouble, shown=shown)
            return _kept_back(state, at)
        case Phase.GRADING, Told():
            return _tell(state, event, at)
        case Phase.TOLD, Next():
            return _show(state, state.number + 1, at)
        case ((Phase.ASKING | Phase.BACK), (Answer() | Hint() | Reveal() | Skip())):
            return _act(state, event, at)
    raise AnswerError(f"there is no {type(event).__name__.lower()} {_HERE[state.phase]}")


def _act(state: State, event: Answer | Hint | Reveal | Skip, at: float) -> State:
    turns = isinstance(state.item.item.body, Card | Explain)
    match event:
        case Answer() if state.trouble:
            raise AnswerError("this question could not be prepared; go on with skip")
        case Answer() if turns and state.phase is Phase.ASKING:
            raise AnswerError("turn it over first: reveal")
        case Answer(confidence=None) if state.plan.rules.sure:
            raise AnswerError("say how sure you are, from 0 to 1, before the truth is run")
        case Answer():
            return replace(state, phase=Phase.GRADING, answer=event, seconds=at - state.shown)
        case Hint() if state.phase is Phase.ASKING and not state.trouble and state.hints_left > 0:
            return replace(state, hints=state.hints + 1)
        case Hint():
            raise AnswerError("there is no further hint here")
        case Reveal(text=text) if turns and state.phase is Phase.ASKING:
            return _with_truth(replace(state, text=text), Phase.BACK)
        case Skip() if state.phase is Phase.BACK and isinstance(state.item.item.body, Card):
            return _show(replace(state, skipped=True), state.number + 1, at)  # what is on its back was seen
        case Skip():
            return _kept_back(_with_truth(replace(state, skipped=True), Phase.TOLD), at)
    raise AnswerError("there is nothing to turn over here; answer, or give up with skip")


def _with_truth(state: State, phase: Phase) -> State:
    """The sitting at a phase whose texts use what was measured, or at the proof that comes before."""
    if state.item.item.proof is None or state.truth is not None or state.trouble:
        return replace(state, phase=phase)
    return replace(state, phase=Phase.PROVING, after=phase)


def _kept_back(state: State, at: float) -> State:
    """The sitting itself, or at the next question where what is right is told only at the end."""
    if state.phase is Phase.TOLD and not state.plan.rules.told:
        return _show(state, state.number + 1, at)
    return state


def _tell(state: State, told: Told, at: float) -> State:
    if state.answer is None:
        raise AnswerError("nothing is being graded")
    limit = state.plan.limit
    overtime = 0.0 if limit is None else max(0.0, state.seconds - limit)
    given = Given(state.number, state.answer, told.graded, state.hints, state.seconds, overtime, told.truth)
    state = replace(state, answer=None, truth=told.truth or state.truth, given=(*state.given, given))
    verdict = told.graded.verdict
    again = verdict not in (Verdict.RIGHT, Verdict.UNGRADED) and state.attempts_left != 0
    if again:
        # What the machine took to judge is not the learner's time.
        return replace(state, phase=Phase.ASKING, shown=at - state.seconds)
    if isinstance(state.item.item.body, Card):
        return _show(state, state.number + 1, at)
    return _kept_back(replace(state, phase=Phase.TOLD), at)


def _show(state: State, number: int, at: float) -> State:
    """The sitting at the question of an item, or at its end."""
    passed = tuple(state.skips.items())
    clean = State(state.plan, Phase.DONE, number=number, shown=at, given=state.given, passed=passed)
    if number >= len(state.plan.items):
        return clean
    return replace(clean, phase=Phase.PROVING if needs_truth(clean.item) else Phase.ASKING)
