"""Drives a sitting: runs what its state asks for, records the answers, and gives the next screen."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, final

from stepwell.errors import ContentError
from stepwell.learn.attempt import Attempt
from stepwell.learn.course import Course
from stepwell.learn.grade import grade
from stepwell.learn.instance import Instance
from stepwell.learn.items.fix import Fix
from stepwell.learn.items.tune import Tune
from stepwell.learn.job import Engine
from stepwell.learn.mastery import last_verdicts
from stepwell.learn.memory import memories
from stepwell.learn.modes import Mode
from stepwell.learn.progress import Progress
from stepwell.learn.prove import Truth, prove
from stepwell.learn.session import events
from stepwell.learn.session.plan import Past, Plan, Wish, plan
from stepwell.learn.session.screen import Step, screen
from stepwell.learn.session.state import Grade, Phase, Prove, Proved, State, Told, advance, begin, pending
from stepwell.learn.verdict import Graded, Verdict
from stepwell.learn.worker import Worker


@final
class Player:
    """One sitting of one learner. Use it in a `with` block, or `close` it.

    While the learner thinks, the worker already runs the proof of the question.

    Args:
        sitting: what is done.
        progress: where answers are recorded.
        worker: runs proofs and programs; torch is loaded only when the first of them needs it. One of its own by
            default, which it closes.
        clock: a clock that goes on, for the time that answers take.
    """

    def __init__(
        self,
        sitting: Plan,
        progress: Progress,
        worker: Engine | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress = progress
        self._own = worker is None
        self._worker: Engine = Worker() if worker is None else worker
        self._clock = clock
        self._ahead = ThreadPoolExecutor(1, "stepwell-proof")
        self._proofs: dict[int, Future[Truth]] = {}
        self.state: State = begin(sitting, clock())

    @classmethod
    def begin(cls, course: Course, wish: Wish, progress: Progress, worker: Engine | None = None) -> Player:
        """The sitting that a learner asks for.

        Raises:
            OptionError: there is nothing to do, or the wish cannot be.
            StoreError: the progress cannot be read.
        """
        attempts = progress.attempts()
        known = memories(attempts) if wish.mode is Mode.RECALL else {}
        past = Past(last_verdicts(attempts), known, progress.clock())
        return cls(plan(course, wish, past, uuid.uuid4().hex), progress, worker)

    def __enter__(self) -> Player:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what runs; what was answered is recorded already."""
        self._ahead.shutdown(wait=False, cancel_futures=True)
        if self._own:
            self._worker.stop()  # a shared one finishes the proof that it runs

    def step(self) -> Step:
        """The screen to show now. It waits for a proof only where the question shows what that measures."""
        self._settle()
        self._look_ahead()
        return screen(self.state, self._clock())

    def send(self, event: Mapping[str, Any] | events.Event) -> Step:
        """The screen after an event.

        Raises:
            AnswerError: the event or the answer does not fit; the sitting stays where it was.
            StoreError: the answer could not be recorded; the sitting stays where it was, and it can be sent again.
        """
        self._settle()
        if isinstance(event, Mapping):
            event = events.read(event)
        before = self.state
        try:
            self.state = advance(self.state, event, self._clock())
            self._settle()
        except BaseException:
            self.state = before
            raise
        self._look_ahead()
        return screen(self.state, self._clock())

    def _settle(self) -> None:
        while ask := pending(self.state):
            match ask:
                case Prove(shown=shown):
                    self.state = advance(self.state, self._proved(shown), self._clock())
                case Grade():
                    told = self._graded(ask)
                    after = advance(self.state, told, self._clock())
                    self._record(after)  # before anything is shown: a killed process then loses no answered item
                    self.state = after

    def _look_ahead(self) -> None:
        """Begin to run the proof of the question that is shown."""
        if self.state.phase is not Phase.ASKING:
            return
        if self.state.item.item.proof is None:
            if isinstance(self.state.item.item.body, Fix | Tune):
                self._worker.start()
        elif self.state.truth is None and not self.state.trouble:
            self._proof(self.state.number, self.state.item)

    def _proof(self, number: int, shown: Instance) -> Future[Truth]:
        if number not in self._proofs:
            self._proofs[number] = self._ahead.submit(prove, shown, self._worker)
        return self._proofs[number]

    def _proved(self, shown: Instance) -> Proved:
        try:
            return Proved(self._proof(self.state.number, shown).result())
        except ContentError as error:
            del self._proofs[self.state.number]
            return Proved(None, str(error))

    def _graded(self, ask: Grade) -> Told:
        truth, trouble = ask.truth, ""
        if truth is None and ask.shown.item.proof is not None:
            proved = self._proved(ask.shown)
            truth, trouble = proved.truth, proved.trouble
        if trouble:
            return Told(Graded(Verdict.COULD_NOT_CHECK, words=trouble), None)
        return Told(grade(ask.shown, ask.answer.answer, self._worker, truth), truth)

    def _record(self, after: State) -> None:
        given = after.given[-1]
        shown = after.plan.items[given.number]
        self._progress.record(
            Attempt(
                time=self._progress.clock(),
                session=after.plan.id,
                mode=after.plan.mode,
                item=shown.item.id,
                topic=shown.item.topic,
                seed=shown.seed,
                number=sum(one.number == given.number for one in after.given),
                answer=given.answer.answer,
                verdict=given.graded.verdict,
                score=given.graded.score,
                hints=given.hints,
                seconds=given.seconds,
                overtime=given.overtime,
                confidence=given.answer.confidence,
                evidence=given.graded.evidence,
            )
        )
