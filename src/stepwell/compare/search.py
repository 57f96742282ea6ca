"""How the rate of one strategy is looked for: a generator that asks for runs and is told how they went.

Pure, like the race that it is made of. Whoever runs what is asked for keeps the runs in the responses before answering.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from stepwell.compare.plan import A_LITTLE, COARSE, WIDEST, Grid
from stepwell.compare.response import Response
from stepwell.find.race import Ask, Heat, Level, Told, best_place, race

Search: TypeAlias = Generator[Sequence[Ask], Mapping[Ask, Told], None]
Raced: TypeAlias = Generator[Sequence[Ask], Mapping[Ask, Told], Heat]


@dataclass(frozen=True, slots=True)
class Leg:
    """Runs of one length: what may be asked for, and what has been run."""

    level: Level
    response: Response


def search(grid: Grid, dash: Leg, short: Leg, full: Leg) -> Search:
    """Ask for the runs that find the best rate at full length, and the good rates of short runs.

    Of a given list every rate is run short. An automatic grid is raced: the shortest runs say where the short ones
    begin. The best two go on at full length, then their neighbours.

    Args:
        grid: the rates that may be tried.
        dash: the shortest runs; not used for a list.
        short: the runs that show how the result depends on the rate.
        full: runs at full length; the best of their response is the answer.
    """
    if not grid.widen:
        yield _asks(short.level, range(len(grid.rates)))
        yield from _bracket(grid, full, full.level.seeds, _finalists(grid, short.response))
        return
    yield from _region(grid, dash, short)
    yield from _around_the_good(grid, short)
    yield from _bracket(grid, full, full.level.seeds[:1], _finalists(grid, short.response))


def _region(grid: Grid, dash: Leg, short: Leg) -> Search:
    """Where short runs learn best. If the shortest ones say nothing, or mislead, the whole grid is looked through."""
    shortest = yield from _race(grid, dash, grid.middle)
    if shortest.learned:
        yield from _race(grid, short, best_place(shortest.regrets()))
    if not short.response.learned:
        yield _asks(short.level, range(0, len(grid.rates), COARSE))


def _race(grid: Grid, leg: Leg, start: int) -> Raced:
    """A race over runs of one length. Far outside of the grid it goes only once something was learned."""
    heats: list[Heat] = []
    for beyond in (A_LITTLE, WIDEST):  # what was run within the closer bounds is known and not run again
        heats = yield from race([leg.level], start, grid.bounds(beyond))
        if not leg.response.learned:
            break
    return heats[0]


def _around_the_good(grid: Grid, short: Leg) -> Search:
    """Every good rate has its neighbours, so that the good region has ends, and every rate has all seeds."""
    response = short.response
    while True:
        found, beyond = (response.good(), WIDEST) if response.learned else ([response.best], A_LITTLE)
        near = [place for rate in found for place in _beside(grid, rate, beyond)]
        asks = _unrun(grid, short, [*near, *map(grid.place, response.rates)])
        if not asks:
            return
        yield asks


def _bracket(grid: Grid, full: Leg, seeds: tuple[int, ...], places: Iterable[int]) -> Search:
    """From these places on to neighbours, until the best one has worse ones on both sides.

    On some seeds first; all seeds decide between the two that are best there, but for rates that diverged on another.
    Where nothing is learned, nobody is followed further.
    """
    response, some = full.response, replace(full.level, seeds=seeds)
    asks = _asks(some, places)
    while asks:
        yield asks
        view = response.on(seeds)
        best_two = sorted(view.ranking(), key=response.diverged)[:2]
        asks = _beyond(grid, full, some, view.best) if view.learned else []
        asks = asks or _unrun(grid, full, map(grid.place, best_two))
        asks = asks or (_beyond(grid, full, some, response.best) if response.learned else [])


def _beyond(grid: Grid, leg: Leg, level: Level, rate: float) -> list[Ask]:
    """The first neighbour of a rate that was not run."""
    near = _beside(grid, rate, WIDEST)
    return _asks(level, [place for place in near if grid.rate(place) not in leg.response.runs][:1])


def _finalists(grid: Grid, response: Response) -> list[int]:
    return [grid.place(rate) for rate in response.ranking()[:2]]


def _beside(grid: Grid, rate: float, beyond: int) -> list[int]:
    first, last = grid.bounds(beyond)
    place = grid.place(rate)
    return [near for near in (place - 1, place + 1) if first <= near <= last]


def _unrun(grid: Grid, leg: Leg, places: Iterable[int]) -> list[Ask]:
    """The runs at these places that were not made yet."""
    made = leg.response.runs
    return [ask for ask in _asks(leg.level, sorted(set(places))) if ask.seed not in made.get(grid.rate(ask.place), {})]


def _asks(level: Level, places: Iterable[int]) -> list[Ask]:
    return [Ask(place, seed, level) for place in places for seed in level.seeds]
