from __future__ import annotations

import math
import random
from collections import UserDict, namedtuple
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stepwell.errors import OptimizerError, OptionError, TaskError
from stepwell.find.batches import Reel, duplicate
from stepwell.find.bench import Bench, TrialMemoryError
from stepwell.find.how import How
from stepwell.find.of_factory import of_factory
from stepwell.find.of_task import of_task
from stepwell.record.trial import TaskRef
from stepwell.tasks.determinism import random_state, seed_all
from stepwell.tasks.optimizers import make_optimizer
from stepwell.tasks.same import same
from stepwell.tasks.task import Workload
from training_loop import Net, data, loss

TASKS = Path(__file__).parents[1] / "tasks" / "tiny_tasks.py"
TINY = f"{TASKS}:tiny"
Pair = tuple[Tensor, Tensor]


def loader(size: int = 64, batch_size: int = 8, *, shuffle: bool = True) -> torch.utils.data.DataLoader[Any]:
    return torch.utils.data.DataLoader(data(size), batch_size, shuffle=shuffle)


def factory_bench(**options: Any) -> Bench:
    return of_factory(Net, loss, loader(), "momentum", val=loader(), **options)


BENCHES: dict[str, Callable[[], Bench]] = {
    "task": lambda: of_task(TaskRef(TINY, {"dropout": 0.3}), "adam"),
    "factory": factory_bench,
}


def losses_of(bench: Bench, lr: float, steps: int = 7) -> list[float]:
    bench.rewind()
    return [bench.update(lr) for _ in range(steps)]


@pytest.mark.parametrize("name", BENCHES)
def test_every_rate_sees_the_same_batches_and_the_same_dropout(name: str) -> None:
    with BENCHES[name]() as bench:
        bench.begin(0)
        first = losses_of(bench, 0.01, 12)  # past the end of an epoch
        other = losses_of(bench, 0.3, 15)
        again = losses_of(bench, 0.01, 12)
    assert first == again
    assert first[0] == other[0]
    assert first[1:] != other[1:12]


@pytest.mark.parametrize("name", BENCHES)
def test_a_seed_decides_everything_whatever_came_before_it(name: str) -> None:
    with BENCHES[name]() as bench:
        bench.begin(4)
        four = [bench.losses(3), *losses_of(bench, 0.05), bench.validate(), bench.losses(3)]
        bench.begin(5)
        five = [bench.losses(3), *losses_of(bench, 0.05), bench.validate(), bench.losses(3)]
    with BENCHES[name]() as bench:
        bench.begin(5)
        assert [bench.losses(3), *losses_of(bench, 0.05), bench.validate(), bench.losses(3)] == five
        bench.begin(4)
        assert [bench.losses(3), *losses_of(bench, 0.05), bench.validate(), bench.losses(3)] == four
    assert four[1] != five[1]


@pytest.mark.parametrize("name", BENCHES)
def test_scoring_changes_nothing(name: str) -> None:
    with BENCHES[name]() as bench:
        bench.begin(0)
        expected = losses_of(bench, 0.05)
        bench.rewind()
        found = []
        for _ in range(7):
            assert bench.losses(2) == bench.losses(2)
            assert bench.validate() == bench.validate()
            found.append(bench.update(0.05))
    assert found == expected


@pytest.mark.parametrize("name", BENCHES)
def test_it_leaves_the_generators_alone(name: str) -> None:
    torch.manual_seed(11)
    before = random_state()
    with BENCHES[name]() as bench:
        bench.begin(0)
        losses_of(bench, 0.05)
        bench.validate()
    assert same(before, random_state())


def interrupted(bench: Bench) -> None:
    with bench:
        bench.begin(0)
        losses_of(bench, 0.05)
        torch.rand(3)
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", BENCHES)
def test_ctrl_c_leaves_the_generators_and_threads_alone(name: str) -> None:
    bench, before, threads = BENCHES[name](), random_state(), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        interrupted(bench)
    assert same(before, random_state())
    assert torch.get_num_threads() == threads


def test_spent_counts_updates_and_scored_batches() -> None:
    with of_task(TINY, "momentum") as bench:
        bench.begin(0)
        assert bench.spent == 0
        losses_of(bench, 0.1, 4)
        assert bench.spent == 4
        bench.losses(3)
        assert bench.spent == 7
        bench.validate()  # one batch
        assert bench.spent == 8
        bench.losses(99)  # an epoch has 5
        assert bench.spent == 8 + 5


