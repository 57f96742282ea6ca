from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from stepwell.drive.recorder import Recorder
from stepwell.drive.scheduler import Scheduler
from stepwell.errors import OptimizerError
from stepwell.find.kept import Kept
from stepwell.find.snapshot import Snapshot, preserved
from stepwell.tasks.determinism import random_kept
from stepwell.tasks.same import same
from training_loop import OPTIMIZERS, Loop, data, new_loop, picture

ENDINGS = {"success": None, "exception": ValueError, "ctrl-c": KeyboardInterrupt}


def preserving(loop: Loop, **options: Any) -> Any:
    return preserved(
        loop.model,
        loop.optimizer,
        scheduler=loop.scheduler,
        scaler=loop.scaler,
        loaders=[loop.loader],
        **options,
    )


def check_nothing_moved(loop: Loop, disturb: Callable[[], object], ending: str = "success") -> None:
    before = picture(loop)
    end = ENDINGS[ending]
    with suppress(KeyboardInterrupt, ValueError), preserving(loop):
        disturb()
        moved = picture(loop)
        assert not same(before, moved)  # or the test shows nothing
        if end is not None:
            raise end
    after = picture(loop)
    for part in before:
        assert same(before[part], after[part]), part


def check_same_future(loop: Loop, made: Callable[[], Loop]) -> None:
    """The loop goes on as one in which nothing happened."""
    with random_kept():
        twin = made()
        twin.train(4)
    loop.train(4)
    for one, other in zip(loop.model.parameters(), twin.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_leaves_nothing_behind(optimizer: str, steps: int, ending: str) -> None:
    loop = new_loop(optimizer, steps=steps)

    def disturb() -> None:
        for group in loop.optimizer.param_groups:
            group["lr"] = 0.5
        loop.train(3)

    check_nothing_moved(loop, disturb, ending)
    check_same_future(loop, lambda: new_loop(optimizer, steps=steps))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("steps", [0, 3])
def test_a_scaler_is_put_back_whether_it_was_used_before_or_not(steps: int, ending: str) -> None:
    loop = new_loop(steps=steps, scaled=True)
    assert (loop.scaler._scale is None) is (steps == 0)
    check_nothing_moved(loop, lambda: loop.train(3), ending)
    check_same_future(loop, lambda: new_loop(steps=steps, scaled=True))


def test_a_scaler_between_unscaling_and_its_step_is_put_back() -> None:
    loop = new_loop(steps=2, scaled=True)
    batch = next(iter(loop.loader))
    loop.optimizer.zero_grad()
    value = nn.functional.cross_entropy(loop.model(batch[0]), batch[1])
    loop.scaler.scale(value).backward()
    loop.scaler.unscale_(loop.optimizer)

    def disturb() -> None:
        loop.scaler.step(loop.optimizer)
        loop.scaler.update()
        loop.train(2)

    check_nothing_moved(loop, disturb)
    loop.scaler.step(loop.optimizer)  # its record of this optimizer is still there
    loop.scaler.update()


def change_model(loop: Loop) -> None:
    model = loop.model
    model.eval()
    model.body[1].train()
    model.head.weight.requires_grad_(False)
    model.head.bias.data = torch.ones(3)
    model.seen = torch.full((8,), 7.0)
    model.body[1].get_buffer("running_mean").fill_(3.0)
    model.body[1].register_buffer("later", torch.zeros(1))
    model.register_parameter("extra", nn.Parameter(torch.zeros(1)))
    model.recent.clear()


def change_gradients(loop: Loop) -> None:
    for parameter in loop.model.parameters():
        parameter.grad = torch.ones_like(parameter) if parameter.grad is None else parameter.grad.zero_()


def change_groups(loop: Loop) -> None:
    for group in loop.optimizer.param_groups:
        group.update(lr=9.0, momentum=0.1, initial_lr=9.0, scheduled_lr=9.0)
    loop.optimizer.add_param_group({"params": [nn.Parameter(torch.zeros(1))]})


def change_state(loop: Loop) -> None:
    loop.optimizer.state[loop.model.head.weight]["momentum_buffer"] = torch.ones(1)
    loop.optimizer.state[nn.Parameter(torch.zeros(1))]["other"] = 1


def load_states(loop: Loop) -> None:
    other = new_loop(steps=5, seed=3)
    loop.model.load_state_dict(other.model.state_dict(), assign=True)
    loop.optimizer.load_state_dict(other.optimizer.state_dict())


def change_hooks(loop: Loop) -> None:
    loop.optimizer.register_step_pre_hook(lambda *_: None)
    loop.optimizer.register_step_post_hook(lambda *_: None)


def change_random(loop: Loop) -> None:
    torch.rand(3), np.random.rand(), random.random()
    torch.manual_seed(9)


def change_order(loop: Loop) -> None:
    list(loop.loader)
    assert loop.loader.generator is not None
    loop.loader.generator.manual_seed(8)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize(
    "change",
    [
        change_model,
        change_gradients,
        change_groups,
        change_state,
        load_states,
        change_hooks,
        change_random,
        change_order,
    ],
)
def test_whatever_changes_is_put_back(change: Callable[[Loop], None], steps: int, ending: str) -> None:
    loop = new_loop(steps=steps)
    check_nothing_moved(loop, lambda: change(loop), ending)
    check_same_future(loop, lambda: new_loop(steps=steps))


TORCH_SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "step": lambda optimizer: lr_scheduler.StepLR(optimizer, 2, 0.5),
    "one cycle": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, [0.2, 0.4], total_steps=40),
    "lambda": lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step),
    "sequential": lambda optimizer: lr_scheduler.SequentialLR(
        optimizer,
        [lr_scheduler.LinearLR(optimizer, 0.1, total_iters=2), lr_scheduler.ExponentialLR(optimizer, 0.9)],
        [2],
    ),
    "restarts": lambda optimizer: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3),
    "ours": lambda optimizer: Scheduler(optimizer, "linear 0..1 for 4 | cosine to 0", total_steps=40),
}


