from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Self, final

import numpy as np
import pytest

from stepwell.errors import OptionError
from stepwell.find.of_task import of_task
from stepwell.find.range_test import range_test
from stepwell.find.rules import RULES, suggestions
from stepwell.record.suggestion import Array
from stepwell.record.trial import TaskRef

TINY = f"{Path(__file__).parents[1] / 'tasks' / 'tiny_tasks.py'}:tiny"


@final
class Told:
    """A bench whose losses are told."""

    ratios, seeds_vary, steps_per_epoch = (1.0,), "data order", None

    def __init__(self, losses: list[float]) -> None:
        self.losses_told, self.rates, self.seed = losses, list[float](), -1

    @property
    def spent(self) -> int:
        return len(self.rates)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, seed: int) -> None:
        self.seed = seed

    def rewind(self) -> None:
        raise AssertionError("a sweep has one run")

    def update(self, lr: float, **entries: float) -> float:
        self.rates.append(lr)
        return self.losses_told[len(self.rates) - 1]

    def losses(self, count: int) -> float:
        raise AssertionError("a sweep scores nothing")

    def mean_step(self, rates: Array, momentum: float | None = None) -> float:
        raise AssertionError("a sweep has no length to be stretched to")

    def base(self, name: str) -> float:
        return 0.9

    def validate(self) -> float | None:
        return None


def test_the_rate_rises_by_the_same_factor_and_every_loss_is_kept() -> None:
    losses = [3.0 - 0.1 * number for number in range(20)]
    bench = Told(losses)
    found = range_test(bench, 1e-4, 1.0, 20, seed=7)
    assert bench.seed == 7
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 1.0, 20), rtol=1e-12)
    assert bench.rates == found.rates.tolist()
    assert found.losses.tolist() == losses
    assert set(found.suggestions) == set(RULES)


@pytest.mark.parametrize("end", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [0, 1, 13])
def test_it_ends_with_the_first_loss_that_is_not_finite(end: float, at: int) -> None:
    found = range_test(Told([2.0] * at + [end] + [2.0] * 20), 1e-4, 1.0, 20, stop=math.inf)
    assert len(found.losses) == at + 1
    np.testing.assert_equal(found.losses[-1], end)


def test_it_ends_where_the_smooth_loss_is_stop_times_its_best() -> None:
    """With 50 equal losses before it one of 600 adds 0.02 / (1 - 0.98**51) = 0.0311 x 599 = 18.6 to the mean."""
    losses = [1.0] * 50 + [600.0] * 50
    assert len(range_test(Told(losses), 1e-4, 1.0, 100, stop=19.0).losses) == 51
    assert len(range_test(Told(losses), 1e-4, 1.0, 100, stop=20.0).losses) == 52
    assert len(range_test(Told(losses), 1e-4, 1.0, 100, stop=math.inf).losses) == 100


def test_a_loss_below_zero_is_no_reason_to_end() -> None:
    falling = [-0.1 * number for number in range(60)]
    assert len(range_test(Told(falling), 1e-4, 1.0, 60).losses) == 60
    exploding = falling[:40] + [10.0**number for number in range(1, 21)]
    assert len(range_test(Told(exploding), 1e-4, 1.0, 60).losses) < 50


def test_suggestions_are_those_of_the_plan_not_of_what_was_left_of_it() -> None:
    losses = [3.0 - 0.02 * number + 0.1 * (number % 3) for number in range(60)] + [math.nan]
    found = range_test(Told(losses), 1e-6, 10.0, 200)
    assert found.suggestions == pytest.approx(suggestions(found.rates, found.losses, 200), nan_ok=True)
    assert found.suggestions["fastai.valley"] != suggestions(found.rates, found.losses)["fastai.valley"]


def test_a_real_sweep_is_the_same_twice_and_falls_before_it_diverges() -> None:
    tests = []
    for _ in range(2):
        with of_task(TaskRef(TINY), "momentum") as bench:
            tests.append(range_test(bench, 1e-4, 1e4, 120, seed=1))
            assert bench.spent == len(tests[-1].losses)
    one, other = tests
    np.testing.assert_array_equal(one.losses, other.losses)
    assert one.suggestions == other.suggestions
    assert len(one.losses) < 120
    assert 1e-4 < one.suggestions["fastai.minimum"] < one.rates[-1]


@pytest.mark.parametrize(
    ("low", "high", "steps", "stop", "words"),
    [
        (1.0, 0.1, 100, 4.0, "from a low rate to a higher one, got 1 to 0.1"),
        (0.1, 0.1, 100, 4.0, "from a low rate to a higher one"),
        (0.0, 0.1, 100, 4.0, "between two positive rates, got 0 to 0.1"),
        (math.nan, 0.1, 100, 4.0, "between two positive rates"),
        (0.1, math.inf, 100, 4.0, "between two positive rates"),
        (0.1, 1.0, 9, 4.0, "at least 10 steps, got 9"),
        (0.1, 1.0, True, 4.0, "at least 10 steps, got True"),
        (0.1, 1.0, 100, 1.0, "above 1; got 1"),
        (0.1, 1.0, 100, math.nan, "above 1; got nan"),
    ],
)
def test_what_is_no_sweep_is_refused_before_anything_is_trained(
    low: float, high: float, steps: int, stop: float, words: str
) -> None:
    bench = Told([1.0])
    with pytest.raises(OptionError, match=words):
        range_test(bench, low, high, steps, stop=stop)
    assert bench.seed == -1