def test_a_task_trains_as_the_training_loop_does() -> None:
    """The same initialisation, batches and updates as a loop written out."""
    function = partial(quadratic, dropout=0.0)
    with of_task(function, "momentum") as bench:
        bench.begin(3)
        found = losses_of(bench, 0.05, 9)
    torch.manual_seed(3)
    work = function(3)
    optimizer = make_optimizer("momentum", work, 0.05)
    expected = []
    for epoch in range(3):
        for batch in work.train(epoch):
            value = work.loss(work.model, batch)
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            expected.append(value.item())
    assert found == expected[:9]


def quadratic(seed: int, *, dropout: float, metric: str = "loss", groups: bool = False) -> Workload:
    """Regression of a line; 4 batches an epoch, which follow from seed and epoch."""
    inputs = torch.randn(32, 3, generator=torch.Generator().manual_seed(1))
    targets = inputs.sum(1, keepdim=True)

    def train(epoch: int) -> Iterator[Pair]:
        order = torch.randperm(32, generator=torch.Generator().manual_seed(1000 * seed + epoch))
        return ((inputs[rows], targets[rows]) for rows in torch.split(order, 8))

    def errors(model: nn.Module, batch: Pair) -> Tensor:
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    return Workload(
        model=nn.Sequential(nn.Linear(3, 4), nn.Dropout(dropout), nn.Linear(4, 1)),
        loss=errors,
        train=train,
        steps_per_epoch=4,
        val=lambda: [(inputs, targets)] * 3,
        metrics=lambda model, batch: {metric: (errors(model, batch) * len(batch[0]), len(batch[0]))},
        goal=(f"val_{metric}", "min" if metric == "loss" else "max"),
        groups=two_layers if groups else None,
    )


def two_layers(model: nn.Module) -> list[dict[str, Any]]:
    first, _, last = model.children()
    return [{"params": first.parameters(), "lr": 2.0}, {"params": last.parameters()}]


def test_facts_of_a_task() -> None:
    bench = of_task(partial(quadratic, dropout=0.0, groups=True), "adam")
    assert bench.ratios == (1.0, 0.5)
    assert bench.steps_per_epoch == 4
    assert bench.seeds_vary == "initialisation and data order"


def test_groups_keep_their_ratio_and_other_entries_theirs() -> None:
    def two_groups(params: list[nn.Parameter]) -> torch.optim.Optimizer:
        decays = [{"params": params[:2], "weight_decay": 0.1}, {"params": params[2:], "lr": 0.5, "weight_decay": 0.02}]
        return torch.optim.AdamW(decays, lr=0.1)

    seen: list[list[dict[str, Any]]] = []

    def watched(params: Any) -> torch.optim.Optimizer:
        optimizer = two_groups(params)
        optimizer.register_step_pre_hook(lambda one, *_: seen.append([dict(group) for group in one.param_groups]))
        return optimizer

    with of_factory(Net, loss, loader(), watched, how=How(run_hooks=True)) as bench:
        assert bench.ratios == pytest.approx((1.0, 5.0))
        bench.begin(0)
        assert bench.base("weight_decay") == 0.1
        assert bench.base("momentum") == 0.9
        bench.update(0.01, momentum=0.8, weight_decay=0.2)
        bench.rewind()
        bench.update(0.02)
    first, second = seen
    assert [group["lr"] for group in first] == pytest.approx([0.01, 0.05])
    assert [group["weight_decay"] for group in first] == pytest.approx([0.2, 0.04])
    assert [group["betas"] for group in first] == [(0.8, 0.999)] * 2
    assert [group["lr"] for group in second] == pytest.approx([0.02, 0.1])
    assert [group["weight_decay"] for group in second] == [0.1, 0.02]
    assert [group["betas"] for group in second] == [(0.9, 0.999)] * 2


def test_an_entry_that_is_0_in_the_first_group_has_no_ratios() -> None:
    def made(params: list[nn.Parameter]) -> torch.optim.Optimizer:
        decays: list[dict[str, Any]] = [{"params": params[:2]}, {"params": params[2:], "weight_decay": 0.1}]
        return torch.optim.SGD(decays, lr=0.1)

    with of_factory(Net, loss, loader(), made) as bench:
        bench.begin(0)
        with pytest.raises(OptimizerError, match="parameter group 0 has weight_decay 0"):
            bench.update(0.1, weight_decay=0.2)
        with pytest.raises(OptimizerError, match="no entry 'warmth'"):
            bench.update(0.1, warmth=0.2)


