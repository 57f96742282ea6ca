import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stepwell.errors import HorizonError, OptimizerError, OptionError, ScheduleError, TaskError
from stepwell.record.run import Ending, Run
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon
from stepwell.tasks import training
from stepwell.tasks.train import train

TASKS = Path(__file__).with_name("tiny_tasks.py")
HORIZON = Horizon(total_steps=22, steps_per_epoch=5)


def trial(
    schedule: str = "cosine to 0",
    base_lr: float = 0.2,
    seed: int = 3,
    *,
    task: str = "tiny",
    optimizer: str = "momentum",
    budget: Horizon = HORIZON,
    **arguments: Any,
) -> Trial:
    return Trial(TaskRef(f"{TASKS}:{task}", arguments), Strategy("ours", schedule, optimizer), base_lr, seed, budget)


def assert_same(left: Run, right: Run) -> None:
    """The same run, but for how long it took."""
    for name in ("columns", "evals"):
        ours, theirs = getattr(left, name), getattr(right, name)
        assert ours.keys() == theirs.keys()
        for column in ours:
            np.testing.assert_array_equal(ours[column], theirs[column], err_msg=column)
    untimed = [{k: repr(v) for k, v in run.results.items() if not k.endswith("seconds")} for run in (left, right)]
    assert untimed[0] == untimed[1]
    for name in ("id", "name", "outcome", "schedule", "horizon", "base_lr", "optimizer", "task", "seed", "settings"):
        assert getattr(left, name) == getattr(right, name), name


def stops_at(step: int) -> Any:
    """`progress` and `should_stop` that stop a run when it has made so many updates."""
    made = [0]
    return {"progress": lambda step: made.__setitem__(0, step), "should_stop": lambda: made[0] == step}


def test_a_run_holds_what_happened() -> None:
    run = train(trial())
    assert run.outcome.ending is Ending.FINISHED
    assert run["step"].tolist() == list(range(22))
    np.testing.assert_allclose(run["lr"], 0.1 * (1 + np.cos(np.pi * np.arange(22) / 22)), rtol=1e-12)
    assert run.evals["step"].tolist() == [0, 5, 10, 15, 20, 22]
    assert run.results["initial_val_loss"] == run.evals["val_loss"][0]
    assert run.results["final_val_loss"] == run.evals["val_loss"][-1]
    assert run.results["best_val_loss"] == run.evals["val_loss"].min()
    assert run.results["test_accuracy"] > run.results["initial_test_accuracy"]
    assert {"seconds", "train_seconds"} <= run.results.keys()
    assert run.settings["threads"] == 1
    assert run.settings["test_split"] is True
    assert run.outcome.words.startswith(f"learned: val_loss {run.results['initial_val_loss']:.2f} -> 0.")
    assert run.outcome.words.endswith("after 22 steps")


def test_without_a_test_split_the_decision_sees_the_validation() -> None:
    run = train(trial(test=False))
    assert run.results["test_loss"] == run.results["final_val_loss"]
    assert run.results["initial_test_accuracy"] == run.results["initial_val_accuracy"]
    assert run.settings["test_split"] is False


def test_the_seed_decides_everything() -> None:
    torch.manual_seed(1)
    first = train(trial(dropout=0.3))
    torch.manual_seed(2)
    assert_same(first, train(trial(dropout=0.3)))
    assert train(trial(dropout=0.3, seed=4))["loss"][0] != first["loss"][0]


def test_strategies_see_the_same_data_and_the_same_network() -> None:
    one, other = train(trial(base_lr=0.2)), train(trial("hold", base_lr=1e-9))
    assert one["loss"][0] == other["loss"][0]
    assert one.results["initial_val_loss"] == other.results["initial_val_loss"]


def test_everything_global_is_as_before_afterwards() -> None:
    def globals_now() -> list[Any]:
        return [random.random(), np.random.rand(), torch.rand(1).item(), torch.get_num_threads()]

    def seeded() -> None:
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)

    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    try:
        torch.set_num_threads(2)
        seeded()
        expected = globals_now()
        seeded()
        train(trial(dropout=0.3))
        assert globals_now() == expected
        with pytest.raises(TaskError):
            train(trial(task="broken"))
        assert torch.get_num_threads() == 2
        assert torch.get_deterministic_debug_mode() == mode
    finally:
        torch.set_num_threads(threads)


