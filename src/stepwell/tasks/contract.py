"""What every task must keep to, as a test class: subclass it in your own tests.

from stepwell.tasks.contract import TaskContract

class TestMyTask(TaskContract):
    task = "my_tasks.py:spirals"        # or the function itself
"""

from __future__ import annotations

from itertools import islice
from typing import ClassVar

import torch

from stepwell.record.trial import TaskRef
from stepwell.tasks.evaluate import evaluate
from stepwell.tasks.load import load_task
from stepwell.tasks.preflight import preflight
from stepwell.tasks.same import same
from stepwell.tasks.task import Batch, Task, Workload


class TaskContract:
    """Laws of a task; a runner such as pytest calls the `test_` methods.

    Args:
        task: the task's function, or its name as the command line takes it.
        seeds: two different ones to try.
        max_batches: how many batches of an epoch are compared.
    """

    task: ClassVar[Task | TaskRef | str]
    seeds: ClassVar[tuple[int, int]] = (0, 1)
    max_batches: ClassVar[int] = 20

    def build(self, seed: int) -> Workload:
        """Make one seed's work anew."""
        task = type(self).task  # through the class, so that a plain function is not bound to the test
        return load_task(task)(seed) if isinstance(task, str | TaskRef) else task(seed)

    def test_passes_the_preflight(self) -> None:
        """Every part works, and the loss can be differentiated."""
        task = type(self).task
        facts = preflight(load_task(task) if isinstance(task, str | TaskRef) else task, self.seeds[0])
        _require(facts.steps_per_epoch > 0, "no step in an epoch")

    def test_one_seed_gives_one_model(self) -> None:
        """Called twice with a seed it gives the same weights, bit for bit."""
        for seed in self.seeds:
            first, second = (self.build(seed).model.state_dict() for _ in range(2))
            _require(same(first, second), f"two models of seed {seed} differ")

    def test_another_seed_gives_another_model(self) -> None:
        """The seed decides something: weights, batches or both."""
        one, other = (self.build(seed) for seed in self.seeds)
        same_model = same(one.model.state_dict(), other.model.state_dict())
        _require(not (same_model and same(self._epoch(one, 0), self._epoch(other, 0))), "the seed changes nothing")

    def test_an_epoch_gives_the_same_batches_every_time(self) -> None:
        """In any order of epochs, in this work and in another of the same seed."""
        one, other = (self.build(self.seeds[0]) for _ in range(2))
        forward = [self._epoch(one, epoch) for epoch in (0, 1, 2)]
        backward = [self._epoch(other, epoch) for epoch in (2, 1, 0)][::-1]
        _require(same(forward, backward), "train(epoch) depends on which epochs were read before")
        _require(same(forward[1], self._epoch(one, 1)), "train(1) read again gives other batches")

    def test_every_epoch_has_the_steps_it_says(self) -> None:
        """`steps_per_epoch` is the number of batches of every epoch."""
        work = self.build(self.seeds[0])
        for epoch in (0, 1):
            found = sum(1 for _ in islice(work.train(epoch), work.steps_per_epoch + 1))
            _require(found == work.steps_per_epoch, f"epoch {epoch} has {found} batches, not {work.steps_per_epoch}")

    def test_evaluation_changes_nothing(self) -> None:
        """Validation and test give the same figures again, whichever comes first, and leave the weights alone."""
        work = self.build(self.seeds[0])
        before = {name: value.clone() for name, value in work.model.state_dict().items()}
        val, test = self._evaluated(work, "val"), self._evaluated(work, "test")
        _require(test == self._evaluated(work, "test"), "the test figures change from call to call")
        _require(val == self._evaluated(work, "val"), "the validation figures change from call to call")
        _require(same(before, work.model.state_dict()), "evaluation changed the model")

    def test_evaluation_is_the_same_for_every_seed(self) -> None:
        """Runs of different seeds are judged on the same validation and test batches."""
        one, other = (self.build(seed) for seed in self.seeds)
        _require(same(list(one.val()), list(other.val())), "val() depends on the seed")
        if one.test is not None and other.test is not None:
            _require(same(list(one.test()), list(other.test())), "test() depends on the seed")

    def test_sums_add_up(self) -> None:
        """The figures of all validation batches follow from those of the single batches."""
        work = self.build(self.seeds[0])
        whole = self._evaluated(work, "val")
        for name, value in whole.items():
            total, count = 0.0, 0
            work.model.eval()
            for batch in work.val():
                with torch.no_grad():
                    part, size = work.metrics(work.model, batch)[name.removeprefix("val_")]
                total, count = total + float(part), count + size
            _require(abs(total / count - value) <= 1e-9 * (1 + abs(value)), f"{name} does not add up")

    def test_the_global_random_state_does_not_matter(self) -> None:
        """What was drawn before decides nothing, and building and reading leave the state as it was."""
        works = []
        with torch.random.fork_rng(devices=[]):
            for global_seed in (1, 2):
                torch.default_generator.manual_seed(global_seed)
                state = torch.get_rng_state()
                work = self.build(self.seeds[0])
                works.append((work.model.state_dict(), self._epoch(work, 0), self._evaluated(work, "val")))
                _require(same(state, torch.get_rng_state()), "the task draws from torch's global random state")
        _require(same(*works), "the task depends on torch's global random state")

    def _epoch(self, work: Workload, epoch: int) -> list[Batch]:
        return list(islice(work.train(epoch), self.max_batches))

    def _evaluated(self, work: Workload, part: str) -> dict[str, float]:
        batches = work.val if part == "val" or work.test is None else work.test
        return evaluate(work.model, batches(), work.metrics, part)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
