from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, DistributedSampler

from stepwell.drive.recorder import Recorder
from stepwell.drive.scheduler import Scheduler
from stepwell.errors import OptimizerError, OptionError, TaskError
from stepwell.find.bench import Bench, TrialMemoryError
from stepwell.find.how import How
from stepwell.find.live import live
from stepwell.find.scoring import as_trained, unchanged
from stepwell.tasks.determinism import random_kept
from stepwell.tasks.same import same
from training_loop import OPTIMIZERS, Loop, Net, data, groups, loss, new_loop, picture

ENDINGS = {"success": None, "exception": ValueError, "ctrl-c": KeyboardInterrupt}


def bench_of(loop: Loop, **options: Any) -> Bench:
    how = How(scaler=loop.scaler, **options)
    return live(loop.model, loop.optimizer, loss, loop.loader, scheduler=loop.scheduler, how=how)


def search(bench: Bench, ending: str = "success") -> None:
    """Everything that a search does, ended in some way in the middle of a short run."""
    with bench:
        for seed in range(2):
            bench.begin(seed)
            for lr in (0.01, 1e30):
                bench.rewind()
                for _ in range(10):
                    bench.update(lr)
                bench.losses(2)
                bench.validate()
        bench.rewind()
        bench.update(0.1)
        error = ENDINGS[ending]
        if error is not None:
            raise error


def searched(bench: Bench, ending: str) -> None:
    if ENDINGS[ending] is None:
        search(bench)
        return
    with pytest.raises(ENDINGS[ending]):  # type: ignore[arg-type]  # not None here
        search(bench, ending)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_search_leaves_the_loop_as_it_was(optimizer: str, steps: int, ending: str) -> None:
    loop = new_loop(optimizer, steps=steps)
    before = picture(loop)
    searched(bench_of(loop), ending)
    assert same(before, picture(loop))
    with random_kept():
        twin = new_loop(optimizer, steps=steps)
        twin.train(4)
    loop.train(4)
    assert same(*[[p.detach() for p in one.model.parameters()] for one in (loop, twin)])


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("steps", [0, 3])
def test_a_search_with_a_scaler_and_schedulers_leaves_them_as_they_were(steps: int, ending: str) -> None:
    loop = new_loop(scaled=True)
    loop.scheduler = lr_scheduler.OneCycleLR(loop.optimizer, [0.2, 0.4], total_steps=40)
    loop.train(steps)
    before = picture(loop)
    searched(bench_of(loop, accumulate=2, clip_grad_norm=1.0), ending)
    assert same(before, picture(loop))


def test_followers_and_recorders_hear_nothing_of_a_search() -> None:
    loop = new_loop()
    follower = Scheduler(loop.optimizer, "linear 1..0", total_steps=30, follow=True)
    loop.others, loop.moves = [follower], False
    with Recorder(loop.optimizer) as recorder:
        loop.train(3)
        before = picture(loop)
        search(bench_of(loop))
        assert same(before, picture(loop))
        assert follower.last_epoch == recorder.num_steps == 3
        loop.train(1)
        assert follower.last_epoch == recorder.num_steps == 4


def test_every_rate_sees_the_same_and_a_seed_decides_the_order() -> None:
    loop = new_loop(steps=2)
    with bench_of(loop) as bench:
        bench.begin(3)
        first = [bench.update(0.01) for _ in range(12)]
        bench.rewind()
        assert [bench.update(0.01) for _ in range(12)] == first
        bench.begin(4)
        other = [bench.update(0.01) for _ in range(12)]
        assert bench.seeds_vary == "data order"
        bench.begin(3)
        assert [bench.update(0.01) for _ in range(12)] == first
    assert other != first


def without_dropout() -> Loop:
    loop = new_loop("adam", steps=3)
    loop.model.body[3] = nn.Identity()
    return loop


