"""What every controller promises, as tests: subclass `ControllerContract` and give it yours.

class TestMine(ControllerContract):
    def controllers(self) -> list[Controller]:
        return [Mine(), Mine(patience=3)]
"""

from __future__ import annotations

import copy
import json
import math
import pickle
import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from stepwell.errors import ResumeError
from stepwell.schedule.control.controller import Controller, plain

BASE_RATES = [0.1, 0.001, 3.0]


class ControllerContract:
    """The promises of a controller. The metrics are seeded; some are not numbers."""

    def controllers(self) -> list[Controller]:
        """A few of your controllers, with settings that make them act within 60 checks."""
        raise NotImplementedError("return your controllers")

    def test_every_group_begins_with_a_factor_of_1(self) -> None:
        """`init` changes nothing yet, whatever the base rates."""
        for one in self.controllers():
            assert one.init(BASE_RATES).factors == (1.0, 1.0, 1.0), one
            assert one.init([0.1]).factors == (1.0,), one

    def test_the_factors_stay_positive_and_finite(self) -> None:
        """One factor per group after every metric, and not always 1."""
        for one in self.controllers():
            seen = [state.factors for _, state in _states(one)]
            assert all(len(factors) == len(BASE_RATES) for factors in seen), one
            assert all(math.isfinite(factor) and factor >= 0 for factors in seen for factor in factors), one
            assert len(set(seen)) > 1, f"{one} never acts"

    def test_an_update_leaves_the_state_before_it_alone(self) -> None:
        """The same state and metric give the same state again, and the old one is what it was."""
        for one in self.controllers():
            for before, metric in _pairs(one):
                kept = copy.deepcopy(before)
                first = one.update(before, metric)
                assert before == kept, one
                assert one.update(before, metric) == first, one

    def test_a_state_goes_through_json_at_any_check(self) -> None:
        """What is restored goes on as if nothing had happened."""
        for one in self.controllers():
            stream = _metrics()
            for stop in range(0, len(stream), 7):
                state = one.init(BASE_RATES)
                for metric in stream[:stop]:
                    state = one.update(state, metric)
                again = one.restore(json.loads(json.dumps(plain(state))))
                assert again == state, one
                for metric in stream[stop:]:
                    state, again = one.update(state, metric), one.update(again, metric)
                assert again == state, one

    def test_a_foreign_state_is_refused(self) -> None:
        """Other names than those of the state are a ResumeError, not a guess."""
        for one in self.controllers():
            for foreign in ({}, {"factors": [1.0]}, {**plain(one.init([0.1])), "mood": 1}):
                try:
                    one.restore(foreign)
                except ResumeError:
                    continue
                raise AssertionError(f"{one} restores {foreign}")

    def test_it_is_a_value(self) -> None:
        """Equal, hashable, and the same after a copy; the text says which one it is."""
        for one in self.controllers():
            for twin in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):  # noqa: S301 -- our own bytes
                assert twin == one
                assert hash(twin) == hash(one)
                assert str(twin) == str(one)

    def test_a_miniature_is_of_the_same_kind(self) -> None:
        """`stretched` by 1 changes nothing; a quarter still runs."""
        for one in self.controllers():
            assert one.stretched(Fraction(1)) == one
            small = one.stretched(Fraction(1, 4))
            assert type(small) is type(one)
            assert small.mode == one.mode
            for _ in _states(small):
                pass


def _metrics() -> list[float]:
    """Falling, then stalling, with a few that are not numbers; at least 60."""
    noise = random.Random(17)
    falling = [3.0 - 0.08 * check + 0.05 * noise.random() for check in range(30)]
    stalling = [0.6 + 0.3 * noise.random() for _ in range(60)]
    return [*falling, math.nan, math.inf, *stalling, math.nan]


def _states(one: Controller) -> Iterator[tuple[float, Any]]:
    state = one.init(BASE_RATES)
    for metric in _metrics():
        state = one.update(state, metric)
        yield metric, state


def _pairs(one: Controller) -> Iterator[tuple[Any, float]]:
    state = one.init(BASE_RATES)
    for metric in _metrics():
        yield state, metric
        state = one.update(state, metric)