def test_validation_is_the_mean_loss_or_the_goal_with_its_sign_turned() -> None:
    with of_task(partial(quadratic, dropout=0.5), "sgd") as bench:
        bench.begin(0)
        value = bench.validate()
    torch.manual_seed(0)
    work = quadratic(0, dropout=0.5)
    inputs, targets = next(iter(work.val()))
    expected = nn.functional.mse_loss(work.model.eval()(inputs), targets).item()
    assert value == pytest.approx(expected, rel=1e-6)
    with of_task(partial(quadratic, dropout=0.5, metric="score"), "sgd") as bench:
        bench.begin(0)
        assert bench.validate() == pytest.approx(-expected, rel=1e-6)


def test_validation_reads_at_most_the_limit() -> None:
    with of_task(partial(quadratic, dropout=0.0), "sgd", limit=2) as bench:
        bench.begin(0)
        bench.validate()
        assert bench.spent == 2
    with of_factory(Net, loss, loader(), "sgd") as bench:
        bench.begin(0)
        assert bench.validate() is None
        assert bench.spent == 0


def test_scores_have_no_dropout_and_go_by_the_statistics_of_the_batch() -> None:
    batches = list(loader(shuffle=False))
    made: list[Net] = []

    def build() -> Net:
        made.append(Net())
        return made[-1]

    with of_factory(build, loss, batches, "sgd") as bench:
        bench.begin(0)
        model = made[-1]
        found = bench.losses(len(batches))
        mean = model.body[1].running_mean
        assert isinstance(mean, Tensor)
        assert torch.count_nonzero(mean) == 0  # put back
        assert all(module.training for module in model.modules())
        model.body[3] = nn.Identity()  # and so the training loss itself
        expected = [loss(model, batch).item() for batch in batches]
    assert found == pytest.approx(sum(expected) / len(expected), rel=1e-6)


def test_scores_draw_the_same_random_numbers_after_any_run() -> None:
    def noisy(model: nn.Module, batch: Any) -> Tensor:
        return loss(model, batch) * 0 + torch.randn(())

    with of_factory(Net, noisy, loader(), "sgd", val=loader()) as bench:
        bench.begin(0)
        before = bench.losses(3), bench.validate()
        bench.update(0.1)
        assert (bench.losses(3), bench.validate()) == before


@pytest.mark.parametrize("lr", [1e30, 1e300])
def test_a_loss_that_is_not_finite_is_given_as_it_is(lr: float) -> None:
    with of_task(partial(quadratic, dropout=0.0), "sgd") as bench:
        bench.begin(0)
        bench.update(lr)
        assert not all(math.isfinite(bench.update(lr)) for _ in range(4))
        assert not math.isfinite(bench.losses(2))
        validated = bench.validate()
        assert validated is not None
        assert not math.isfinite(validated)
        bench.rewind()
        assert math.isfinite(bench.update(0.01))


def test_code_that_raises_at_numbers_that_are_not_finite_has_diverged() -> None:
    careful = TaskRef(f"{TASKS}:careful", {"where": "loss"})
    with of_task(careful, "sgd") as bench:
        bench.begin(0)
        found = [bench.update(1e30) for _ in range(5)]
        assert math.isnan(found[-1])
        assert math.isnan(bench.losses(1))


def test_an_error_of_the_users_is_not_a_divergence() -> None:
    with of_task(TaskRef(f"{TASKS}:broken", {"at": 3}), "sgd") as bench:
        bench.begin(0)
        for _ in range(3):
            bench.update(0.01)
        with pytest.raises(TaskError, match=r"tiny_tasks\.py:\d+, while the task was making update 3: ValueError"):
            bench.update(0.01)


def failing(times: list[int], error: Exception) -> Callable[[nn.Module, Any], Tensor]:
    def value(model: nn.Module, batch: Any) -> Tensor:
        times.append(1)
        if len(times) == 3:
            raise error
        return loss(model, batch)

    return value


SHORT = [
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    torch.cuda.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    MemoryError("no more"),
]


@pytest.mark.parametrize("error", SHORT)
def test_memory_that_runs_out_ends_one_short_run_alone(error: Exception) -> None:
    with of_factory(Net, failing([], error), loader(), "adam") as bench:
        bench.begin(0)
        first = [bench.update(0.1) for _ in range(2)]
        with pytest.raises(TrialMemoryError, match="needs more memory than there is"):
            bench.update(0.1)
        bench.rewind()
        assert [bench.update(0.1) for _ in range(2)] == first


