from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stepwell.drive import recorder as recorder_module
from stepwell.drive.readings import Reading, gradient_norm, numbers
from stepwell.drive.recorder import FLUSH_ROWS, Recorder
from stepwell.errors import OptimizerError, OptionError, ResumeError, ScheduleError, StoreError
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import Store
from stepwell.schedule import Horizon, Plateau
from stepwell.schedule import schedule as read_schedule


def weight(value: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.tensor([value], dtype=torch.float64))


def sgd(lr: float = 0.25, **options: Any) -> torch.optim.SGD:
    return torch.optim.SGD([weight()], lr=lr, **options)


def update(optimizer: torch.optim.Optimizer) -> Tensor:
    """One update that minimises the squares of all parameters; the loss before it."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    loss = torch.stack([(p**2).sum() for p in parameters]).sum()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss


def same(one: Run, other: Run) -> bool:
    return (
        one.outcome == other.outcome
        and list(one.columns) == list(other.columns)
        and list(one.evals) == list(other.evals)
        and all(one[name].tobytes() == other[name].tobytes() for name in [*one.columns, *one.evals])
        and (one.id, one.name, one.settings, one.results) == (other.id, other.name, other.settings, other.results)
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.sqlite") as opened:
        yield opened


def test_the_rate_of_a_row_is_the_one_that_its_update_used() -> None:
    optimizer = sgd(0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    with Recorder(optimizer) as recorder:
        for _ in range(4):
            before = optimizer.param_groups[0]["params"][0].item()
            loss = update(optimizer)
            scheduler.step()  # the group already holds the next rate when `step` is called
            recorder.step(loss)
            after = optimizer.param_groups[0]["params"][0].item()
            used = recorder.snapshot()["lr"][-1]
            assert after == pytest.approx(before - used * 2 * before, rel=1e-15)
    assert recorder.num_steps == 4


def test_every_group_has_its_column_from_when_it_was_there() -> None:
    optimizer = torch.optim.SGD([{"params": [weight()], "lr": 0.1}, {"params": [weight()], "lr": 0.2}])
    with Recorder(optimizer) as recorder:
        recorder.step(update(optimizer))
        optimizer.add_param_group({"params": [weight()], "lr": 0.3})
        recorder.step(update(optimizer))
        run = recorder.finish()
    assert list(run.columns) == ["step", "loss", "lr", "lr.1", "lr.2"]
    assert run["lr"].tolist() == [0.1, 0.1]
    assert run["lr.1"].tolist() == [0.2, 0.2]
    np.testing.assert_array_equal(run["lr.2"], [np.nan, 0.3])


def test_a_tensor_rate_is_read_before_it_is_changed_in_place() -> None:
    rate = torch.tensor(0.5, dtype=torch.float64)
    optimizer = torch.optim.Adam([weight()], lr=rate, capturable=False, foreach=False)
    with Recorder(optimizer) as recorder:
        for _ in range(3):
            recorder.step(update(optimizer))
            rate.mul_(0.5)
        assert recorder.finish()["lr"].tolist() == [0.5, 0.25, 0.125]


def test_accumulation_leaves_one_row_per_update() -> None:
    optimizer = sgd()
    with Recorder(optimizer) as recorder:
        for micro in range(8):
            loss = torch.tensor(float(micro))
            if micro % 4 == 3:
                update(optimizer)
            recorder.step(loss)
        assert recorder.finish(Ending.FINISHED)["loss"].tolist() == [3.0, 7.0]


@pytest.mark.parametrize("fused", [False, True])
def test_an_update_that_a_grad_scaler_skips_leaves_no_row(fused: bool) -> None:
    parameter = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([parameter], lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    with Recorder(optimizer, grad_norm=True) as recorder:
        for index in range(6):
            loss = (parameter * (float("inf") if index in (1, 4) else 1.0)).sum()
            optimizer.zero_grad()
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.step(optimizer)
            scaler.update()
            recorder.step(float(index))
        assert recorder.num_steps == 4
        run = recorder.finish(Ending.FINISHED)
    assert run["step"].tolist() == [0, 1, 2, 3]
    assert run["loss"].tolist() == [0, 2, 3, 5]
    np.testing.assert_allclose(run["grad_norm"], np.sqrt(3), rtol=1e-6)  # unscaled, fused or not


def test_a_failed_update_leaves_no_row() -> None:
    optimizer = sgd()

    def closure() -> float:
        raise RuntimeError("out of memory")

    with Recorder(optimizer) as recorder:
        with pytest.raises(RuntimeError, match="out of memory"):
            optimizer.step(closure)
        recorder.step(9.0)
        recorder.step(update(optimizer))
        assert recorder.finish()["loss"].tolist() == [1.0]


def test_updates_without_a_loss_have_nan() -> None:
    optimizer = sgd()
    with Recorder(optimizer) as recorder:
        update(optimizer)
        update(optimizer)
        recorder.step(7.0)
        update(optimizer)
        run = recorder.finish(Ending.FINISHED)
    np.testing.assert_array_equal(run["loss"], [np.nan, 7.0, np.nan])
    assert run["lr"].tolist() == [0.25] * 3


def test_the_gradient_norm_is_the_one_after_clipping() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.tensor([3.0, 4.0])), nn.Parameter(torch.tensor([12.0]))], lr=0.0)
    parameters = optimizer.param_groups[0]["params"]
    with Recorder(optimizer, grad_norm=True) as recorder:
        recorder.step(update(optimizer))
        for _ in range(2):
            torch.stack([(p**2).sum() for p in parameters]).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 0.5)
        optimizer.step()
        recorder.step(1.0)
        optimizer.zero_grad()
        optimizer.step()
        recorder.step(1.0)
        run = recorder.finish(Ending.FINISHED)
    np.testing.assert_allclose(run["grad_norm"], [26.0, 0.5, np.nan], rtol=1e-5)


@pytest.mark.parametrize("every", [True, 1, 2, 3, 50])
def test_the_gradient_norm_is_read_at_every_nth_update_also_after_going_back(every: int) -> None:
    parameter = weight()
    optimizer = torch.optim.SGD([parameter], lr=0.0)

    def make(recorder: Recorder, updates: range) -> None:
        for number in updates:
            parameter.grad = torch.full_like(parameter, float(number))
            optimizer.step()
            recorder.step(0.0)
            if number % 4 == 1:
                recorder.flush()

    with Recorder(optimizer, grad_norm=every) as recorder:
        make(recorder, range(8))
        recorder.rewind(5)
        make(recorder, range(5, 11))
        run = recorder.finish(Ending.FINISHED)
    size = np.sqrt(parameter.numel())
    expected = [size * number if number % every == 0 else np.nan for number in range(11)]
    np.testing.assert_allclose(run["grad_norm"], expected, rtol=1e-6)


@pytest.mark.parametrize("every", [-1, 2.5, "4", None])
def test_an_interval_of_the_gradient_norm_that_cannot_be_is_refused(every: Any) -> None:
    with pytest.raises(OptionError, match="grad_norm is True, or a number n for every n-th update, got"):
        Recorder(sgd(), grad_norm=every)


def test_the_gradient_norm_counts_sparse_gradients_and_leaves_closures_out() -> None:
    embedding = nn.Embedding(10, 2, sparse=True)
    optimizer = torch.optim.SGD(embedding.parameters(), lr=0.1)
    embedding(torch.tensor([3, 3, 4])).sum().backward()
    assert float(gradient_norm(optimizer)) == pytest.approx(np.sqrt(2 * 4 + 2 * 1))

    parameter = weight()
    lbfgs = torch.optim.LBFGS([parameter], lr=0.5)

    def closure() -> Tensor:
        lbfgs.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with Recorder(lbfgs, grad_norm=True) as recorder:
        recorder.step(lbfgs.step(closure))  # type: ignore[no-untyped-call]
        run = recorder.finish(Ending.FINISHED)
    np.testing.assert_array_equal(run["grad_norm"], [np.nan])
    assert run["lr"].tolist() == [0.5]


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -1.5, 3, np.float32(0.25), torch.tensor(float("nan"))])
def test_a_loss_is_recorded_as_it_is(loss: Any) -> None:
    optimizer = sgd()
    recorder = Recorder(optimizer)
    update(optimizer)
    recorder.step(loss)
    np.testing.assert_array_equal(recorder.finish(Ending.FINISHED)["loss"], [float(loss)])


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (torch.ones(32), r"the loss must be one number, got a tensor of shape \(32,\); take its mean"),
        ("0.3", "the loss must be a number, got '0.3'"),
        (None, "the loss must be a number, got None"),
    ],
)
def test_a_loss_that_is_no_number_is_refused(loss: Any, says: str) -> None:
    optimizer = sgd()
    recorder = Recorder(optimizer)
    update(optimizer)
    with pytest.raises(OptionError, match=says):
        recorder.step(loss)


def test_what_is_no_optimizer_is_refused() -> None:
    with pytest.raises(OptimizerError, match="a recorder needs a torch optimizer, got Linear"):
        Recorder(nn.Linear(1, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("argument", "given", "says"),
    [
        ("store", "my.sqlite", r"store is an open Store, got 'my.sqlite'; type: store=Store.open\('my.sqlite'\)"),
        ("store", Path("my.sqlite"), r"type: store=Store.open\('my.sqlite'\)"),
        ("store", 3, r"store is an open Store, got 3; type: store=Store.open\('runs.sqlite'\)"),
        ("base_lr", "x", "base_lr is a finite number of at least 0 such as 0.1, got 'x'"),
        ("base_lr", float("nan"), "at least 0 such as 0.1, got nan"),
        ("task", 3, "task is a text, got 3; type: task='3'"),
        ("name", None, "name is a text, got None; type: name='run'"),
        ("run_id", 7, "run_id is a text, got 7; type: run_id='7'"),
        ("optimizer_name", torch.optim.SGD, "optimizer_name is a text, got <class"),
        ("seed", "one", "seed is a whole number such as 0, got 'one'"),
        ("seed", 1.5, "seed is a whole number such as 0, got 1.5"),
        ("horizon", 100, r"horizon is a Horizon, got 100; type: horizon=Horizon\(100\)"),
        ("settings", "fast", "settings are values by name, as in settings={'threads': 1}, got 'fast'"),
    ],
)
def test_an_argument_of_another_kind_is_refused_before_the_loop(argument: str, given: Any, says: str) -> None:
    optimizer = sgd()
    with pytest.raises(OptionError, match=says):
        Recorder(optimizer, **{argument: given})
    assert not optimizer._optimizer_step_pre_hooks  # it is not listened to


@pytest.mark.parametrize(("given", "says"), [("cosin", "did you mean 'cosine'?"), (3, "got int 3")])
def test_a_schedule_that_cannot_be_read_is_refused_before_the_loop(given: Any, says: str) -> None:
    with pytest.raises(ScheduleError, match=re.escape(says)):
        Recorder(sgd(), schedule=given)


@pytest.mark.parametrize("given", ["cosine 1..0", "hold * plateau(x0.5)", read_schedule("cosine 1..0"), Plateau(0.5)])
def test_the_schedule_of_a_run_is_a_text_that_reads_as_it_was_given(store: Store, given: Any) -> None:
    Recorder(sgd(), store=store, run_id="a", schedule=given).finish()
    kept = store.load("a").schedule
    assert kept is not None
    assert read_schedule(kept) == read_schedule(given)


def test_a_rate_that_is_no_number_is_refused_before_the_loop() -> None:
    optimizer = sgd()
    optimizer.param_groups[0]["lr"] = "0.1x"
    with pytest.raises(OptimizerError, match=r"group 0 has the lr '0\.1x'; give it a number such as 0\.1"):
        Recorder(optimizer)


def test_numbers_of_other_kinds_are_stored_as_plain_ones(store: Store) -> None:
    Recorder(sgd(), store=store, run_id="a", base_lr=np.float32(0.5), seed=np.int64(3)).finish()  # type: ignore[arg-type]
    loaded = store.load("a")
    assert (loaded.base_lr, loaded.seed) == (0.5, 3)


def test_readings_of_several_kinds_come_in_their_places() -> None:
    readings: list[Reading] = [1.0, torch.tensor(2.0), torch.tensor([3.0], dtype=torch.bfloat16), 4, torch.tensor(5.0)]
    assert numbers(readings).tolist() == [1, 2, 3, 4, 5]


def test_a_run_says_what_it_was() -> None:
    optimizer = sgd(0.5)
    torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.1)  # the rate is now 0.05, the base rate 0.5
    horizon = Horizon.epochs(2, steps_per_epoch=3)
    recorder = Recorder(
        optimizer, name="mine", schedule="hold", horizon=horizon, task="toy", seed=3, settings={"threads": 1}
    )
    run = recorder.finish()
    assert (run.name, run.schedule, run.horizon, run.task, run.seed) == ("mine", "hold", horizon, "toy", 3)
    assert (run.base_lr, run.optimizer, run.settings) == (0.5, "SGD", {"threads": 1})
    assert Recorder(optimizer).run_id != Recorder(optimizer).run_id


def test_a_run_prints_as_one_line_with_its_last_figures() -> None:
    optimizer = sgd()
    recorder = Recorder(optimizer, run_id="a", name="mine", task="toy")
    assert repr(recorder.snapshot()) == "Run('a', 'mine' on 'toy', 0 steps, running)"
    loop(recorder, optimizer, 0, 2)
    recorder.evaluate(val_loss=0.0625, val_accuracy=2 / 3)
    assert repr(recorder.finish(seconds=1.5)) == (
        "Run('a', 'mine' on 'toy', 2 steps, learned: the loss went from 1 to 0.5 in 2 updates, "
        "loss=0.5, val_loss=0.0625, val_accuracy=0.6667, seconds=1.5)"
    )


@pytest.mark.parametrize(
    ("losses", "ending", "words"),
    [
        ([2.0, 1.0], Ending.FINISHED, "the loss went from 2 to 1 in 2 updates"),
        ([2.0] * 20, Ending.NOT_LEARNING, "the loss went from 2 to 2 in 20 updates"),
        ([2.0, float("nan")], Ending.DIVERGED, "the loss is nan at step 1"),
        ([], Ending.NOT_LEARNING, "no update was made"),
    ],
)
def test_without_an_outcome_the_losses_decide(losses: list[float], ending: Ending, words: str) -> None:
    optimizer = sgd()
    with Recorder(optimizer) as recorder:
        for loss in losses:
            update(optimizer)
            recorder.step(loss)
        run = recorder.finish(final_val_loss=torch.tensor(0.5))
    assert run.outcome == Outcome(ending, len(losses), words)
    assert run.results == {"final_val_loss": 0.5}


def test_finish_lets_go_of_the_optimizer() -> None:
    optimizer = sgd()
    recorder = Recorder(optimizer)
    recorder.step(update(optimizer))
    recorder.finish()
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    for late in (lambda: recorder.step(update(optimizer)), lambda: recorder.finish()):
        with pytest.raises(OptionError, match="has finished"):
            late()


def test_evaluations_stand_at_the_updates_made_before_them() -> None:
    optimizer = sgd()
    with Recorder(optimizer) as recorder:
        recorder.evaluate(val_loss=3.0)
        for step in range(4):
            recorder.step(update(optimizer))
            if step % 2:
                recorder.evaluate(val_loss=torch.tensor(1.0 / step))
                recorder.evaluate(val_accuracy=step)  # the same row
        run = recorder.finish()
    assert run.evals["step"].tolist() == [0, 2, 4]
    np.testing.assert_allclose(run["val_loss"], [3.0, 1.0, 1 / 3], rtol=1e-6)
    np.testing.assert_array_equal(run["val_accuracy"], [np.nan, 1, 3])


@pytest.mark.parametrize("figures", [{}, {"step": 3.0}])
def test_an_evaluation_needs_figures_with_names(figures: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="evaluate takes figures by name"):
        Recorder(sgd()).evaluate(**figures)


def loop(recorder: Recorder, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        update(optimizer)
        recorder.step(1.0 / (1 + step))
        if step % 5 == 4:
            recorder.evaluate(val_loss=2.0 / (1 + step))


@pytest.mark.parametrize("flush_rows", [1, 3, 256])
def test_the_stored_run_is_the_returned_run(store: Store, monkeypatch: pytest.MonkeyPatch, flush_rows: int) -> None:
    monkeypatch.setattr(recorder_module, "FLUSH_ROWS", flush_rows)
    optimizer = sgd()
    with Recorder(optimizer, store=store, settings={"threads": 1}, run_id="a") as recorder:
        loop(recorder, optimizer, 0, 23)
        assert store.load("a").outcome.ending is Ending.RUNNING
        run = recorder.finish(Ending.FINISHED, test_loss=0.5)
    assert same(store.load("a"), run)
    assert same(run, store.load("a"))
    assert run.num_steps == 23


def test_no_more_than_the_bound_is_waiting(store: Store) -> None:
    optimizer = sgd(0.0)
    with Recorder(optimizer, store=store, run_id="a") as recorder:
        for step in range(600):
            update(optimizer)
            recorder.step(1.0)
            assert store.summaries()[0].num_steps > step + 1 - FLUSH_ROWS
        recorder.finish(Ending.FINISHED)


def test_time_alone_flushes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("stepwell.drive.recorder.time.monotonic", lambda: now)
    optimizer = sgd(0.0)
    recorder = Recorder(optimizer, store=store, run_id="a")
    for step in range(20):
        now = step * 0.7
        update(optimizer)
        recorder.step(1.0)
        unstored = [at for at in range(int(store.summaries()[0].num_steps), step + 1) if at * 0.7 <= now - 2.0]
        assert unstored == []


@pytest.mark.parametrize(
    ("error", "ending", "words"),
    [
        (RuntimeError("no luck"), Ending.FAILED, "RuntimeError: no luck"),
        (FileNotFoundError("caf\udce9.txt"), Ending.FAILED, "FileNotFoundError: caf\\udce9.txt"),
        (KeyboardInterrupt(), Ending.STOPPED, "stopped after 3 updates"),
        (SystemExit(1), Ending.STOPPED, "stopped after 3 updates"),
    ],
)
def test_an_exception_ends_the_run_and_stores_it(
    store: Store, error: BaseException, ending: Ending, words: str
) -> None:
    optimizer = sgd()

    def train() -> None:
        with Recorder(optimizer, store=store, run_id="a") as recorder:
            loop(recorder, optimizer, 0, 3)
            recorder.checkpoint(b"state")
            raise error

    with pytest.raises(type(error)):
        train()
    assert store.load("a").outcome == Outcome(ending, 3, words)
    assert store.load("a").num_steps == 3
    assert store.load_checkpoint("a") == (3, b"state")
    assert not optimizer._optimizer_step_pre_hooks


def test_a_store_that_fails_while_an_error_passes_does_not_hide_it(store: Store) -> None:
    optimizer = sgd()

    def train() -> None:
        with Recorder(optimizer, store=store) as recorder:
            loop(recorder, optimizer, 0, 3)
            store._connection.execute("PRAGMA query_only = ON")
            raise RuntimeError("the first")

    with pytest.raises(RuntimeError, match="the first") as caught:
        train()
    assert "The run could not be stored either: the run store" in caught.value.__notes__[0]


def test_a_full_disk_loses_no_row_that_is_still_in_memory(store: Store) -> None:
    optimizer = sgd(0.0)
    recorder = Recorder(optimizer, store=store, run_id="a")
    loop(recorder, optimizer, 0, 3)
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        recorder.flush()
    with pytest.raises(StoreError):
        recorder.finish(Ending.FINISHED)
    store._connection.execute("PRAGMA query_only = OFF")
    assert same(recorder.finish(Ending.FINISHED), store.load("a"))
    assert store.load("a").num_steps == 3


def test_a_setting_that_cannot_be_stored_is_an_error_at_the_first_update(store: Store) -> None:
    optimizer = sgd()
    recorder = Recorder(optimizer, store=store, settings={"device": torch.device("cpu")})
    with pytest.raises(StoreError, match=r"the setting 'device' must be a number, a text, .* got device"):
        loop(recorder, optimizer, 0, 1)
    assert store.summaries() == []


@pytest.mark.parametrize("updates", [0, 1])
def test_a_finished_run_survives_a_second_recorder_of_its_id(store: Store, updates: int) -> None:
    optimizer = sgd()
    with Recorder(optimizer, store=store, run_id="a") as first:
        loop(first, optimizer, 0, 3)
        run = first.finish()
    says = f"the run 'a' in {store.path} has finished; to run it again, type: stepwell runs delete a --store "
    with (
        pytest.raises(StoreError, match=re.escape(f"{says}{store.path}")) as caught,
        Recorder(optimizer, store=store, run_id="a") as again,
    ):
        loop(again, optimizer, 0, updates)
    assert not getattr(caught.value, "__notes__", [])
    assert same(store.load("a"), run)


@pytest.mark.parametrize("killed_at", [5, 7, 12])
def test_a_run_that_goes_on_from_a_checkpoint_is_complete(store: Store, killed_at: int) -> None:
    def whole() -> Run:
        optimizer = sgd(0.0)
        recorder = Recorder(optimizer, run_id="a")
        loop(recorder, optimizer, 0, 20)
        return recorder.finish(Ending.FINISHED)

    optimizer = sgd(0.0)
    first = Recorder(optimizer, store=store, run_id="a")
    loop(first, optimizer, 0, 5)
    first.checkpoint(b"state")
    loop(first, optimizer, 5, killed_at)
    first.flush()  # killed here: no finish

    found = store.load_checkpoint("a")
    assert found == (5, b"state")
    again = sgd(0.0)
    second = Recorder(again, store=store, run_id="a")
    second.rewind(5)
    assert second.num_steps == 5
    loop(second, again, 5, 20)
    run = second.finish(Ending.FINISHED)
    assert same(run, whole())
    assert same(store.load("a"), run)


@pytest.mark.parametrize("with_store", [False, True])
@pytest.mark.parametrize("step", [0, 4, 10])
def test_a_running_recorder_can_go_back(store: Store, with_store: bool, step: int) -> None:
    optimizer = sgd(0.0)
    recorder = Recorder(optimizer, store=store if with_store else None, run_id="a")
    loop(recorder, optimizer, 0, 10)
    recorder.rewind(step)
    loop(recorder, optimizer, step, 13)
    recorder.flush()
    if with_store:
        assert store.load("a")["step"].tolist() == list(range(13))
    run = recorder.finish(Ending.FINISHED)
    assert run["step"].tolist() == list(range(13))
    assert run.evals["step"].tolist() == [5, 10]


def test_going_on_at_a_step_that_was_never_reached_is_refused(store: Store) -> None:
    optimizer = sgd()
    recorder = Recorder(optimizer, store=store, run_id="a")
    loop(recorder, optimizer, 0, 3)
    with pytest.raises(ResumeError, match="the run 'a' has 3 updates, so it cannot go on at 9"):
        recorder.rewind(9)
    with pytest.raises(StoreError, match="there is no run 'b'"):
        Recorder(optimizer, store=store, run_id="b").rewind(3)
    with pytest.raises(OptionError, match="a checkpoint needs a store"):
        Recorder(optimizer).checkpoint(b"")


# Importing torch takes longer than everything else here, so one process imports it and forks those that are killed.
TRAINING = """
import os, sys
import torch
from stepwell.drive.recorder import Recorder
from stepwell.record.store import Store

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.0)
optimizer.step()  # imports as much again