def test_a_live_model_trains_as_its_own_loop_does() -> None:
    loop = without_dropout()
    batches = list(loop.loader)
    with live(loop.model, loop.optimizer, loss, batches) as bench:
        bench.begin(0)
        found = [bench.update(0.02) for _ in range(6)]  # the other group is at 0.1
    expected = []
    for batch in batches[:6]:
        expected.append(loss(loop.model, batch).item())
        loop.model.calls -= 1
        loop.update(batch)
    assert found == expected


def test_a_scaler_that_skips_updates_is_no_error() -> None:
    loop = new_loop(scaled=True)
    loop.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=1000)
    how = How(scaler=loop.scaler)
    with live(loop.model, loop.optimizer, lambda model, batch: 4 * loss(model, batch), loop.loader, how=how) as bench:
        bench.begin(0)
        found = [bench.update(0.1) for _ in range(3)]
        assert loop.scaler.get_scale() < 2.0**127
    assert all(0 < value < 40 for value in found)
    assert loop.scaler._scale is None


def test_a_scaler_changes_no_losses() -> None:
    found = []
    for scaled in (False, True):
        with bench_of(new_loop(scaled=scaled), clip_grad_norm=0.5) as bench:
            bench.begin(0)
            found.append([bench.update(0.1) for _ in range(8)])
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_model_in_eval_mode_is_trained_in_training_mode_and_frozen_layers_stay_frozen() -> None:
    seen: list[list[bool]] = []

    def watched(model: nn.Module, batch: Any) -> Tensor:
        seen.append([module.training for module in model.modules()])
        return loss(model, batch)

    loop = new_loop()
    loop.model.eval()
    with live(loop.model, loop.optimizer, watched, loop.loader) as bench:
        bench.begin(0)
        bench.update(0.1)
    assert seen == [[True] * len(seen[0])]
    assert not any(module.training for module in loop.model.modules())
    loop.model.train()
    loop.model.body[1].eval()
    modes = [module.training for module in loop.model.modules()]
    with live(loop.model, loop.optimizer, watched, loop.loader, val_loader=loop.loader) as bench:
        bench.begin(0)
        bench.update(0.1)
        bench.losses(1)
        bench.validate()
        bench.update(0.1)
    assert seen[1] == seen[-1] == modes
    assert not any(seen[2])  # the only batch norm is frozen
    assert not any(seen[3])


def test_the_groups_keep_the_ratio_of_their_base_rates() -> None:
    loop = new_loop()
    lr_scheduler.LambdaLR(loop.optimizer, [lambda step: 0.0, lambda step: 0.3])  # as in a warm-up from 0
    assert bench_of(loop).ratios == pytest.approx((1.0, 5.0))
    model = Net()
    plain = torch.optim.SGD(model.parameters(), lr=torch.tensor(0.5))
    assert live(model, plain, loss, loop.loader).ratios == (1.0,)


def test_a_loader_without_a_shuffle_and_one_with_a_single_batch_cannot_vary_the_order() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for loader in (DataLoader(data(), 8), DataLoader(data(8), 8), [next(iter(DataLoader(data(), 8)))]):
        with live(model, optimizer, loss, loader) as bench:
            bench.begin(0)
            first = [bench.update(0.1) for _ in range(5)]
            assert len(set(first)) == 5
            bench.begin(1)
            assert bench.seeds_vary == "nothing"
            assert bench.update(0.1) != first[0]  # but dropout has a seed too


def test_a_sampler_that_must_be_told_the_epoch_is_told_one_of_the_seeds() -> None:
    sampler: Any = DistributedSampler(data(), num_replicas=2, rank=0)
    sampler.set_epoch(3)
    loop = new_loop()
    with live(loop.model, loop.optimizer, loss, DataLoader(data(), 8, sampler=sampler)) as bench:
        for seed in range(2):
            bench.begin(seed)
        assert bench.seeds_vary == "data order"
    assert sampler.epoch == 3