def test_a_real_lack_of_memory_is_known() -> None:
    def greedy(model: nn.Module, batch: Any) -> Tensor:
        return loss(model, batch) + torch.empty(2**60).sum()

    with of_factory(Net, greedy, loader(), "adam") as bench:
        bench.begin(0)
        with pytest.raises(TrialMemoryError, match="needs more memory"):
            bench.update(0.1)


def plain() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


def test_accumulation_equals_the_bigger_batch() -> None:
    small, big = list(loader(64, 8, shuffle=False)), list(loader(64, 32, shuffle=False))
    with of_factory(plain, loss, small, "adam", how=How(accumulate=4)) as bench:
        bench.begin(0)
        assert bench.steps_per_epoch == 2
        accumulated = [bench.update(0.03) for _ in range(6)]
    with of_factory(plain, loss, big, "adam") as bench:
        bench.begin(0)
        assert [bench.update(0.03) for _ in range(6)] == pytest.approx(accumulated, rel=1e-5)


def test_clipping_and_autocast_are_those_of_torch() -> None:
    how = How(clip_grad_norm=0.05, autocast=torch.bfloat16)
    batches = list(loader(shuffle=False))
    with of_factory(plain, loss, batches, "sgd", how=how) as bench:
        bench.begin(0)
        found = [bench.update(0.5) for _ in range(5)]
    torch.manual_seed(0)
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    expected = []
    for batch in batches[:5]:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = loss(model, batch)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
        optimizer.step()
        expected.append(value.item())
    assert found == pytest.approx(expected, rel=1e-6)


class Flipped(UserDict[str, Any]):
    """A batch of a class of its own."""


Named = namedtuple("Named", "inputs targets")


class Cloned:
    def __init__(self, inputs: Tensor) -> None:
        self.inputs = inputs

    def clone(self) -> Cloned:
        return Cloned(self.inputs.clone())


@pytest.mark.parametrize(
    "batch",
    [
        {"x": torch.ones(2), "more": [np.ones(2), ("text", 3, None)]},
        Named(torch.ones(2), torch.zeros(1)),
        Flipped(x=torch.ones(2)),
        [torch.ones(2, requires_grad=True)],
        Cloned(torch.ones(2)),
    ],
)
def test_a_batch_of_any_kind_is_given_out_in_memory_of_its_own(batch: Any) -> None:
    double = duplicate(batch)
    assert type(double) is type(batch)
    assert double is not batch
    assert same(double, batch)
    for one, other in zip(tensors(double), tensors(batch), strict=True):
        assert one.data_ptr() != other.data_ptr()
        assert one.requires_grad == other.requires_grad


def tensors(batch: Any) -> list[Tensor]:
    match batch:
        case Tensor():
            return [batch]
        case dict() | Flipped():
            return [one for value in batch.values() for one in tensors(value)]
        case list() | tuple():
            return [one for value in batch for one in tensors(value)]
        case Cloned():
            return [batch.inputs]
    return []


