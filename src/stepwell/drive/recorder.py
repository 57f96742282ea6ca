"""The recorder: what a training loop did, row by row, as a `Run`, and in a store while it happens."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, final

import numpy as np
from torch import Tensor
from torch.optim import Optimizer

from stepwell.drive.described import check_store, checked, own_rate
from stepwell.drive.ending import completed
from stepwell.drive.readings import number
from stepwell.drive.rows import Rows
from stepwell.errors import ClaimedError, OptimizerError, OptionError, ResumeError, StepwellError
from stepwell.record.columns import from_rows, num_rows, rows_where, to_rows
from stepwell.record.run import Columns, Ending, Outcome, Run
from stepwell.record.store import Store
from stepwell.schedule import Schedule
from stepwell.schedule.length import Horizon

FLUSH_ROWS = 256
FLUSH_SECONDS = 2.0
"""Rows go to the store when there are 256 of them or 2 s after the last time, whichever comes first."""


@final
class Recorder:
    """Records the updates of one optimizer: the rates that each update really used, its loss, the evaluations.

    Call `step(loss)` after `optimizer.step()`, and use it in a `with` block: an exception ends the run as failed,
    Ctrl-C as stopped, and both are stored. Attach it before the scheduler moves; it reads the rates in a hook right
    before the update. An update that did not happen (accumulation, a `GradScaler` that skipped) leaves no row.

    With a store, a process that is killed loses at most its last `FLUSH_ROWS` - 1 updates, and none that were made
    more than `FLUSH_SECONDS` before the last call of `step`; evaluations are stored at once. The first update begins
    the run in the store. Losses on a GPU are read at these moments only, so `step` never waits for the device.

    Args:
        optimizer: whose updates are recorded, also when a wrapper or a scheduler calls its `step`.
        name: what tables call the run.
        store: None keeps the run in memory.
        run_id: unique in the store; made up if not given.
        schedule: the schedule or its text, to hold intention against fact later.
        base_lr: the first group's `initial_lr` or `lr` if not given.
        optimizer_name: the class's name if not given.
        settings: whatever reproduces the run, as JSON values.
        shared: another process may record the same run and will come to the same end. Then the one that claims it in
            the store stores its rows, the other goes on in memory, and the run that is finished first counts.
        grad_norm: record the Euclidean norm of all gradients as the update finds them: after clipping and unscaling.
            A number n reads it at every n-th update, and the others have `nan`. It is `nan` too where the optimizer
            computes the gradients itself (a closure). On a CPU it costs about 3 us per parameter tensor, which was 3%
            of the step of a small CNN, or 0.5% with n = 10; the rest of the recorder was 0.5%.

    Raises:
        OptimizerError: it is no torch optimizer, or has no rate.
        OptionError: an argument that is not of its kind, such as the path of a store instead of an open one.
        ScheduleError: the schedule cannot be read.

    Example:
        >>> import torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = torch.optim.SGD([weight], lr=0.25)
        >>> with Recorder(optimizer, name="square") as recorder:
        ...     for _ in range(3):
        ...         loss = (weight**2).sum()
        ...         optimizer.zero_grad()
        ...         loss.backward()
        ...         optimizer.step()
        ...         recorder.step(loss)
        ...     run = recorder.finish()
        >>> run["loss"].tolist(), run["lr"].tolist()
        ([1.0, 0.25, 0.0625], [0.25, 0.25, 0.25])
    """

    def __init__(  # noqa: PLR0913 - these are the facts of a run, each with its own name
        self,
        optimizer: Optimizer,
        *,
        name: str = "run",
        store: Store | None = None,
        run_id: str | None = None,
        schedule: Schedule | str | None = None,
        horizon: Horizon | None = None,
        base_lr: float | None = None,
        optimizer_name: str | None = None,
        task: str | None = None,
        seed: int | None = None,
        settings: Mapping[str, Any] | None = None,
        shared: bool = False,
        grad_norm: bool | int = False,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise OptimizerError(f"a recorder needs a torch optimizer, got {type(optimizer).__name__} {optimizer!r}")
        if not isinstance(grad_norm, int) or grad_norm < 0:
            raise OptionError(f"grad_norm is True, or a number n for every n-th update, got {grad_norm!r}")
        check_store(store)
        facts = {
            "id": uuid.uuid4().hex[:12] if run_id is None else run_id,
            "name": name,
            "schedule": schedule,
            "horizon": horizon,
            "base_lr": base_lr,
            "optimizer": type(optimizer).__name__ if optimizer_name is None else optimizer_name,
            "task": task,
            "seed": seed,
            "settings": settings,
        }
        own = {"base_lr": own_rate(optimizer)} if base_lr is None else {}
        self._facts = checked(facts | own)
        self._store = store
        self._shared = shared
        self._taken = False  # another process stores the rows
        self._rows = Rows(optimizer, norm_every=int(grad_norm))
        # How many of the rows are in the store.
        self._num_stored = 0
        self._evals: list[dict[str, float]] = []
        self._begun = False
        self._finished = False
        self._flush_at = -np.inf

    @property
    def run_id(self) -> str:
        """The run's id in its store."""
        return str(self._facts["id"])

    @property
    def num_steps(self) -> int:
        """How many updates were recorded so far."""
        return len(self._rows)

    def step(self, loss: Tensor | float) -> None:
        """Record the update that was just made, with its loss. Nothing happens if there was none since the last call.

        Of several updates since the last call the last one gets the loss, the others `nan`.

        Raises:
            OptionError: the loss is not one number.
            StoreError: the rows cannot be stored; they are kept, and stored with the next ones.
        """
        if self._rows.without_loss == 0:
            if self._finished:
                raise OptionError("the run has finished; make a new Recorder to record more updates")
            return
        waiting = self._rows.add_loss(number(loss, "the loss"))
        if waiting >= FLUSH_ROWS or time.monotonic() >= self._flush_at:
            self.flush()

    def evaluate(self, **figures: Tensor | float) -> None:
        """Record figures of the network as it is now, before the next update.

        Evaluating again before the next update adds to these figures or replaces them.

        Example:
            >>> recorder.evaluate(val_loss=0.31, val_accuracy=0.92)  # doctest: +SKIP
        """
        if not figures or "step" in figures:
            raise OptionError(f"evaluate takes figures by name, as in evaluate(val_loss=0.3), got {figures}")
        row = {name: float(number(value, f"{name!r}")) for name, value in figures.items()}
        self.flush()
        step = float(self._rows.collected)
        if self._evals and self._evals[-1]["step"] == step:
            row = self._evals.pop() | row
        self._evals.append({"step": step} | row)
        if self._store is not None and not self._taken:
            with self._unless_taken():
                self._store.append_evals(self.run_id, from_rows(self._evals[-1:]))

    def flush(self) -> None:
        """Bring what was recorded into the store now, and begin the run there if it has not begun."""
        self._flush_at = time.monotonic() + FLUSH_SECONDS
        self._rows.collect()
        if self._store is None or self._taken:
            return
        with self._unless_taken():
            if not self._begun:
                self._store.begin(self._as_run(Outcome(Ending.RUNNING, 0, ""), {}, []))
                self._begun = True
            if self._num_stored < self._rows.collected:
                self._store.append(self.run_id, self._rows.since(self._num_stored))
                self._num_stored = self._rows.collected

    def checkpoint(self, state: bytes) -> None:
        """Store the rows so far and the state from which the run can go on with the next update."""
        if self._store is None:
            raise OptionError("a checkpoint needs a store; pass Recorder(..., store=Store.open(path))")
        self.flush()
        if not self._taken:
            with self._unless_taken():
                self._store.checkpoint(self.run_id, self._rows.collected, state)

    def rewind(self, step: int) -> None:
        """Go back to before update `step`, where a checkpoint was: later rows are dropped, earlier ones kept.

        A recorder that has recorded nothing yet takes the earlier rows of its run from the store.

        Raises:
            ResumeError: fewer than `step` updates were recorded.
        """
        self._rows.collect()
        if not self._begun and self._store is not None:
            stored = self._store.load(self.run_id)
            self._rows.take(stored.columns)
            self._evals = to_rows(stored.evals)
            self._num_stored = num_rows(stored.columns)
        columns = self._rows.columns()
        if num_rows(columns) < step:
            raise ResumeError(f"the run {self.run_id!r} has {num_rows(columns)} updates, so it cannot go on at {step}")
        self._rows.take(rows_where(columns, columns["step"] < step) if columns else {})
        self._evals = [row for row in self._evals if row["step"] <= step]
        self._num_stored = min(step, self._num_stored)
        if self._store is not None:
            self._store.truncate(self.run_id, step)
            self._begun = True

    def snapshot(self) -> Run:
        """The run so far; it goes on."""
        self._rows.collect()
        return self._as_run(Outcome(Ending.RUNNING, self._rows.collected, ""), self._rows.columns(), self._evals)

    def finish(self, outcome: Outcome | Ending | None = None, **results: Tensor | float) -> Run:
        """The whole run, stored in one piece; the recorder lets go of the optimizer.

        Without an outcome the losses decide: diverged if the last is not finite, did not learn if the last tenth is
        not below the first tenth (medians).

        Raises:
            OptionError: it has finished before.
            StoreError: the run cannot be stored, call it again when it can; or a run of this id has finished already.
        """
        if self._finished:
            raise OptionError("the run has finished already")
        figures = {name: float(number(value, f"{name!r}")) for name, value in results.items()}
        self._rows.release()
        self._rows.collect()
        columns = self._rows.columns()
        run = self._as_run(completed(outcome, columns), columns, self._evals, figures)
        if self._store is not None and self._shared:
            run = self._store.keep(run)
        elif self._store is not None:
            if not self._begun:  # a finished run of this id is refused here too, and stays as it is
                self.flush()
            self._store.save(run)
        self._finished = True
        return run

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._finished:
            return
        if error is None:
            self.finish()
            return
        try:
            if isinstance(error, Exception):
                words = f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace").decode()
                self.finish(Outcome(Ending.FAILED, self.num_steps, words))
            else:  # Ctrl-C, sys.exit
                self.finish(Outcome(Ending.STOPPED, self.num_steps, f"stopped after {self.num_steps} updates"))
        except StepwellError as failure:  # the first error is the one to see
            if str(failure) != str(error):
                error.add_note(f"The run could not be stored either: {failure}")

    @contextmanager
    def _unless_taken(self) -> Iterator[None]:
        try:
            yield
        except ClaimedError:
            if not self._shared:
                raise
            self._taken = True

    def _as_run(
        self,
        outcome: Outcome,
        columns: Columns,
        evals: list[dict[str, float]],
        results: Mapping[str, float] | None = None,
    ) -> Run:
        return Run(outcome=outcome, columns=columns, evals=from_rows(evals), results=results or {}, **self._facts)
