"""Hypothesis strategies for schedules and runs, in one place."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stepwell.schedule import Greedy, Horizon, Length, Plateau, Schedule, Unit
from stepwell.schedule.schedule import (
    Entry,
    Expression,
    Group,
    Max,
    Negative,
    Phase,
    Product,
    Repeat,
    Sequence,
    Suffix,
    Sum,
    Table,
    Value,
)
from stepwell.schedule.shape import CLOSED
from stepwell.schedule.table import MOST_WRITTEN, Values

numbers = st.floats(0, 1e6, allow_nan=False, width=64) | st.sampled_from([0.0, 0.1, 0.5, 1.0, 1e-5, 4e-6, 29.0])
positive = st.floats(1e-6, 1e6) | st.sampled_from([0.1, 0.5, 0.999, 2.0])
values = st.builds(Value, numbers, st.booleans())
lengths = st.builds(Length, positive, st.sampled_from(Unit))
sides = st.sampled_from(["left", "right", None])
maybe_lengths = st.none() | lengths
suffixes = st.builds(Suffix, maybe_lengths, maybe_lengths, sides)


@st.composite
def closed_phases(draw: st.DrawFn) -> Phase:
    name = draw(st.sampled_from(sorted(CLOSED)))
    power = draw(st.floats(0.1, 9)) if CLOSED[name].takes_power else None
    return Phase(
        name,
        power,
        start=draw(st.none() | values),
        end=draw(values),
        over=draw(maybe_lengths),
        offset=draw(maybe_lengths),
        suffix=draw(suffixes),
    )


@st.composite
def open_phases(draw: st.DrawFn) -> Phase:
    name = draw(st.sampled_from(["hold", "steps", "decay", "inverse-sqrt"]))
    settings: dict[str, Any] = {"start": draw(st.none() | values), "suffix": draw(suffixes)}
    if name in ("steps", "decay"):
        settings["rate"] = draw(positive)
        if name == "steps" and draw(st.booleans()):
            places = sorted(draw(st.sets(st.integers(0, 10**6), min_size=1, max_size=4)))
            settings["at"] = tuple(Length(float(place), Unit.EPOCHS) for place in places)
        else:
            settings["every"] = draw(lengths)
    if name == "inverse-sqrt":
        settings["over"] = draw(lengths)
    if name != "hold":
        settings["offset"] = draw(maybe_lengths)
    return Phase(name, **settings)


def tables(least: int = 1, most: int = MOST_WRITTEN) -> st.SearchStrategy[Table]:
    rows = st.lists(numbers, min_size=least, max_size=most).map(Values.of)
    return st.builds(Table, rows, maybe_lengths, maybe_lengths, suffixes)


phases = closed_phases() | open_phases() | tables(most=5)


def _grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    some = suffixes.filter(lambda suffix: suffix != Suffix())
    return (
        several.map(Sequence)
        | st.builds(Group, inner, some)
        | st.builds(Repeat, inner, st.none() | st.integers(1, 9), positive, st.floats(1e-6, 1), suffixes)
        | several.map(Sum)
        | several.map(lambda terms: Sum((terms[0], *map(Negative, terms[1:]))))
        | several.map(Product)
        | several.map(Max)
    )


expressions: st.SearchStrategy[Expression] = st.recursive(phases | values, _grown, max_leaves=8)
plateaus = st.builds(
    Plateau,
    cut=st.floats(0.01, 0.99),
    patience=st.integers(0, 20),
    threshold=st.sampled_from([0.0, 1e-4, 0.1]),
    threshold_mode=st.sampled_from(["rel", "abs"]),
    cooldown=st.integers(0, 5),
    floor=st.sampled_from([0.0, 0.01]),
    mode=st.sampled_from(["min", "max"]),
)
greedies = st.builds(
    Greedy,
    cut=st.floats(0.01, 0.99),
    patience=st.integers(0, 20),
    threshold=st.sampled_from([0.0, 1e-6, 0.1]),
    threshold_mode=st.sampled_from(["rel", "abs"]),
    cooldown=st.integers(0, 5),
    warmup=st.integers(0, 5),
    floor=st.floats(0, 1),
    ceiling=st.floats(1, 1e3),
    window=st.integers(1, 50),
    reset=st.integers(1, 500),
    mode=st.sampled_from(["min", "max"]),
)
controllers = plateaus | greedies


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Any schedule that can be written, whether or not it fits a run."""
    names = draw(st.sampled_from([("lr",), ("lr", "momentum"), ("momentum",), ("weight_decay", "lr")]))
    return Schedule(tuple(Entry(name, draw(expressions), draw(st.none() | controllers)) for name in names))


@st.composite
def fitting(draw: st.DrawFn) -> tuple[Schedule, Horizon]:
    """A schedule of phases with lengths in shares of the run, one of them the rest, and a run that it fits."""
    total = draw(st.integers(100, 5000))
    count = draw(st.integers(1, 5))
    rest = draw(st.integers(0, count - 1))
    items = []
    for i in range(count):
        name = draw(st.sampled_from(["linear", "cosine", "1-sqrt", "exponential"]))
        ends = [draw(st.floats(0.01, 2)) for _ in range(2)]
        length = None if i == rest else Length(float(draw(st.integers(1, 20))), Unit.RUN)
        start = Value(ends[0]) if draw(st.booleans()) else None
        items.append(Phase(name, start=start, end=Value(ends[1]), suffix=Suffix(length=length)))
    node: Expression = items[0] if count == 1 else Sequence(tuple(items))
    return Schedule((Entry("lr", node),)), Horizon(total)