def test_a_loss_that_takes_its_batch_apart_does_so_for_every_rate() -> None:
    def destructive(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        targets = batch.pop("targets")
        batch["inputs"].mul_(0.5)
        return nn.functional.cross_entropy(model(batch["inputs"]), targets)

    batches = [{"inputs": inputs, "targets": targets} for inputs, targets in loader(shuffle=False)]
    with of_factory(Net, destructive, batches, "sgd") as bench:
        bench.begin(0)
        assert losses_of(bench, 0.1) == losses_of(bench, 0.1)
    assert all("targets" in batch for batch in batches)


def test_a_loader_that_fills_the_same_memory_again_is_read_rightly() -> None:
    class Frugal:
        def __iter__(self) -> Iterator[Tensor]:
            place = torch.zeros(1)
            for number in range(4):
                yield place.fill_(number)

    reel = Reel(lambda _: Frugal())
    assert [reel[number].item() for number in (2, 0, 5)] == [2, 0, 1]


def test_batches_are_drawn_once_and_when_they_are_needed() -> None:
    drawn: list[int] = []

    def epoch(number: int) -> Iterator[int]:
        for place in range(3):
            drawn.append(10 * number + place)
            yield drawn[-1]

    reel = Reel(epoch)
    assert [reel[0], reel[1], reel[1]] == [0, 1, 1]
    assert drawn == [0, 1]
    assert reel[4] == 11
    assert drawn == [0, 1, 2, 10, 11]
    assert Reel(epoch, last=1).first(7) == [0, 1, 2]


def test_drawing_has_random_numbers_of_its_own() -> None:
    def epoch(_: int) -> Iterator[float]:
        seed_all(3)
        for _ in range(4):
            yield torch.rand(()).item() + random.random() + np.random.rand()

    torch.manual_seed(5)
    reel, other, before = Reel(epoch), Reel(epoch), random_state()
    slowly = [reel[0], torch.rand(()).item(), reel[1], torch.rand(()).item(), reel[2]]
    assert [slowly[0], slowly[2], slowly[4]] == other.first(3)
    torch.set_rng_state(before["torch"])
    assert [torch.rand(()).item(), torch.rand(()).item()] == [slowly[1], slowly[3]]


def test_data_that_ends_says_so() -> None:
    with pytest.raises(TaskError, match="the first epoch is empty"):
        Reel(lambda _: [])[0]
    once = iter([1, 2])
    with pytest.raises(TaskError, match=r"epoch 1 is empty after 2 batches.*not iter\(loader\)"):
        Reel(lambda _: once)[2]


def test_a_factory_may_take_the_seed_and_its_data_too() -> None:
    seeds: list[tuple[str, int]] = []

    def build(seed: int) -> Net:
        seeds.append(("model", seed))
        return Net()

    def batches(seed: int) -> Iterator[Any]:
        seeds.append(("data", seed))
        yield from loader(shuffle=False)

    with of_factory(build, loss, batches, partial(torch.optim.Adam, lr=0.1)) as bench:
        assert bench.steps_per_epoch is None
        bench.begin(7)
        losses_of(bench, 0.1, 9)
        bench.losses(1)
    assert seeds[:3] == [("model", 0), ("model", 7), ("data", 7)]
    assert len(set(seeds)) == len(seeds) == 5  # the second epoch and the scored batches have seeds of their own


def test_a_bench_needs_its_with_block_and_a_seed() -> None:
    bench = factory_bench()
    with pytest.raises(OptionError, match="in a with block"):
        bench.begin(0)
    with bench:
        with pytest.raises(OptionError, match=r"before begin\(seed\)"):
            bench.update(0.1)
        with pytest.raises(OptionError, match="whole number"):
            bench.begin(-1)


def same_model() -> Callable[[], nn.Module]:
    model = Net()
    return lambda: model


FROZEN = Net().requires_grad_(False)
wrong: Any = of_factory  # whose arguments are
BAD_FACTORIES: dict[str, tuple[Callable[[], Bench], type[Exception], str]] = {
    "module": (lambda: wrong(Net(), loss, loader(), "sgd"), TaskError, "must be a function that makes a model"),
    "frozen": (lambda: wrong(lambda: FROZEN, loss, loader(), "sgd"), TaskError, "no trainable parameter"),
    "none": (lambda: wrong(lambda: None, loss, loader(), "sgd"), TaskError, "got a NoneType"),
    "lazy": (lambda: wrong(lambda: nn.LazyLinear(3), loss, loader(), "sgd"), TaskError, "without a shape"),
    "iterator": (lambda: wrong(Net, loss, iter(loader()), "sgd"), OptionError, r"not iter\(loader\)"),
    "number": (lambda: wrong(Net, loss, 3, "sgd"), OptionError, "got 3"),
    "lbfgs": (lambda: wrong(Net, loss, loader(), torch.optim.LBFGS), OptimizerError, "LBFGS needs a closure"),
    "name": (lambda: wrong(Net, loss, loader(), "adamm"), OptimizerError, "did you mean 'adam'"),
    "no optimizer": (lambda: wrong(Net, loss, loader(), lambda _: 3), OptimizerError, "got a int"),
    "accumulate": (lambda: factory_bench(how=How(accumulate=0)), OptionError, "got 0"),
    "clip": (lambda: factory_bench(how=How(clip_grad_norm=-1.0)), OptionError, "got -1.0"),
}


@pytest.mark.parametrize("name", BAD_FACTORIES)
def test_what_cannot_be_is_one_sentence(name: str) -> None:
    make, kind, words = BAD_FACTORIES[name]
    with pytest.raises(kind, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_factory_that_gives_the_same_model_again_is_refused() -> None:
    with of_factory(same_model(), loss, loader(), "sgd") as bench, pytest.raises(TaskError, match="same model again"):
        bench.begin(0)
