"""The search on benches whose best rate is known, and on real models."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from stepwell.errors import HorizonError, OptionError, ScheduleError, TaskError
from stepwell.find.answer import answer
from stepwell.find.conduct import Progress, Search
from stepwell.find.how import How
from stepwell.find.search import find_lr
from stepwell.find.short_run import GIVEN_UP, Setting, factors, short_run, untrained
from stepwell.record.suggestion import Fate, LrSuggestion, Verdict
from stepwell.schedule import Horizon, schedule
from stepwell.tasks.task import Workload
from toy_bench import ToyBench

HOLD = Setting(schedule("hold"))


def searched(bench: ToyBench, budget: int = 600, bounds: tuple[int, int] | None = None) -> Search:
    search = Search(bench, HOLD, budget, bounds=bounds)
    search.run()
    return search


@pytest.mark.parametrize("curvature", [1e-3, 0.03, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("budget", [100, 300, 600, 2000])
def test_the_rate_follows_the_scale_of_the_problem(curvature: float, budget: int) -> None:
    bench = ToyBench(curvature)
    search = searched(bench, budget)
    found = answer(search.heats, None, search.probes)
    assert found.place is not None
    rate = 10 ** (found.place / 4)
    below = 0.01 if budget == 100 else 0.1
    assert below / curvature < rate < 2.0 / curvature  # below the limit, within a decade or two of the best
    assert bench.spent <= budget


def test_larger_first_updates_are_told_by_the_length_of_short_runs() -> None:
    search = searched(ToyBench(1.0, first_steps=100.0), 600)
    coarse, fine = sorted(search.rises)
    assert search.rises[coarse] > search.rises[fine] > 0
    assert set(searched(ToyBench(1.0), 600).rises.values()) == {0}
    whole = Search(ToyBench(1.0, first_steps=100.0), replace(HOLD, total_steps=fine), 600)
    whole.run()
    assert whole.rises[fine] == 0  # the short run is the whole run
    assert 0 < whole.rises[coarse] < search.rises[coarse]


def test_the_edge_of_failure_is_where_the_loss_explodes() -> None:
    search = searched(ToyBench(1.0), 2000)
    found = answer(search.heats, None, search.probes)
    assert found.edge is not None
    assert found.edge in (2, 3)  # 10 ** 0.5 = 3.2 and 10 ** 0.75 = 5.6: the first places beyond the limit of 2
    assert found.verdict is Verdict.FOUND
    assert found.low is not None
    assert found.place is not None
    assert found.high is not None
    assert found.low <= found.place <= found.high < found.edge


def test_a_loss_that_never_moves_gives_no_rate_and_says_so() -> None:
    search = searched(ToyBench(floor=10.0))
    found = answer(search.heats, None)
    assert found.verdict is Verdict.NO_SIGNAL
    assert found.place is None
    assert "No rate lowered the score" in found.words


def test_a_loss_that_is_nan_from_the_start_gives_no_rate() -> None:
    bench = ToyBench(curvature=math.nan)
    search = searched(bench)
    found = answer(search.heats, None)
    assert found.verdict is Verdict.NO_SIGNAL
    assert found.words == "The score is nan before the first update, so no rate can be judged."


@pytest.mark.parametrize(
    ("bounds", "verdict", "words"),
    [((-12, -4), Verdict.WIDEN_UP, "the highest rate allowed"), ((4, 12), Verdict.NO_SIGNAL, "Every run failed")],
)
def test_bounds_that_leave_the_best_rate_out(bounds: tuple[int, int], verdict: Verdict, words: str) -> None:
    bench = ToyBench(1.0)
    search = searched(bench, bounds=bounds)
    found = answer(search.heats, bounds)
    assert found.verdict is verdict
    assert words in found.words
    low, high = (10 ** (place / 4) for place in bounds)
    assert all(low * 0.99 <= rate <= high * 1.01 for rate in bench.rates)


def test_a_rate_that_needs_too_much_memory_fails_alone() -> None:
    search = searched(ToyBench(1.0, too_much=0.5), 2000)
    found = answer(search.heats, None, search.probes)
    assert {probe.fate for probe in search.probes if probe.lr > 0.5} == {Fate.FAILED}
    assert found.place is not None
    assert 10 ** (found.place / 4) <= 0.5
    assert found.edge is not None


def test_training_and_validation_that_want_other_rates_are_told_apart() -> None:
    search = Search(ToyBench(1.0, val_curvature=1.0), HOLD, 600)
    search.run()
    probes = search.probes
    assert answer(search.heats, None, probes).verdict is Verdict.FOUND
    turned = [  # the higher the rate, the worse on validation
        probe
        if math.isnan(probe.val)
        else type(probe)(
            probe.lr, probe.seed, probe.stage, probe.steps, probe.losses, probe.score, probe.train, probe.lr
        )
        for probe in probes
    ]
    lowest = min(probe.lr for probe in turned if not math.isnan(probe.val))
    far = [type(turned[-1])(lowest / 10, 1, "refine", turned[-1].steps, np.zeros(1), 1.0, 1.0, 0.0)]
    found = answer(search.heats, None, turned + far)
    assert found.verdict is Verdict.DISAGREE
    assert "by the validation loss" in found.words


def test_whoever_watches_hears_of_every_short_run() -> None:
    heard: list[Progress] = []
    search = Search(ToyBench(1.0), HOLD, 300, watch=heard.append)
    search.run()
    assert len(heard) == 1 + len(search.probes)
    assert [progress.spent for progress in heard] == sorted(progress.spent for progress in heard)


@pytest.mark.parametrize("bounds", [(-1200, -4), (-4, 1200), (-1200, -800), (400, 600)])
@pytest.mark.parametrize("budget", [60, 100, 300])
def test_limits_far_apart_or_far_away_do_not_cost_more_than_the_budget(bounds: tuple[int, int], budget: int) -> None:
    bench = ToyBench(1e-9)  # no rate below 1e9 fails, so nothing ends a sweep early
    searched(bench, budget, bounds)
    assert bench.spent <= budget


def test_validation_on_top_stays_within_the_budget() -> None:
    for budget in range(230, 260):
        bench = ToyBench(10.0, val_curvature=1.0, val_cost=4, hungry_after=1)  # no sweep, so a long walk
        Search(bench, HOLD, budget, val_batches=4).run()
        assert bench.spent <= budget


@pytest.mark.parametrize("seed", [1, 2])
def test_memory_that_runs_out_where_a_seed_begins_fails_its_runs_alone(seed: int) -> None:
    search = searched(ToyBench(1.0, hungry_seed=seed), 600)
    assert {probe.fate for probe in search.probes if probe.seed == seed} == {Fate.FAILED}
    assert {probe.fate for probe in search.probes if probe.seed == 0} >= {Fate.FINISHED}


def test_a_run_without_memory_reserves_no_budget_for_the_others() -> None:
    search = searched(ToyBench(1.0, hungry_after=40), 600)
    assert Fate.FAILED in {probe.fate for probe in search.probes}
    assert search.dear == HOLD.scored


@pytest.mark.parametrize("after", [40, 60, 90])
def test_memory_that_lacked_once_says_nothing_of_a_rate(after: int) -> None:
    search = searched(ToyBench(1.0, hungry_after=after), 900)
    [lacking] = [probe for probe in search.probes if probe.fate is Fate.FAILED]
    again = search.probes[search.probes.index(lacking) + 1]
    assert (again.lr, again.seed, again.steps, again.fate) == (lacking.lr, lacking.seed, lacking.steps, Fate.FINISHED)
    found = answer(search.heats, None, search.probes)
    undisturbed = searched(ToyBench(1.0), 900)
    assert found.place == answer(undisturbed.heats, None, undisturbed.probes).place


# Short runs


def test_a_short_run_follows_a_whole_miniature_of_the_schedule() -> None:
    bench = ToyBench(1.0)
    bench.begin(0)
    setting = Setting(schedule("linear 0..1 for 100 | cosine to 0"), total_steps=1000)
    short_run(bench, setting, lr=0.1, steps=20, initial=0.5, seed=0, stage="race")
    expected = schedule("linear 0..1 for 2 | cosine to 0").resolve(Horizon(20))(np.arange(20)) * 0.1
    np.testing.assert_allclose(bench.rates, expected, rtol=1e-12)


def test_a_momentum_entry_moves_with_the_schedule() -> None:
    bench = ToyBench(1.0)
    setting = Setting(schedule("lr: hold; momentum: linear 1..0.5"))
    values = factors(bench, setting, 0.1, 11)
    np.testing.assert_allclose(values["momentum"][[0, 10]], [0.9, 0.9 * (1 - 0.5 * 10 / 11)])
    np.testing.assert_allclose(values["lr"], 0.1)


def test_a_run_that_explodes_is_given_up_at_once() -> None:
    bench = ToyBench(1.0)
    bench.begin(0)
    initial = untrained(bench, HOLD)
    probe = short_run(bench, HOLD, lr=10.0, steps=50, initial=initial, seed=0, stage="race")
    assert probe.fate is Fate.DIVERGED
    assert math.isnan(probe.score)
    assert len(probe.losses) == 2  # 0.5, then 40.5
    assert probe.losses[-1] > GIVEN_UP * initial
    assert "diverged: the training loss was 40.5 at update 1" in probe.words


# Real models


def data(count: int = 96) -> TensorDataset:
    inputs = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    return TensorDataset(inputs, inputs.sum(1, keepdim=True))


def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def build() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def test_a_factory_gets_a_rate_with_evidence() -> None:
    loader = DataLoader(data(), batch_size=16, shuffle=True)
    found = find_lr(build, "adam", loss=loss, data=loader, schedule="cosine 1..0", budget=300)
    assert isinstance(found, LrSuggestion)
    assert found.low <= found.lr <= found.high
    assert 1e-3 < found.lr < 1.0
    assert found.spent <= 300
    assert f"\noptimizer = torch.optim.Adam(model.parameters(), lr={found.lr:.6g})\n" in found.code
    assert '    "cosine 1..0",\n    total_steps=TOTAL_STEPS,\n' in found.code
    best = min((probe for probe in found.probes if probe.stage == "refine"), key=lambda probe: probe.score)
    assert best.score < found.initial


def test_the_same_call_gives_the_same_answer() -> None:
    loader = DataLoader(data(), batch_size=16, shuffle=True)
    one = find_lr(build, "sgd", loss=loss, data=loader, budget=200, seed=3)
    torch.seed()  # as every process begins with a seed of its own
    other = find_lr(build, "sgd", loss=loss, data=loader, budget=200, seed=3)
    assert one.lr == other.lr
    assert [probe.score for probe in one.probes] == [probe.score for probe in other.probes]


def test_a_live_model_is_left_as_it_was_and_its_groups_keep_their_ratio() -> None:
    model = build()
    optimizer = torch.optim.SGD(
        [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.05}],  # type: ignore[index]  # Sequential
        lr=0.5,
        momentum=0.9,
    )
    before = [parameter.detach().clone() for parameter in model.parameters()]
    found = find_lr(model, optimizer, loss=loss, data=DataLoader(data(), batch_size=16, shuffle=True), budget=200)
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), before, strict=True))
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.05]
    assert found.ratios == pytest.approx((1.0, 0.1))
    assert found.seeds == "data order"
    assert f"base_lr=[{found.lr:.4g}, {found.lr / 10:.4g}]" in found.code


def test_accumulated_batches_are_one_update() -> None:
    loader = DataLoader(data(), batch_size=4, shuffle=True)
    found = find_lr(build, "sgd", loss=loss, data=loader, budget=100, how=How(accumulate=4))
    assert found.spent <= 100


def test_validation_can_rank_the_rates() -> None:
    loader = DataLoader(data(), batch_size=16, shuffle=True)
    found = find_lr(build, "sgd", loss=loss, data=loader, val=[next(iter(loader))], metric="val", budget=200)
    assert found.metric == "val"
    assert all(probe.score == probe.val for probe in found.probes if probe.fate is Fate.FINISHED)


def test_an_accuracy_can_rank_the_rates() -> None:
    inputs = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    labels = (inputs.sum(1) > 0).long()

    def task(seed: int) -> Workload:
        torch.manual_seed(seed)
        return Workload(
            model=nn.Linear(4, 2),
            loss=lambda model, batch: nn.functional.cross_entropy(model(batch[0]), batch[1]) * 10,
            train=lambda epoch: [(inputs[start::4], labels[start::4]) for start in range(4)],
            steps_per_epoch=4,
            val=lambda: [(inputs, labels)],
            metrics=lambda model, batch: {"right": ((model(batch[0]).argmax(1) == batch[1]).sum(), len(batch[1]))},
            goal=("val_right", "max"),
        )

    found = find_lr(task, "sgd", metric="val", budget=200)
    assert Fate.FINISHED in {probe.fate for probe in found.probes}
    assert math.isfinite(found.lr)


@pytest.mark.parametrize("offset", [-3.7, -4.0, -4.4])
def test_a_loss_near_zero_is_no_reason_to_give_up(offset: float) -> None:
    found = find_lr(
        build,
        "sgd",
        loss=lambda model, batch: loss(model, batch) + offset,
        data=DataLoader(data(), batch_size=4, shuffle=True),
        budget=300,
    )
    assert abs(found.initial) < 1.0
    assert 0.01 < found.lr < 1.0
    assert all(probe.lr > 0.3 for probe in found.probes if probe.fate is not Fate.FINISHED)


def test_seeds_that_give_the_same_batches_have_no_spread() -> None:
    model = build()
    batch = next(iter(DataLoader(data(), batch_size=16)))
    found = find_lr(model, torch.optim.SGD(model.parameters(), lr=0.1), loss=loss, data=[batch], budget=600)
    assert found.seeds == "nothing"
    assert math.isnan(found.spread)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hold", None),
        ("hold 0.5", None),
        ("cosine 1..0", 50),
        ("hold 1 for 50% | hold 0.1", 50),
        ("hold | linear to 0 for 40%", 50),
    ],
)
def test_the_code_can_be_pasted(text: str, length: int | None) -> None:
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(data(), batch_size=16, shuffle=True)
    found = find_lr(model, optimizer, loss=loss, data=loader, budget=100, schedule=text, total_steps=length)
    names = {"optimizer": optimizer}
    exec(found.code, names)  # noqa: S102 -- it is ours
    assert optimizer.param_groups[0]["initial_lr"] == pytest.approx(found.lr)


def test_the_range_test_of_a_loss_that_is_nan_says_so() -> None:
    batch = next(iter(DataLoader(data(), batch_size=16)))
    found = find_lr(build, "sgd", loss=lambda m, b: loss(m, b) * math.nan, data=[batch], method="range")
    assert found.verdict is Verdict.NO_SIGNAL
    assert found.words.startswith("The loss is nan before the first update")


def test_the_range_test_reads_a_rate_and_promises_no_interval() -> None:
    found = find_lr("diabetes-mlp", "sgd", method="range")
    assert found.sweep is not None
    assert found.spent <= 100
    assert found.lr == found.sweep.suggestions["fastai.minimum"]
    assert math.isnan(found.low)
    assert not found.probes


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"metric": "accuracy"}, OptionError, "metric is 'loss' or 'val', got 'accuracy'"),
        ({"method": "grid"}, OptionError, "method is 'race' or 'range', got 'grid'"),
        ({"low": 0.1, "high": 0.01}, OptionError, "low must be well below high"),
        ({"low": -1.0}, OptionError, r"low is a rate above 0, got -1\.0"),
        ({"high": math.nan}, OptionError, "high is a rate above 0, got nan"),
        ({"low": "1e-3"}, OptionError, "low is a rate above 0, got '1e-3'"),
        ({"low": 0.011, "high": 0.0166}, OptionError, r"between 0\.011 and 0\.0166 there is none"),
        ({"low": 0.0095, "high": 0.0150}, OptionError, r"between 0\.0095 and 0\.015 there is 1"),
        ({"total_steps": 0}, OptionError, "total_steps is a whole number of updates of at least 1, got 0"),
        ({"budget": "600", "method": "range"}, OptionError, "budget is a whole number of updates"),
        ({"schedule": "hold =1e-4"}, OptionError, "'hold =0.0001' trains at the same rates whatever the base rate"),
        ({"schedule": "hold 0"}, OptionError, "trains at the same rates whatever the base rate is"),
        ({"schedule": "linear 0..1 for 100 | cosine to 0"}, HorizonError, "such as total_steps=10_000"),
        ({"budget": 10}, OptionError, "at least 60, got 10"),
        ({"seed": -1}, OptionError, "seed must be a whole number of at least 0, got -1"),
        ({"seed": "a"}, OptionError, "seed must be a whole number of at least 0, got 'a'"),
        ({"metric": "val"}, OptionError, "it needs val=..., a validation loader"),
        ({"schedule": "cosin 1..0"}, ScheduleError, "cosine"),
        ({"schedule": "cosine 1..0 for 3ep"}, HorizonError, "ep"),
        ({"loss": None}, OptionError, "needs loss="),
        ({"loss": nn.MSELoss()}, OptionError, r"criterion\(model\(batch\[0\]\), batch\[1\]\), where .* your MSELoss"),
        ({"data": None}, OptionError, "needs data="),
        ({"data": iter([])}, OptionError, r"pass the loader itself, not iter\(loader\)"),
        ({"data": []}, TaskError, "no batches"),
        ({"scheduler": object()}, OptionError, "scheduler= goes with a live model"),
        ({"loss": lambda model, batch: model(batch[0])}, TaskError, "a single number, got shape"),
        ({"loss": lambda model, batch: loss(model, batch).detach()}, TaskError, "has no gradient"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(given: dict[str, object], error: type[Exception], words: str) -> None:
    arguments: dict[str, object] = {"loss": loss, "data": [next(iter(DataLoader(data(), batch_size=16)))]}
    with pytest.raises(error, match=words) as caught:
        find_lr(build, "sgd", **(arguments | given))  # type: ignore[arg-type]  # that is the point
    assert "\n" not in str(caught.value) or error is ScheduleError


def test_a_live_model_needs_its_own_optimizer() -> None:
    with pytest.raises(OptionError, match=r"needs the torch optimizer that trains it: find_lr\(model, optimizer"):
        find_lr(build(), "sgd", loss=loss, data=[])


def test_what_is_no_subject_is_refused() -> None:
    with pytest.raises(OptionError, match=r"a task's name, a function that makes a model .* got 3"):
        find_lr(3)


def test_what_was_found_is_one_line_in_a_notebook() -> None:
    found = find_lr("diabetes-mlp", "sgd", budget=120)
    assert repr(found).startswith(f"LrSuggestion({found.verdict.value}")
    assert f": lr={found.lr:g}" in repr(found)
    assert "\n" not in repr(found)