def test_a_stream_has_no_epochs() -> None:
    class Stream:
        def __iter__(self) -> Iterator[Any]:
            while True:
                yield from DataLoader(data(), 8, shuffle=True)

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with live(model, optimizer, loss, Stream(), val_loader=Stream()) as bench:
        bench.begin(0)
        assert bench.steps_per_epoch is None
        bench.update(0.1)
        bench.losses(3)
        bench.validate()
        assert bench.spent == 1 + 3 + 32


def test_a_loss_that_takes_a_gradient_itself_can_be_scored() -> None:
    def penalised(model: nn.Module, batch: Any) -> Tensor:
        inputs = batch[0].clone().requires_grad_()
        (slope,) = torch.autograd.grad(model(inputs).sum(), inputs, create_graph=True)
        total: Tensor = (slope**2).mean() + loss(model, batch)
        return total

    loop = new_loop()
    with live(loop.model, loop.optimizer, penalised, loop.loader, val_loader=loop.loader) as bench:
        bench.begin(0)
        bench.update(0.1)
        assert bench.losses(2) > 0
        assert (bench.validate() or 0) > 0


def test_persistent_workers_are_not_taken_from_the_loop() -> None:
    def loader() -> DataLoader[Any]:
        own = torch.Generator().manual_seed(5)
        return DataLoader(data(), 8, shuffle=True, num_workers=1, persistent_workers=True, generator=own)

    loop, seen = new_loop(), []
    under_way = loader()
    for number, (inputs, _) in enumerate(under_way):
        seen.append(inputs)
        if number == 2:
            with live(loop.model, loop.optimizer, loss, under_way) as bench:
                bench.begin(0)
                first = [bench.update(0.01) for _ in range(10)]
                bench.begin(0)
                again = [bench.update(0.01) for _ in range(2)]
                bench.losses(2)  # iterates the loader beside the short run
                assert again + [bench.update(0.01) for _ in range(8)] == first
    assert same(seen, [inputs for inputs, _ in loader()])


def failing(error: Exception) -> Callable[[nn.Module, Any], Tensor]:
    def value(model: nn.Module, batch: Any) -> Tensor:
        if model.calls == 4:
            raise error
        return loss(model, batch)

    return value


def test_memory_that_runs_out_in_one_short_run_leaves_the_model_as_it_was() -> None:
    loop = new_loop()
    before = picture(loop)
    with live(loop.model, loop.optimizer, failing(MemoryError("no more")), loop.loader) as bench:
        bench.begin(0)
        first = [bench.update(0.1) for _ in range(4)]
        with pytest.raises(TrialMemoryError):
            bench.update(0.1)
        bench.rewind()
        assert [bench.update(0.1) for _ in range(4)] == first
    assert same(before, picture(loop))


@pytest.mark.parametrize("grad_mode", [True, False])
def test_gradients_that_an_interruption_left_off_are_on_again(grad_mode: bool) -> None:
    with torch.set_grad_enabled(grad_mode):
        with suppress(KeyboardInterrupt), bench_of(new_loop()):
            torch.autograd.grad_mode.set_grad_enabled(not grad_mode)  # as a Ctrl-C inside of an `__exit__` leaves it
            raise KeyboardInterrupt
        assert torch.is_grad_enabled() is grad_mode


def half_entered(model: nn.Module) -> None:
    scoring = as_trained(model), unchanged(model)  # held by this frame alone, and so by the error
    for context in scoring:
        context.__enter__()
    raise KeyboardInterrupt


def test_a_block_that_an_interruption_left_half_entered_changes_nothing_later() -> None:
    loop = new_loop()
    before = picture(loop)
    with suppress(KeyboardInterrupt), bench_of(loop) as bench:
        bench.begin(0)
        bench.update(0.1)
        half_entered(loop.model)
    gc.collect()
    assert same(before, picture(loop))


def test_an_error_of_the_users_passes_as_it_is() -> None:
    loop = new_loop()
    before = picture(loop)
    bench = live(loop.model, loop.optimizer, failing(ValueError("mine")), loop.loader)
    with pytest.raises(ValueError, match=r"^mine$"):
        search(bench)
    assert same(before, picture(loop))


