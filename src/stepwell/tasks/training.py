"""A training run under way: the loop itself, and how it stops and goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal, final

import torch
from torch import Tensor
from torch.optim import Optimizer

from stepwell.drive.recorder import Recorder
from stepwell.drive.scheduler import Scheduler
from stepwell.errors import ResumeError, StepwellError, TaskError
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store
from stepwell.record.trial import Trial
from stepwell.tasks.blame import user_code
from stepwell.tasks.checkpoint import freeze, restore, thaw
from stepwell.tasks.determinism import restore_random, seed_all
from stepwell.tasks.ending import counted, diverged, figure, judge, stopped
from stepwell.tasks.evaluate import evaluate
from stepwell.tasks.overflow import lost_weights, overflows
from stepwell.tasks.position import Position
from stepwell.tasks.task import Batch, Workload

# Seconds of training between two checkpoints.
CHECKPOINT_EVERY = 60.0
# Reading a loss waits for the device. That costs nothing on a CPU; elsewhere losses are read this many at a time.
READ_EVERY = 50
_NO_MORE = object()


@final
@dataclass(eq=False, slots=True)
class Training:
    """One run: what it works with, and how far it is.

    Args:
        file: the task's source, to name its lines in errors.
        began: when, by `time.perf_counter`.
    """

    trial: Trial
    work: Workload
    file: Path | None
    total_steps: int
    optimizer: Optimizer
    scheduler: Scheduler
    recorder: Recorder
    store: Store | None

    progress: Callable[[int], None] | None = None
    should_stop: Callable[[], bool] | None = None
    began: float = field(default_factory=time.perf_counter)
    at: Position = field(default_factory=Position)
    unread: list[Tensor] = field(default_factory=list)
    num_read: int = 0
    tested: dict[str, float] = field(default_factory=dict)  # test scores at the end
    lost: bool = False  # a number was not finite, so nothing can be measured any more
    random: dict[str, Any] | None = None  # the generators at the checkpoint that this goes on from
    save_at: float = 0.0
    observe_sign: float | None = None  # None where the schedule has no feedback
    on_cpu: bool = True
    read_every: int = 1

    def begin(self) -> None:
        """Get ready to train; measure the untrained network, unless this goes on from a checkpoint."""
        self.on_cpu = next(self.work.model.parameters()).device.type == "cpu"
        self.read_every = 1 if self.on_cpu else READ_EVERY
        self.observe_sign = _observe_sign(self.scheduler, self.work.goal[1])
        self.save_at = time.monotonic() + CHECKPOINT_EVERY
        if self.at.initial:
            return
        scores = self._scores("val")
        goal = self.work.goal[0]
        if goal not in scores:
            raise TaskError(f"the goal of task {self.trial.task.name!r} is {goal!r}, metrics give {', '.join(scores)}")
        if not math.isfinite(scores[goal]):
            raise TaskError(f"{goal} of task {self.trial.task.name!r} is {scores[goal]} before any update")
        self.at.latest = self.at.best = scores
        self.at.initial = scores | self._test_scores()
        self.recorder.evaluate(**scores)

    def go_on(self, frozen: bytes) -> None:
        """Take up the run where a checkpoint left it.

        Raises:
            ResumeError: the checkpoint is damaged or of something else; this training is spoilt then, so make it anew.
        """
        state = thaw(frozen)
        restore(state, self.work.model, self.optimizer, self.scheduler)
        try:
            self.at = Position(**state["progress"])
            self.random = state["random"]
        except (KeyError, TypeError) as error:
            raise ResumeError(f"the checkpoint does not say how far the run was ({error})") from error
        self.num_read = self.at.step
        self.recorder.rewind(self.at.step)

    def run(self) -> Outcome:
        """Train to the end, to divergence, or until asked to stop; how it ended."""
        outcome = self._pause()
        while outcome is None and self.at.step < self.total_steps:
            outcome = self._epoch() or self._evaluate()
            if outcome is None and self.at.step < self.total_steps:
                outcome = self._pause()
        if outcome is not None:
            return outcome
        at = self.at
        goal, base_lr = self.work.goal, self.trial.base_lr
        self.tested = self._test_scores()
        measured = f"test_{goal[0].removeprefix('val_')}"
        if math.isfinite(at.initial[measured]) and not math.isfinite(self.tested[measured]):
            return self._lost(f"{measured} went from {figure(at.initial[measured])} to {self.tested[measured]}")
        losses = at.losses[-self.work.steps_per_epoch :]
        return judge(at.step, at.first_loss, losses, at.initial, at.latest, goal=goal, base_lr=base_lr)

    def finish(self, outcome: Outcome) -> Run:
        """The run, with what it was found to be worth."""
        at = self.at
        results = {f"initial_{name}": score for name, score in at.initial.items()}
        results |= {f"best_{name}": score for name, score in at.best.items()}
        if outcome.ending is not Ending.STOPPED:
            measured = dict.fromkeys(at.initial, math.nan) if self.lost else at.latest | self.tested
            results |= {f"final_{name}" if name.startswith("val_") else name: score for name, score in measured.items()}
        return self.recorder.finish(outcome, **results, seconds=self._seconds(), train_seconds=at.train_seconds)

    def _epoch(self) -> Outcome | None:
        """Make the updates that are left of this epoch; how the run ended, if it did."""
        epoch, done = divmod(self.at.step, self.work.steps_per_epoch)
        end = min(self.total_steps, (epoch + 1) * self.work.steps_per_epoch)
        since = time.perf_counter()
        outcome = self._updates(epoch, done, end)
        self.at.train_seconds += time.perf_counter() - since
        return outcome

    def _updates(self, epoch: int, done: int, end: int) -> Outcome | None:
        at, loss_of, model, optimizer = self.at, self.work.loss, self.work.model, self.optimizer
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        batches = self._batches(epoch, done)
        batch: Batch = None
        while at.step < end:
            try:
                batch = next(batches, _NO_MORE)
                if batch is _NO_MORE:
                    raise self._too_few(epoch)
                loss = loss_of(model, batch)
                self.unread.append(loss.detach())
                if len(self.unread) == self.read_every and (outcome := self._read()):
                    return outcome
                for parameter in parameters:  # as `optimizer.zero_grad()`, without its 10 us
                    parameter.grad = None
                loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
                optimizer.step()
            except Exception as error:
                if outcome := self._fell(error, partial(loss_of, model, batch)):
                    return outcome
                with self._user_code(f"was making update {at.step}"):
                    raise
            self.recorder.step(loss)
            self.scheduler.step()
            at.step += 1
            if at.step < end and (outcome := self._pause()):
                return outcome
        return self._read()

    def _batches(self, epoch: int, done: int) -> Iterator[Batch]:
        """The batches of an epoch, without those that were trained on before the checkpoint."""
        seed_all(self.trial.seed, epoch, accelerators=not self.on_cpu)
        with self._user_code(f"was giving the batches of epoch {epoch}"):
            batches = iter(self.work.train(epoch))
            for _ in islice(batches, done):
                pass
        if done and self.random is not None:
            restore_random(self.random)
        return batches

    def _read(self) -> Outcome | None:
        """Look at the losses since the last time; the first one that is not finite ends the run."""
        at, unread = self.at, self.unread
        losses = [unread[0].item()] if len(unread) == 1 else torch.stack(unread).tolist() if unread else []
        unread.clear()
        for loss in losses:
            if not math.isfinite(loss):
                return self._blown_up(loss)
            if self.num_read == 0:
                at.first_loss = loss
            at.losses.append(loss)
            self.num_read += 1
        if len(at.losses) > 2 * self.work.steps_per_epoch:
            del at.losses[: -self.work.steps_per_epoch]
        return None

    def _blown_up(self, loss: float) -> Outcome:
        if self.num_read == 0:
            raise TaskError(f"the training loss of task {self.trial.task.name!r} is {loss} before any update")
        self.lost = True
        change = f"the loss went from {figure(self.at.first_loss)} to {figure(loss)}"
        return diverged(self.num_read, change, self._rate())

    def _lost(self, change: str) -> Outcome:
        """The outcome of a run whose numbers are not finite any more."""
        self.lost = True
        return diverged(self.at.step, change, self._rate())

    def _fell(self, error: Exception, again: Callable[[], object]) -> Outcome | None:
        """The divergence that made the task's code raise; None if its numbers are sound, so that it is to blame itself.

        Code that checks its numbers, as `torch.distributions` does, raises where other code would give `nan`.
        """
        at, model = self.at, self.work.model
        if at.step == 0 or isinstance(error, StepwellError):
            return None
        broken = lost_weights(model)
        if broken is None and not overflows(model, again):
            return None
        self.unread = [loss for loss in self.unread if loss.numel() == 1]
        if outcome := self._read():  # it knows the step
            return outcome
        what = "the network's outputs" if broken is None else f"weights {broken!r}"
        loss = f"the loss went from {figure(at.first_loss)} to {figure(at.losses[-1])}"
        return self._lost(f"{what} are not finite, which the task answers with {type(error).__name__}; {loss}")

    def _evaluate(self) -> Outcome | None:
        """Measure the network on the validation split and give the goal to the schedule's feedback."""
        at, (goal, direction) = self.at, self.work.goal
        broken = lost_weights(self.work.model)
        if broken is not None:
            change = f"weights {broken!r} are not finite; the loss went from {figure(at.first_loss)}"
            return self._lost(f"{change} to {figure(at.losses[-1])}")
        scores = self._scores("val")
        if not math.isfinite(scores[goal]):
            return self._lost(f"{goal} went from {figure(at.initial[goal])} to {figure(scores[goal])}")
        self.recorder.evaluate(**scores)
        at.latest = scores
        gain = scores[goal] - at.best[goal]
        if gain > 0 if direction == "max" else gain < 0:
            at.best = scores
        if self.observe_sign is not None:
            self.scheduler.observe(self.observe_sign * scores[goal])
        return None

    def _scores(self, split: Literal["val", "test"]) -> dict[str, float]:
        """What the network scores; `nan` where its metrics cannot be computed because it has diverged."""
        work = self.work
        batches = work.test if split == "test" and work.test is not None else work.val

        def measure() -> dict[str, float]:
            return evaluate(work.model, batches(), work.metrics, split)

        try:
            return measure()
        except Exception as error:
            if self._fell(error, measure) is not None:
                return {name: math.nan for name in self.at.initial if name.startswith(split)}
            with self._user_code(f"was measured on its {split} batches after {counted(self.at.step)}"):
                raise

    def _test_scores(self) -> dict[str, float]:
        """What the decision sees; without a test split, the validation scores under the names of the test."""
        if self.work.test is not None:
            return self._scores("test")
        return {name.replace("val_", "test_", 1): score for name, score in self.at.latest.items()}

    def _pause(self) -> Outcome | None:
        """Say how far the run is; keep a checkpoint if one is due, and stop if asked to."""
        if self.progress is not None:
            self.progress(self.at.step)
        stop = self.should_stop is not None and self.should_stop()
        if not stop and (self.store is None or time.monotonic() < self.save_at):
            return None
        if outcome := self._read():
            return outcome
        if self.store is not None:
            self._save()
        return stopped(self.at.step, self.total_steps, stored=self.store is not None) if stop else None

    def _save(self) -> None:
        position = replace(self.at, losses=self.at.losses[-self.work.steps_per_epoch :], seconds=self._seconds())
        self.recorder.checkpoint(freeze(self.work.model, self.optimizer, self.scheduler, asdict(position)))
        self.save_at = time.monotonic() + CHECKPOINT_EVERY

    def _seconds(self) -> float:
        return self.at.seconds + time.perf_counter() - self.began

    def _rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def _too_few(self, epoch: int) -> TaskError:
        made = self.at.step - epoch * self.work.steps_per_epoch
        return TaskError(
            f"train({epoch}) of task {self.trial.task.name!r} gave {made} batches, "
            f"its steps_per_epoch is {self.work.steps_per_epoch}"
        )

    def _user_code(self, doing: str) -> AbstractContextManager[None]:
        return user_code(self.file, f"task {self.trial.task.name!r} {doing}")


def _observe_sign(scheduler: Scheduler, direction: Literal["min", "max"]) -> float | None:
    """What the goal is multiplied by for the schedule's plateau, which has a direction of its own."""
    controllers = (entry.controller for entry in scheduler.schedule.entries)
    plateau = next((controller for controller in controllers if controller is not None), None)
    if plateau is None:
        return None
    return 1.0 if plateau.mode == direction else -1.0
