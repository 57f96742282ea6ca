"""What every engine promises, as tests: subclass `EngineContract` and give it your engine.

class TestMine(EngineContract):
    def engine(self, store: Path | None) -> Engine:
        return Mine(store=store)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stepwell.engines.engine import Engine, Event, Failed, Finished, Progress, Started
from stepwell.errors import EngineError
from stepwell.record.run import Ending, Run
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon
from stepwell.tasks.task import Workload
from stepwell.tasks.train import train

STEPS_PER_EPOCH = 5


class EngineContract:
    """The promises of an engine. Each test makes its own; `close` is called for you."""

    def engine(self, store: Path | None) -> Engine:
        """A new engine that keeps its runs in `store`."""
        raise NotImplementedError("return your engine")

    def test_results_are_those_of_the_loop_whatever_the_order(self) -> None:
        """Learning, diverging and broken trials: each ends once, and as if it were alone in the world."""
        calm = [contract_trial(seed=seed, base_lr=base_lr) for seed in (1, 2) for base_lr in (0.1, 0.2)]
        wild, broken = contract_trial(base_lr=1e38, optimizer="sgd"), contract_trial(fails_at=7)
        trials = [*calm[:2], broken, wild, *calm[2:]]
        engine = self.engine(None)
        try:
            forwards = _ends(list(engine.run(trials)), trials)
            backwards = _ends(list(engine.run(trials[::-1])), trials)
        finally:
            engine.close()
        for trial in (*calm, wild):
            alone = train(trial)
            for ended in (forwards[trial.key()], backwards[trial.key()]):
                assert isinstance(ended, Finished), ended
                assert_same(ended.run, alone)
        for ended in (forwards[broken.key()], backwards[broken.key()]):
            assert isinstance(ended, Failed), ended
            assert "the loss is out of order" in ended.error
            assert "contract.py:" in ended.error

    def test_closing_keeps_what_was_done(self, tmp_path: Path) -> None:
        """Closed in the middle, every begun trial has ended or left a checkpoint; a new engine goes on from there."""
        store = tmp_path / "runs.sqlite"
        trials = [contract_trial(seed=seed, total_steps=22, delay=0.01) for seed in range(3)]
        engine = self.engine(store)
        events = engine.run(trials)
        for event in events:
            if isinstance(event, Progress | Finished):
                break
        engine.close()
        assert not [event for event in events if isinstance(event, Started | Finished)], "it goes on after close"
        engine.close()
        with Store.open(store) as kept:
            begun = kept.summaries()
            assert begun
            for run in begun:
                halted = run.outcome.ending is Ending.STOPPED and kept.load_checkpoint(run.id) is not None
                assert halted or kept.finished([run.id]), run
        engine = self.engine(store)
        try:
            ended = _ends(list(engine.run(trials)), trials)
        finally:
            engine.close()
        with Store.open(store) as kept:
            assert kept.finished([trial.key() for trial in trials]) == ended.keys()
            for trial in trials:
                assert_same(kept.load(trial.key()), train(trial))

    def test_nothing_to_do(self) -> None:
        """No trials, no events; closing what never ran is no error."""
        engine = self.engine(None)
        assert list(engine.run([])) == []
        engine.close()
        engine.close()

    def test_the_same_run_twice_is_an_error(self) -> None:
        """Two trials with one key would write one run."""
        engine = self.engine(None)
        try:
            list(engine.run([contract_trial(), contract_trial()]))
        except EngineError as error:
            assert "twice" in str(error)  # noqa: PT017  # this file must not need pytest
        else:
            raise AssertionError("two equal trials were taken")
        finally:
            engine.close()


def contract_trial(
    *, seed: int = 0, base_lr: float = 0.1, optimizer: str = "momentum", total_steps: int = 12, **arguments: Any
) -> Trial:
    """A trial of `contract_task` that takes milliseconds."""
    strategy = Strategy(f"contract {seed} {base_lr:g}", "cosine to 0", optimizer)
    task = TaskRef("stepwell.engines.contract:contract_task", arguments)
    return Trial(task, strategy, base_lr, seed, Horizon(total_steps, STEPS_PER_EPOCH))


def contract_task(seed: int, *, delay: float = 0.0, fails_at: int | None = None) -> Workload:
    """A small network with dropout, whose data come from the global generator: all that could leak between trials."""
    calls = 0

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise ValueError("the loss is out of order")
        return _errors(model, batch).mean()

    def batches(epoch: int) -> Iterator[Tensor]:
        for _ in range(STEPS_PER_EPOCH):
            time.sleep(delay)
            yield torch.randn(16, 4)

    fixed = torch.linspace(-1, 1, 64).reshape(16, 4)
    return Workload(
        model=nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 1)),
        loss=loss,
        train=batches,
        steps_per_epoch=STEPS_PER_EPOCH,
        val=lambda: [fixed],
        metrics=lambda model, batch: {"loss": ((model(batch) - batch.sum(1, keepdim=True)).square().sum(), len(batch))},
    )


def _errors(model: nn.Module, batch: Tensor) -> Tensor:
    outputs: Tensor = model(batch)
    return (outputs - batch.sum(1, keepdim=True)).square()


def assert_same(left: Run, right: Run) -> None:
    """The two runs are the same bit for bit, but for how long they took."""
    for ours, theirs in ((left.columns, right.columns), (left.evals, right.evals)):
        assert {name: column.tobytes() for name, column in ours.items()} == {
            name: column.tobytes() for name, column in theirs.items()
        }
    results = [{k: repr(v) for k, v in run.results.items() if not k.endswith("seconds")} for run in (left, right)]
    assert results[0] == results[1]
    assert (left.id, left.outcome, left.settings) == (right.id, right.outcome, right.settings)


def _ends(events: Sequence[Event], trials: Sequence[Trial]) -> dict[str, Finished | Failed]:
    """How each trial ended, by key; each ends exactly once, and nothing is heard of it afterwards."""
    ends: dict[str, Finished | Failed] = {}
    for event in events:
        assert event.trial.key() not in ends, f"{event} comes after the end"
        if isinstance(event, Finished | Failed):
            ends[event.trial.key()] = event
    assert ends.keys() == {trial.key() for trial in trials}
    return ends