def one_update(loss_of: Any) -> Callable[[Loop], None]:
    def update(loop: Loop) -> None:
        with live(loop.model, loop.optimizer, loss_of, loop.loader) as bench:
            bench.begin(0)
            bench.update(0.1)

    return update


def elsewhere(model: nn.Module, batch: Any) -> Tensor:
    return loss(ELSEWHERE, batch)


def generated() -> Iterator[int]:
    yield 1


ELSEWHERE = Net()
WRONG: dict[str, tuple[Callable[[Loop], object], type[Exception], str]] = {
    "a number": (one_update(lambda model, batch: 1.0), TaskError, "single number, got a float"),
    "a vector": (one_update(lambda model, batch: model(batch[0])), TaskError, r"got shape \(8, 3\); take its mean"),
    "detached": (one_update(lambda model, batch: loss(model, batch).detach()), TaskError, "has no gradient"),
    "other model": (one_update(elsewhere), TaskError, "does not depend on any parameter that the optimizer trains"),
    "iterator": (lambda loop: live(loop.model, loop.optimizer, loss, iter([1])), OptionError, "not iter"),
    "generator": (lambda loop: live(loop.model, loop.optimizer, loss, generated()), OptionError, "generator"),
    "val": (
        lambda loop: live(loop.model, loop.optimizer, loss, loop.loader, val_loader=iter([])),
        OptionError,
        "the validation loader is an iterator",
    ),
    "other optimizer": (
        lambda loop: live(ELSEWHERE, loop.optimizer, loss, loop.loader),
        OptimizerError,
        "no parameter of this model",
    ),
    "closure": (
        lambda loop: live(loop.model, torch.optim.LBFGS(loop.model.parameters()), loss, loop.loader),
        OptimizerError,
        "LBFGS needs a closure",
    ),
    "frozen": (
        lambda loop: live(loop.model.requires_grad_(False), loop.optimizer, loss, loop.loader),
        TaskError,
        "no trainable parameter",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_one_sentence_and_the_loop_as_it_was(name: str) -> None:
    loop = new_loop(steps=2)
    act, kind, words = WRONG[name]
    before = picture(loop)
    with pytest.raises(kind, match=words) as caught:
        act(loop)
    assert "\n" not in str(caught.value)
    assert name == "frozen" or same(before, picture(loop))


def test_an_empty_loader_and_an_empty_validation_are_one_sentence() -> None:
    loop = new_loop()
    empty: list[Any] = []
    with (
        live(loop.model, loop.optimizer, loss, empty) as bench,
        pytest.raises(TaskError, match="there are no batches to train on"),
    ):
        bench.begin(0)
    with live(loop.model, loop.optimizer, loss, loop.loader, val_loader=empty) as bench:
        bench.begin(0)
        with pytest.raises(TaskError, match="no validation batches"):
            bench.validate()


def test_a_first_group_at_rate_0_is_refused() -> None:
    model = Net()
    rates = groups(model)
    rates[0]["lr"] = 0.0
    with pytest.raises(OptimizerError, match="parameter group 0 has lr 0"):
        live(model, torch.optim.SGD(rates), loss, [])


def test_two_ranks_see_the_same(tmp_path: Path) -> None:
    script = Path(__file__).with_name("two_ranks.py")
    paths = {"PYTHONPATH": os.pathsep.join([str(script.parents[1]), os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, str(script), str(tmp_path)], env={**os.environ, **paths}, check=True, timeout=600)
    (plain, wrapped), (other_plain, other_wrapped) = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert same(plain, other_plain)  # a missing number equals itself here
    assert wrapped == other_wrapped
    assert [number != number for number in plain[:9]] == 7 * [False] + 2 * [True]  # rank 1 lost update 5
    assert plain[9] == wrapped[9] == "data order"
    assert plain[10] > 0  # the rate that a search suggests; its verdict and scores follow
    assert plain[-1] is wrapped[-1] is True