def scheduled_loop(name: str, steps: int) -> Loop:
    loop = new_loop()
    loop.scheduler = TORCH_SCHEDULERS[name](loop.optimizer)
    loop.train(steps)
    return loop


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("name", TORCH_SCHEDULERS)
def test_a_scheduler_is_put_back_with_all_it_wraps(name: str, steps: int, ending: str) -> None:
    loop = scheduled_loop(name, steps)
    check_nothing_moved(loop, lambda: loop.train(3), ending)
    check_same_future(loop, lambda: scheduled_loop(name, steps))


def test_plateau_and_its_bad_epochs_are_put_back() -> None:
    loop = new_loop()
    loop.scheduler, loop.moves = lr_scheduler.ReduceLROnPlateau(loop.optimizer, patience=1), False
    loop.scheduler.step(1.0)
    check_nothing_moved(loop, lambda: [loop.scheduler.step(2.0) for _ in range(5)])


class ForeignScheduler:
    """A scheduler that is no class of torch's, as timm's are."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.values = [1.0]
        self.moves = 0

    def step(self) -> None:
        self.moves += 1
        self.values.append(0.9 * self.values[-1])


def test_a_foreign_scheduler_is_put_back_by_its_attributes() -> None:
    loop = new_loop()
    loop.scheduler = ForeignScheduler(loop.optimizer)
    check_nothing_moved(loop, lambda: loop.train(3))


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_scheduler_that_follows_the_optimizer_hears_nothing(given: bool, ending: str) -> None:
    def made() -> Loop:
        loop = new_loop()
        follower = Scheduler(loop.optimizer, "linear 1..0", total_steps=30, follow=True)
        loop.moves = False
        loop.others = [follower]
        loop.scheduler = follower if given else None
        loop.train(3)
        return loop

    loop = made()
    follower = loop.others[0]
    before = picture(loop)
    with suppress(KeyboardInterrupt, ValueError), preserving(loop):
        loop.train(3)
        assert follower.last_epoch == 3
        if ENDINGS[ending] is not None:
            raise ENDINGS[ending]  # type: ignore[misc]
    assert same(before, picture(loop))
    check_same_future(loop, made)
    assert follower.last_epoch == 7


def test_a_follower_that_is_not_given_is_put_back_even_where_it_is_moved_by_hand() -> None:
    loop = new_loop()
    follower = Scheduler(loop.optimizer, "linear 1..0", total_steps=30)
    loop.others = [follower]

    def disturb() -> None:
        follower.step()
        follower.step()

    check_nothing_moved(loop, disturb)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recorder_hears_nothing(ending: str) -> None:
    loop = new_loop()
    with Recorder(loop.optimizer) as recorder:
        for batch in loop.loader:
            loop.update(batch)
            recorder.step(1.0)
        before = recorder.snapshot()
        check_nothing_moved(loop, lambda: loop.train(3), ending)
        after = recorder.snapshot()
        loop.train(1)
        recorder.step(0.5)
        assert recorder.num_steps == len(before["loss"]) + 1
    assert {name: column.tobytes() for name, column in before.columns.items()} == {
        name: column.tobytes() for name, column in after.columns.items()
    }


def test_a_foreign_step_hook_is_refused_before_anything_is_touched() -> None:
    loop = new_loop(steps=2)
    calls: list[int] = []

    def count_steps(*_: Any) -> None:
        calls.append(1)

    loop.optimizer.register_step_post_hook(count_steps)
    before = picture(loop)
    with pytest.raises(OptimizerError, match=r"step hook '.*count_steps'.*run_hooks=True"), preserving(loop):
        pytest.fail("it must not get here")
    assert same(before, picture(loop))
    with preserving(loop, run_hooks=True):
        loop.train(2)
    assert len(calls) == 2
    assert same(before, picture(loop))


def test_a_state_that_cannot_be_copied_is_refused_before_anything_is_touched() -> None:
    loop = new_loop("adam", steps=2)
    loop.optimizer.state[loop.model.head.weight]["lock"] = threading.Lock()
    before = picture(loop)
    with (
        pytest.raises(OptimizerError, match=r"the state of Adam cannot be copied.*'lock' \(a lock\)"),
        preserving(loop),
    ):
        pytest.fail("it must not get here")
    assert same(before, picture(loop))


class Diary:
    """A state of an optimizer that is neither a number nor a tensor."""

    def __init__(self) -> None:
        self.pages = [1]


def test_a_state_of_any_copyable_kind_is_put_back_in_place() -> None:
    loop = new_loop()
    diary, lists, array = Diary(), [torch.ones(2), (3, [4])], np.ones(2)
    loop.optimizer.state[loop.model.head.weight].update(diary=diary, lists=lists, array=array, name="x")
    state = loop.optimizer.state[loop.model.head.weight]
    with preserving(loop):
        diary.pages.append(2)
        diary.more = 1  # type: ignore[attr-defined]
        lists[0].zero_()  # type: ignore[attr-defined]
        lists[1][1].append(5)  # type: ignore[index]
        lists.append(6)
        array[:] = 0
        state["name"] = "y"
    assert vars(diary) == {"pages": [1]}
    assert same(lists, [torch.ones(2), (3, [4])])
    assert array.tolist() == [1, 1]
    assert state == {"diary": diary, "lists": lists, "array": array, "name": "x"}


class Lookahead(torch.optim.Optimizer):
    """An optimizer around another, with weights of its own beside the state."""

    def __init__(self, inner: torch.optim.Optimizer) -> None:
        self.inner = inner
        super().__init__(inner.param_groups, {})
        self.slow = [[p.detach().clone() for p in group["params"]] for group in self.param_groups]
        self.count = 0

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        self.inner.step()
        self.count += 1
        for group, slow in zip(self.param_groups, self.slow, strict=True):
            for parameter, own in zip(group["params"], slow, strict=True):
                own.lerp_(parameter.detach(), 0.5)


def test_an_optimizer_around_another_is_put_back_with_it() -> None:
    loop = new_loop()
    outer = Lookahead(torch.optim.Adam(loop.model.parameters(), lr=0.1))
    loop.optimizer = outer
    loop.train(2)
    inner = Loop(loop.model, outer.inner, loop.loader)
    before, slow = picture(inner), [one.clone() for group in outer.slow for one in group]
    check_nothing_moved(loop, lambda: loop.train(3))
    assert same(before, picture(inner))
    assert outer.count == 2
    assert same(slow, [one for group in outer.slow for one in group])


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_scheduler_that_follows_a_wrapped_optimizer_hears_nothing(ending: str) -> None:
    loop = new_loop()
    inner = torch.optim.Adam(loop.model.parameters(), lr=0.1)
    follower = Scheduler(inner, "linear 1..0", total_steps=30, follow=True)
    loop.optimizer = Lookahead(inner)
    loop.train(2)
    before = follower.state_dict()
    with suppress(KeyboardInterrupt, ValueError), preserving(loop):
        loop.train(3)
        assert follower.last_epoch == 2
        follower.step()
        if ENDINGS[ending] is not None:
            raise ENDINGS[ending]  # type: ignore[misc]
    assert same(before, follower.state_dict())
    loop.train(1)
    assert follower.last_epoch == 3


def test_a_foreign_hook_on_a_wrapped_optimizer_is_refused() -> None:
    loop = new_loop()
    inner = torch.optim.Adam(loop.model.parameters(), lr=0.1)
    calls: list[int] = []
    inner.register_step_post_hook(lambda *_: calls.append(1))
    loop.optimizer = Lookahead(inner)
    with pytest.raises(OptimizerError, match="the optimizer has a step hook"), preserving(loop):
        pytest.fail("it must not get here")
    assert not calls


def test_parameters_of_the_optimizer_outside_the_model_are_put_back() -> None:
    loop = new_loop()
    temperature = nn.Parameter(torch.ones(1))
    loop.optimizer.add_param_group({"params": [temperature]})
    with preserving(loop):
        temperature.data.fill_(5.0)
        temperature.grad = torch.ones(1)
    assert temperature.item() == 1.0
    assert temperature.grad is None


class Odd(nn.Module):
    """Tensors that are not copied as others are."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3, sparse=True)
        self.tied = nn.Linear(3, 5, bias=False)
        self.tied.weight = self.embedding.weight
        self.expanded: Tensor
        self.sparse: Tensor
        self.register_buffer("expanded", torch.arange(3.0).expand(4, 3))
        self.register_buffer("sparse", torch.eye(3).to_sparse())
        self.plain = torch.ones(2)


