"""The only `Bench` in the house: short runs on a model, whoever made it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from types import TracebackType
from typing import Self, final

import torch
from torch import Tensor

from stepwell.drive import entries as group_entries
from stepwell.errors import OptimizerError, OptionError, StepwellError, TaskError
from stepwell.find.batches import Reel, duplicate
from stepwell.find.bench import Source, Start, TrialMemoryError
from stepwell.find.how import How, over_ranks
from stepwell.find.quiet import end_contexts
from stepwell.find.scoring import as_trained, evaluating, mean_loss, unchanged
from stepwell.find.transient import mean_step
from stepwell.find.trouble import check_loss, memory_words
from stepwell.record.suggestion import Array
from stepwell.tasks.determinism import random_kept, seed_all
from stepwell.tasks.overflow import lost_weights, overflows
from stepwell.tasks.same import same
from stepwell.tasks.task import Batch

# Validation batches that are read at most, unless said otherwise.
VAL_BATCHES = 32


@final
class Rig:
    """A `Bench`; `of_task`, `of_factory` and `live` make one.

    Args:
        source: where the work comes from.
        how: how an update is made.
        limit: the most validation batches that are read.
    """

    def __init__(self, source: Source, how: How, limit: int = VAL_BATCHES) -> None:
        self.ratios, self.steps_per_epoch = source.ratios, source.steps_per_epoch
        self.spent = 0
        self._source, self._how, self._limit = source, how, limit
        self._open = ExitStack()
        self._entered = False
        self._start: Start | None = None
        self._train, self._scoring = Reel(lambda _: ()), Reel(lambda _: ())
        self._val: list[Batch] | None = None
        self._seed = 0
        self._at = 0  # the number of the coming batch
        self._made = 0  # updates since the start
        self._first: tuple[int, Batch] | None = None  # the first seed and its first batch
        self._order_varies: bool | None = None
        self._entries: dict[str, tuple[float, tuple[float, ...]]] = {}

    @property
    def seeds_vary(self) -> str:
        """What differs between two seeds."""
        alone = self._source.seeds_vary == "data order"
        return "nothing" if alone and self._order_varies is False else self._source.seeds_vary

    def __enter__(self) -> Self:
        # A Ctrl-C in the middle of leaving a `no_grad` block, such as an optimizer's, leaves gradients off for good.
        self._open.enter_context(torch.set_grad_enabled(torch.is_grad_enabled()))
        self._open.enter_context(self._source.opened())
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, KeyboardInterrupt):
                end_contexts(error)
            self._train.close()
            self._scoring.close()
        finally:
            self._start, self._val, self._first, self._entered = None, None, None, False
            self._open.__exit__(kind, error, trace)

    # Where it stands

    def begin(self, seed: int) -> None:
        """Stand at the start of a seed."""
        if not self._entered:
            raise OptionError("a bench is used in a with block, which puts everything back: with bench: ...")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise OptionError(f"a seed must be a whole number of at least 0, got {seed!r}")
        self._train.close()
        self._scoring.close()
        self._start, self._val = None, None  # the model of the seed before is not needed any more
        self._start = start = self._source.begin(seed)
        self._seed, self._at, self._made, self._entries = seed, 0, 0, {}
        self._train, self._scoring = Reel(start.train), Reel(start.scoring, last=1)
        self._compare_orders()

    def rewind(self) -> None:
        """Back to the start of this seed."""
        self._here().rewind()
        self._at = self._made = 0

    def _here(self) -> Start:
        if self._start is None:
            raise OptionError("a bench stands nowhere before begin(seed)")
        return self._start

    def _compare_orders(self) -> None:
        """Note whether another seed brings other batches first."""
        if self._order_varies:
            return
        with self._source.guard("was giving its first batch"):
            batch = self._train[0]
        if self._first is None:
            self._first = (self._seed, batch)
        elif self._first[0] != self._seed:
            differs = 0.0 if same(self._first[1], batch) else 1.0
            self._order_varies = over_ranks(differs, self._here().model) > 0

    # Training

    def update(self, lr: float, **entries: float) -> float:
        """Make one update; the training loss before it."""
        start, place = self._here(), self._at
        self._write({"lr": lr, **entries})
        self.spent += 1

        def again() -> Tensor:
            return start.loss(start.model, self._train[place])

        loss = self._tried(self._updated, f"was making update {self._made}", again)
        self._at = place + self._how.accumulate
        self._made += 1
        return loss

    def _updated(self) -> float:
        start, how = self._here(), self._how
        parameters = _trained(start)
        for parameter in (*start.model.parameters(), *parameters):
            parameter.grad = None
        total = 0.0
        for number in range(how.accumulate):
            batch = self._train[self._at + number]
            with how.forward(start.model):
                loss = start.loss(start.model, batch)
            if self._made == 0:
                check_loss(loss)
            how.backward(loss)
            total += loss.item()
        if self._made == 0 and all(parameter.grad is None for parameter in parameters):
            raise TaskError(
                "the loss does not depend on any parameter that the optimizer trains, so nothing can be learned"
            )
        how.step(start.optimizer, parameters)
        return total / how.accumulate

    def mean_step(self, rates: Array, momentum: float | None = None) -> float:
        """How large the first updates of a run at these rates are, beside later ones."""
        self.rewind()
        return mean_step(self._here().optimizer, rates, momentum)

    def _write(self, values: dict[str, float]) -> None:
        """Set entries of the groups; what is given is the first group's, the others keep their ratio."""
        groups = self._here().optimizer.param_groups
        for name, value in values.items():
            ratios = self.ratios if name == "lr" else self._entry(name)[1]
            for group, ratio in zip(groups, ratios, strict=True):
                group_entries.write(group, name, value * ratio)

    def base(self, name: str) -> float:
        """The first group's own value of an entry."""
        return self._entry(name)[0]

    def _entry(self, name: str) -> tuple[float, tuple[float, ...]]:
        """The first group's value of an entry as it was before the search wrote any, and the ratios to it."""
        if name not in self._entries:  # nobody has written it yet
            values = [group_entries.read(group, name) for group in self._here().optimizer.param_groups]
            self._entries[name] = values[0], ratios_to_first(values, name)
        return self._entries[name]

    # Scoring

    def losses(self, count: int) -> float:
        """The mean training loss on this seed's scoring batches."""
        start = self._here()
        with self._source.guard("was giving the batches to score"):
            batches = self._scoring.first(count)
        self.spent += len(batches)

        def score() -> float:
            with as_trained(start.model), unchanged(start.model):
                return mean_loss(start.loss, self._how, start.model, batches)

        return self._tried(score, "was scored", score)

    def validate(self) -> float | None:
        """The mean validation loss."""
        start = self._here()
        if start.val is None:
            return None
        if self._val is None:
            with random_kept(), self._source.guard("was giving its validation batches"):
                seed_all(self._seed)
                self._val = [duplicate(batch) for batch in islice(start.val(), self._limit)]
            if not self._val:
                raise TaskError("there are no validation batches; leave the validation data away, or give at least one")
        batches = [duplicate(batch) for batch in self._val]
        self.spent += len(batches)

        def score() -> float:
            with evaluating(start.model), unchanged(start.model):
                return start.measure(start.model, batches)

        return self._tried(score, "was measured on its validation batches", score)

    # What can go wrong

    def _tried(self, work: Callable[[], float], doing: str, again: Callable[[], object]) -> float:
        """What the work gives, as a mean over ranks; `nan` where it raised because the model has diverged.

        Code that checks its numbers, as `torch.distributions` does, raises where other code would give `nan`.
        """
        short = None
        try:
            value = work()
        except Exception as error:  # the user's code may raise anything
            value, short = math.nan, memory_words(error)
            if short is None and not self._diverged(error, again):
                with self._source.guard(doing):
                    raise
        value = over_ranks(value, self._here().model)
        if short is None:
            return value
        # Out here the error is gone, and with it the frames that hold the memory.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise TrialMemoryError(f"a short run needs more memory than there is ({short})")

    def _diverged(self, error: Exception, again: Callable[[], object]) -> bool:
        if self._made == 0 or isinstance(error, StepwellError):
            return False
        model = self._here().model
        return lost_weights(model) is not None or overflows(model, again)


def ratios_to_first(values: Sequence[float], name: str) -> tuple[float, ...]:
    """Every group's value as a multiple of the first's.

    Raises:
        OptimizerError: the first is 0 and another is not.
    """
    first = values[0]
    if first == 0 and any(values):
        raise OptimizerError(
            f"parameter group 0 has {name} 0, so the other groups have no ratio to it; put a group with a {name} first"
        )
    return tuple(value / first if first else 1.0 for value in values)


def _trained(start: Start) -> list[Tensor]:
    return [parameter for group in start.optimizer.param_groups for parameter in group["params"]]