PLATEAU = "(linear 0..1 for 3 | hold) * plateau(x0.5, patience 0, threshold 0.5)"


@pytest.mark.parametrize("stop", [0, 1, 7, 10, 21])
@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_a_stopped_run_goes_on_to_the_same_result(tmp_path: Path, stop: int, optimizer: str) -> None:
    wanted = trial(PLATEAU, 0.02, dropout=0.3, optimizer=optimizer)
    straight = train(wanted)
    assert straight["lr"][-1] < straight["lr"][4]  # the plateau has cut
    with Store.open(tmp_path / "runs.sqlite") as store:
        halted = train(wanted, store=store, **stops_at(stop))
        assert (halted.outcome.ending, halted.outcome.step) == (Ending.STOPPED, stop)
        assert store.load_checkpoint(wanted.key()) is not None
        heard: list[int] = []
        resumed = train(wanted, store=store, progress=heard.append)
        assert heard == list(range(stop, 22))
        assert_same(resumed, straight)
        assert_same(store.load(wanted.key()), straight)
        assert store.load_checkpoint(wanted.key()) is None
        assert resumed.results["seconds"] > halted.results["seconds"]


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = trial(dropout=0.3)
    straight = train(wanted)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 0.0)

    def die(step: int) -> None:
        if step == 13:
            raise MemoryError

    with Store.open(tmp_path / "runs.sqlite") as store:
        with pytest.raises(MemoryError):
            train(wanted, store=store, progress=die)
        kept = store.load_checkpoint(wanted.key())
        assert kept is not None
        assert kept[0] == 12
        assert_same(train(wanted, store=store), straight)


def test_a_run_stopped_twice(tmp_path: Path) -> None:
    wanted = trial(dropout=0.3)
    with Store.open(tmp_path / "runs.sqlite") as store:
        for stop in (2, 4, 17):
            train(wanted, store=store, **stops_at(stop))
        assert_same(train(wanted, store=store), train(wanted))


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    wanted = trial()
    with Store.open(tmp_path / "runs.sqlite") as store:
        first = train(wanted, store=store)
        renamed = replace(wanted, strategy=replace(wanted.strategy, name="theirs"))
        again = train(renamed, store=store, should_stop=lambda: pytest.fail("it trains"))
        assert again.name == "theirs"
        assert_same(replace(again, name="ours"), first)


def test_without_a_store_stopping_keeps_nothing() -> None:
    run = train(trial(), **stops_at(9))
    assert run.outcome.ending is Ending.STOPPED
    assert "test_loss" not in run.results
    assert run.outcome.words == "stopped after 9 of 22 steps; without a store it begins again"


def test_a_rate_far_too_high_diverges() -> None:
    run = train(trial("hold", 1e38, optimizer="sgd"))
    assert run.outcome.ending is Ending.DIVERGED
    assert run.outcome.step == run.num_steps < 22
    assert run.outcome.words.startswith(f"diverged at step {run.num_steps}: ")
    assert run.outcome.words.endswith("at rate 1e+38")
    assert math.isnan(run.results["test_loss"])
    assert math.isnan(run.results["final_val_accuracy"])
    assert math.isfinite(run.results["initial_test_loss"])


def test_a_rate_too_high_diverges_without_overflow() -> None:
    run = train(trial("hold", 100.0, optimizer="sgd"))
    assert run.outcome.ending is Ending.DIVERGED
    assert run.num_steps == 22
    assert math.isfinite(run.results["test_loss"])
    assert run.outcome.words.startswith("diverged: the training loss went from ")


@pytest.mark.parametrize("where", ["loss", "val", "test"])
def test_code_that_raises_on_lost_numbers_has_diverged(where: str) -> None:
    run = train(trial("hold", 1e25, task="careful", where=where, optimizer="sgd", budget=Horizon(2, 5)))
    assert run.outcome.ending is Ending.DIVERGED
    assert run.outcome.step == run.num_steps == (1 if where == "loss" else 2)
    first = run["loss"][0] if where == "loss" else run.results[f"initial_{where}_loss"]
    change = {
        "loss": "the network's outputs are not finite, which the task answers with ValueError; "
        f"the loss went from {first:.2f} to {first:.2f}",
        "val": f"val_loss went from {first:.2f} to nan",
        "test": f"test_loss went from {first:.2f} to nan",
    }
    assert run.outcome.words == f"diverged at step {run.num_steps}: {change[where]} at rate 1e+25"
    assert math.isnan(run.results["test_loss"])