def test_tied_sparse_and_expanded_tensors_are_put_back() -> None:
    model = Odd()
    weight = model.embedding.weight
    optimizer: torch.optim.Optimizer = torch.optim.SparseAdam([weight], lr=0.1)

    def update() -> None:
        model.embedding(torch.tensor([1, 2])).sum().backward()
        optimizer.step()

    update()
    gradient = weight.grad
    assert gradient is not None
    numbers, values = weight.detach().clone(), gradient.to_dense().clone()
    copies = {name: torch.as_tensor(value).clone() for name, value in optimizer.state[weight].items()}
    with preserved(model, optimizer):
        update()
        model.expanded.as_strided((3,), (1,)).fill_(9.0)
        model.sparse.mul_(2)
        model.plain.zero_()
    assert model.tied.weight is model.embedding.weight is weight
    assert torch.equal(weight, numbers)
    assert weight.grad is gradient
    assert torch.equal(gradient.to_dense(), values)
    assert same(copies, {name: torch.as_tensor(value) for name, value in optimizer.state[weight].items()})
    assert torch.equal(model.expanded, torch.arange(3.0).expand(4, 3))
    assert torch.equal(model.sparse.to_dense(), torch.eye(3))
    assert model.plain.tolist() == [1, 1]


def test_a_restore_that_was_interrupted_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = new_loop(steps=2)
    before = picture(loop)
    real, calls = Kept.restore, []

    def impatient(kept: Kept) -> None:
        calls.append(1)
        if len(calls) == 2:  # the model is back, the loaders are not
            raise KeyboardInterrupt
        real(kept)

    def disturb() -> None:
        loop.train(3)
        monkeypatch.setattr(Kept, "restore", impatient)

    with pytest.raises(KeyboardInterrupt), preserving(loop):
        disturb()
    assert len(calls) == 4
    assert same(before, picture(loop))


