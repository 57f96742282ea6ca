"""Where a race begins, read from a sweep."""

from __future__ import annotations

import numpy as np
import pytest

from stepwell.find import sweep
from stepwell.find.grid import rate_at
from stepwell.record.suggestion import RangeTest

FIRST = sweep.FIRST


def swept(losses: list[float]) -> RangeTest:
    return RangeTest(np.array([rate_at(FIRST + at) for at in range(len(losses))]), np.array(losses))


def test_a_race_begins_a_decade_below_the_lowest_loss() -> None:
    losses = [2.0] * 14 + [1.8, 1.5, 1.2, 1.5, 2.5, 30.0]
    assert sweep.where_to_begin(swept(losses), FIRST) == FIRST + 16 - sweep.BELOW


@pytest.mark.parametrize("at", [0, 3, 6])
def test_a_lucky_batch_at_a_tiny_rate_is_not_a_place_to_begin(at: int) -> None:
    losses = [2.0] * 24 + [30.0]
    losses[at : at + 2] = [1.0, 1.0]
    assert sweep.where_to_begin(swept(losses), FIRST) == FIRST + 24 - sweep.REACH


def test_without_an_end_the_lowest_loss_is_all_there_is() -> None:
    losses = [2.0] * 33
    losses[3:5] = [1.0, 1.0]
    assert sweep.where_to_begin(swept(losses), FIRST) < FIRST + 4


@pytest.mark.parametrize("end", [float("nan"), float("inf"), 9.0])
def test_whatever_ends_a_sweep_is_its_end(end: float) -> None:
    losses = [1.0, 1.0] + [2.0] * 20 + [end]
    assert sweep.where_to_begin(swept(losses), FIRST) == FIRST + 22 - sweep.REACH