def test_code_that_raises_with_sound_numbers_is_to_blame_itself() -> None:
    with pytest.raises(TaskError, match="was making update 7: ValueError: the loss is out of order"):
        train(trial(task="broken"))


def test_a_rate_far_too_low_does_not_learn() -> None:
    run = train(trial("hold", 1e-6))
    assert run.outcome.ending is Ending.NOT_LEARNING
    assert run.num_steps == 22


@pytest.mark.parametrize(("goal", "mode"), [("val_loss", ""), ("val_accuracy", ""), ("val_accuracy", ", max")])
def test_feedback_gets_the_goal_the_right_way_round(goal: str, mode: str) -> None:
    improving = train(trial(f"hold * plateau(x0.5, patience 2{mode})", 0.05, goal=goal))
    assert improving["lr"].tolist() == [0.05] * 22


def test_reading_losses_late_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(self: training.Training) -> None:
        begin(self)
        self.read_every = 4

    good, bad = trial(), trial("hold", 1e38, optimizer="sgd")
    expected = train(good), train(bad)
    begin = training.Training.begin
    monkeypatch.setattr(training.Training, "begin", late)
    assert_same(train(good), expected[0])
    seen = train(bad)
    assert seen.outcome.step == expected[1].outcome.step
    assert seen.outcome.ending is Ending.DIVERGED


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("loss", "was making update 7: ValueError: the loss is out of order"),
        ("short", "gave 3 batches, its steps_per_epoch is 5"),
        ("nan", "is nan before any update"),
        ("goal", "is 'val_f1', metrics give val_loss, val_accuracy"),
        ("build", "was called with seed 3: ValueError"),
    ],
)
def test_a_broken_task_is_named_with_its_line(tmp_path: Path, where: str, words: str) -> None:
    wanted = trial(task="broken", where=where)
    with Store.open(tmp_path / "runs.sqlite") as store:
        with pytest.raises(TaskError) as caught:
            train(wanted, store=store)
        assert words in str(caught.value)
        assert f"{TASKS.name}:" in str(caught.value)
        assert not store.finished([wanted.key()])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"budget": Horizon()}, HorizonError, "needs an end"),
        ({"budget": Horizon(22, 7)}, HorizonError, "7 steps per epoch"),
        ({"schedule": "lin 0..1"}, ScheduleError, "lin"),
        ({"schedule": "linear 0..1 for 40 | hold"}, ScheduleError, "40"),
        ({"optimizer": "addam"}, OptimizerError, "did you mean 'adam'"),
        ({"base_lr": math.nan}, OptimizerError, "nan"),
        ({"seed": -1}, OptionError, "at least 0, got -1"),
    ],
)
def test_a_trial_that_cannot_be(change: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        train(trial(**change))
    assert words in str(caught.value)


def test_the_budget_may_leave_the_epoch_to_the_task() -> None:
    run = train(trial(budget=Horizon(7)))
    assert run.horizon == Horizon(7, 5)
    assert run.evals["step"].tolist() == [0, 5, 7]


def test_a_task_may_be_a_plain_function() -> None:
    from torch import nn

    from stepwell.tasks.task import Workload

    def line(seed: int) -> Workload:
        def batches(epoch: int = 0) -> Iterator[torch.Tensor]:
            yield torch.ones(4, 1)

        return Workload(
            model=nn.Linear(1, 1),
            loss=lambda model, batch: (model(batch) - 3).square().mean(),
            train=batches,
            steps_per_epoch=1,
            val=batches,
            metrics=lambda model, batch: {"loss": ((model(batch) - 3).square().sum(), len(batch))},
        )

    run = train(replace(trial(budget=Horizon(50, 1)), task=TaskRef("line")), task=line)
    assert run.outcome.ending is Ending.FINISHED
    assert run.results["test_loss"] < 0.01