def test_a_real_ctrl_c_in_the_middle_of_an_update_leaves_nothing_behind() -> None:
    loop = new_loop(steps=2)

    def interrupted() -> None:
        loop.train(2)
        loop.optimizer.register_step_post_hook(lambda *_: os.kill(os.getpid(), signal.SIGINT))
        loop.train(2)

    before = picture(loop)
    with pytest.raises(KeyboardInterrupt), preserving(loop):
        interrupted()
    assert same(before, picture(loop))


def test_every_trial_begins_at_the_same_place() -> None:
    loop = new_loop("adam", steps=2)
    snapshot = Snapshot.take(loop.model, loop.optimizer, loaders=[loop.loader])
    before = picture(loop)
    ends = []
    for _ in range(3):
        loop.train(3)
        ends.append([parameter.detach().clone() for parameter in loop.model.parameters()])
        snapshot.restore()
        assert same(before, picture(loop))
    assert same(ends[0], ends[1])
    assert same(ends[1], ends[2])


def test_a_restore_without_data_leaves_the_loader_where_it_is() -> None:
    loop = new_loop()
    snapshot = Snapshot.take(loop.model, loop.optimizer, loaders=[loop.loader])
    first = next(iter(loop.loader))
    snapshot.restore(data=False)
    assert not same(first, next(iter(loop.loader)))
    snapshot.restore()
    assert same(first, next(iter(loop.loader)))


