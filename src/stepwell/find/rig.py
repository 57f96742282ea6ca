"""The only `Bench` in the house: short runs on a model, whoever made it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from types import TracebackType
from typing import Any, Self, final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from stepwell.drive import entries as group_entries
from stepwell.errors import OptionError, StepwellError, TaskError
from stepwell.find.batches import Reel, duplicate
from stepwell.find.bench import Source, Start, TrialMemoryError
from stepwell.find.how import How, over_ranks
from stepwell.find.kept import Kept
from stepwell.find.snapshot import Snapshot
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

    @property
    def seeds_vary(self) -> str:
        """What differs between two seeds."""
        alone = self._source.seeds_vary == "data order"
        return "nothing" if alone and self._order_varies is False else self._source.seeds_vary

    def __enter__(self) -> Self:
        self._open.enter_context(self._source.opened())
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
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
        self._seed, self._at, self._made = seed, 0, 0
        self._train, self._scoring = Reel(start.train), Reel(start.scoring, last=1)
        self._compare_orders()

    def rewind(self) -> None:
        """Back to the start of this seed."""
        self._here().snapshot.restore(data=False)
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
            self._order_varies = not same(self._first[1], batch)

    # Training

    def update(self, lr: float, **entries: float) -> float:
        """Make one update; the training loss before it."""
        start = self._here()
        self._write({"lr": lr, **entries})
        self.spent += 1
        place = self._at
        loss = self._tried(
            self._updated, f"was making update {self._made}", lambda: start.loss(start.model, self._train[place])
        )
        self._at = place + self._how.accumulate
        self._made += 1
        return over_ranks(loss, start.model)

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
                _check_loss(loss)
            how.backward(loss)
            total += loss.item()
        if self._made == 0 and all(parameter.grad is None for parameter in parameters):
            raise TaskError(
                "the loss does not depend on any parameter that the optimizer trains, so nothing can be learned"
            )
        how.step(start.optimizer, parameters)
        return total / how.accumulate

    def _write(self, values: dict[str, float]) -> None:
        """Set entries of the groups; what is given is the first group's, the others keep their ratio."""
        groups = self._here().optimizer.param_groups
        for name, value in values.items():
            ratios = self.ratios if name == "lr" else self._entry_ratios(name)
            for group, ratio in zip(groups, ratios, strict=True):
                group_entries.write(group, name, value * ratio)

    def _entry_ratios(self, name: str) -> list[float]:
        return [1.0 for _ in self.ratios]

    # Scoring

    def losses(self, count: int) -> float:
        """The mean training loss on this seed's scoring batches."""
        with self._source.guard("was giving the batches to score"):
            batches = self._scoring.first(count)
        self.spent += len(batches)
        start = self._here()

        def score() -> float:
            with _modes(start.model, _as_in_training), _unchanged(start.model), torch.no_grad():
                return mean_loss(start.loss, self._how, start.model, batches)

        return over_ranks(self._tried(score, "was scored", score), start.model)

    def ahead(self, lr: float, factors: Sequence[float], count: int) -> list[float]:
        """Losses along the coming update."""
        start = self._here()
        parameters = _trained(start)
        before = Snapshot.take(start.model, start.optimizer, scaler=self._how.scaler)
        place, made = self._at, self._made
        try:
            self.update(lr)
            moves = [parameter.detach().clone() for parameter in parameters]
            before.restore()
            bases = [parameter.detach().clone() for parameter in parameters]
            torch._foreach_sub_(moves, bases)
            found = []
            for factor in factors:
                with torch.no_grad():
                    torch._foreach_copy_(parameters, torch._foreach_add(bases, moves, alpha=factor))
                found.append(self.losses(count))
            return found
        finally:
            before.restore()
            self._at, self._made = place, made

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
            with _modes(start.model, lambda _: False), _unchanged(start.model), torch.no_grad():
                return start.measure(start.model, batches)

        return over_ranks(self._tried(score, "was measured on its validation batches", score), start.model)

    # What can go wrong

    def _tried(self, work: Callable[[], float], doing: str, again: Callable[[], object]) -> float:
        """What the work gives; `nan` where it raised because the model has diverged.

        Code that checks its numbers, as `torch.distributions` does, raises where other code would give `nan`.
        """
        try:
            return work()
        except Exception as error:  # the user's code may raise anything
            short = _memory_words(error)
            if short is None:
                if self._made > 0 and not isinstance(error, StepwellError) and self._diverged(again):
                    return math.nan
                with self._source.guard(f"{doing}"):
                    raise
        # Out here the error is gone, and with it the frames that hold the memory.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise TrialMemoryError(f"a short run needs more memory than there is ({short})")

    def _diverged(self, again: Callable[[], object]) -> bool:
        model = self._here().model
        return lost_weights(model) is not None or overflows(model, again)


def mean_loss(loss: Any, how: How, model: nn.Module, batches: list[Batch]) -> float:
    """The mean of the batches' losses, each batch weighing the same."""
    total = 0.0
    for batch in batches:
        with how.forward(model):
            total += float(loss(model, batch))
    return total / len(batches)


def _trained(start: Start) -> list[Tensor]:
    return [parameter for group in start.optimizer.param_groups for parameter in group["params"]]


def _check_loss(loss: object) -> None:
    if not isinstance(loss, Tensor):
        raise TaskError(f"the loss must be a tensor with a single number, got a {type(loss).__name__}")
    if loss.numel() != 1:
        raise TaskError(f"the loss must be a tensor with a single number, got shape {tuple(loss.shape)}; take its mean")
    if not loss.requires_grad:
        raise TaskError(
            "the loss has no gradient (was it detached, or computed under no_grad?), so nothing can be learned"
        )


def _memory_words(error: Exception) -> str | None:
    """What an error says about memory that ran out; None if it is another."""
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, MemoryError):
        return words
    missing = ("out of memory", "can't allocate memory", "cannot allocate memory")
    if isinstance(error, RuntimeError) and any(text in str(error).lower() for text in missing):
        return words[:160]
    return None


@contextmanager
def _modes(model: nn.Module, rule: Callable[[nn.Module], bool]) -> Iterator[None]:
    """Inside, modules are in training mode where the rule says so, and afterwards in the mode that they were in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        for module, mode in modes:
            module.training = mode and rule(module)
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _as_in_training(module: nn.Module) -> bool:
    return isinstance(module, _NormBase) and module.track_running_stats


@contextmanager
def _unchanged(model: nn.Module) -> Iterator[None]:
    """Inside, forward passes have random numbers of their own, the same every time; buffers are put back."""
    kept = Kept()
    for module in model.modules():
        kept.value(module._buffers)
    with random_kept():
        seed_all(0)
        try:
            yield
        finally:
            kept.restore()