def train(name):
    with Store.open(sys.argv[1]) as store, Recorder(optimizer, store=store, run_id=name) as recorder:
        for step in range(1_000_000):
            optimizer.step()
            recorder.step(float(step))
            os.write(1, b"%d\\n" % (step + 1))  # in one piece, whenever the end comes

for name in sys.stdin:
    child = os.fork()
    if child == 0:
        train(name.strip())
    print("pid", child, flush=True)
    os.waitpid(child, 0)
    print("end", flush=True)
"""


def test_a_killed_process_loses_no_more_than_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    moments = random.Random(11)
    command = [sys.executable, "-c", TRAINING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for attempt in range(6):
            print(f"run-{attempt}", file=process.stdin, flush=True)
            made = child = 0
            kill_after = int(10 ** moments.uniform(0, 3.5))  # updates; some die before the second flush, some late
            for line in process.stdout:
                match line.split():
                    case ["pid", pid]:
                        child = int(pid)
                    case ["end"]:
                        break
                    case [count]:
                        made = int(count)
                if child and made >= kill_after:
                    os.kill(child, signal.SIGKILL)
                    child, kill_after = 0, 10**9
            with closing(sqlite3.connect(path)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            with Store.open(path) as store:
                run = store.load(f"run-{attempt}")
            assert made - FLUSH_ROWS < run.num_steps
            assert run["loss"].tolist() == list(range(run.num_steps))
            assert run.outcome.ending is Ending.RUNNING


def test_nothing_that_a_recorder_does_touches_the_random_numbers() -> None:
    def drawn(record: Callable[[], object]) -> list[float]:
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        record()
        return [torch.rand(1).item(), float(np.random.rand()), random.random()]

    def record() -> None:
        optimizer = sgd()
        with Recorder(optimizer, grad_norm=True) as recorder:
            loop(recorder, optimizer, 0, 3)

    assert drawn(record) == drawn(lambda: None)


def test_the_gradient_norm_is_that_of_all_gradients_together() -> None:
    torch.manual_seed(5)
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in [(3, 4), (7,), (), (0,), (2, 2)]]
    optimizer = torch.optim.SGD([{"params": parameters[:2]}, {"params": parameters[2:]}], lr=0.1)
    gradients = [torch.randn_like(parameter) for parameter in parameters[:-1]]  # one has none
    for parameter, gradient in zip(parameters, gradients, strict=False):
        parameter.grad = gradient
    expected = np.linalg.norm(np.concatenate([gradient.double().numpy().ravel() for gradient in gradients]))
    np.testing.assert_allclose(gradient_norm(optimizer), expected, rtol=1e-6)
    parameters[4].grad = torch.full((2, 2), 1e-3).to_sparse()
    np.testing.assert_allclose(gradient_norm(optimizer), np.hypot(expected, 2e-3), rtol=1e-6)
    for lost in (np.nan, np.inf):
        parameters[0].grad = torch.full((3, 4), lost)
        np.testing.assert_equal(gradient_norm(optimizer), lost)


def test_the_gradient_norm_may_be_larger_than_a_single_precision_number() -> None:
    parameters = [nn.Parameter(torch.zeros(1, dtype=dtype)) for dtype in (torch.float32, torch.float64)]
    parameters[0].grad = torch.tensor([3e18])
    parameters[1].grad = torch.tensor([4e60], dtype=torch.float64)
    np.testing.assert_allclose(gradient_norm(torch.optim.SGD(parameters, lr=0.1)), 4e60)