def test_the_iteration_of_persistent_workers_goes_on_afterwards() -> None:
    def made() -> Loop:
        loop = new_loop()
        loop.loader = torch.utils.data.DataLoader(
            data(), 8, shuffle=True, num_workers=1, persistent_workers=True, generator=torch.Generator().manual_seed(5)
        )
        return loop

    loop = made()
    untouched = [inputs for inputs, _ in made().loader]
    seen = []
    for number, (inputs, _) in enumerate(loop.loader):
        seen.append(inputs)
        if number == 2:
            iterator = loop.loader._iterator
            with preserving(loop):
                loop.train(3)
            assert loop.loader._iterator is iterator
    assert same(seen, untouched)


class Counting(torch.utils.data.IterableDataset[Tensor]):
    """Yields numbers from a generator of its own."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(4)
        self.words = np.random.RandomState(4)
        self.python = random.Random(4)

    def __iter__(self) -> Iterator[Tensor]:
        for _ in range(3):
            yield torch.tensor([self.random.random(), self.words.rand(), self.python.random()])


def test_generators_of_a_data_set_are_put_back() -> None:
    loader = torch.utils.data.DataLoader(Counting(), batch_size=None)
    model = nn.Linear(1, 1)
    with preserved(model, torch.optim.SGD(model.parameters(), lr=0.1), loaders=[loader]):
        first = list(loader)
        assert not same(first, list(loader))
    assert same(first, list(loader))


def test_a_sampler_is_told_its_epoch_again() -> None:
    sampler: Any = torch.utils.data.DistributedSampler(data(), num_replicas=2, rank=0)
    sampler.set_epoch(3)
    loader = torch.utils.data.DataLoader(data(), 8, sampler=sampler)
    model = nn.Linear(1, 1)
    with preserved(model, torch.optim.SGD(model.parameters(), lr=0.1), loaders=[loader]):
        sampler.set_epoch(7)
    assert sampler.epoch == 3


def test_the_room_itself_needs_no_torch() -> None:
    code = "import sys, stepwell.find; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
