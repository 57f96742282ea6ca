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
    Side,
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
sides: st.SearchStrategy[Side | None] = st.sampled_from(["left", "right", None])
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


# Schedules that mostly fit a run

factors = st.sampled_from([0.0, 0.02, 0.1, 0.25, 0.5, 1.0, 1.5])
some_values = st.builds(Value, factors, st.booleans())
spans = st.one_of(
    st.builds(lambda half_steps: Length(half_steps / 2), st.integers(2, 80)),
    st.builds(lambda share: Length(float(share), Unit.RUN), st.integers(2, 60)),
    st.builds(lambda quarters: Length(quarters / 4, Unit.EPOCHS), st.integers(1, 12)),
    st.builds(lambda tokens: Length(100.0 * tokens, Unit.TOKENS), st.integers(1, 30)),
)
maybe_spans = st.none() | spans


@st.composite
def _fitting_phases(draw: st.DrawFn, length: bool) -> Expression:
    stair = draw(st.none() | st.none() | spans)
    suffix = Suffix(draw(spans) if length else None, stair, draw(sides))
    start, offset = draw(st.none() | some_values), draw(maybe_spans)
    match draw(st.sampled_from(["closed", "closed", "closed", "hold", "decay", "steps", "inverse-sqrt", "table"])):
        case "closed":
            name = draw(st.sampled_from(sorted(CLOSED)))
            power = draw(st.sampled_from([0.5, 2.0, 3.0])) if CLOSED[name].takes_power else None
            end, over = draw(some_values), draw(maybe_spans)
            return Phase(name, power, start=start, end=end, over=over, offset=offset, suffix=suffix)
        case "hold":
            return Phase("hold", start=start, suffix=suffix)
        case "decay" | "steps" as name:
            rate, every = draw(st.sampled_from([0.5, 0.9, 1.05])), draw(maybe_spans if name == "steps" else spans)
            places = sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=3))) if every is None else []
            at = tuple(Length(float(one)) for one in places)
            return Phase(name, start=start, rate=rate, every=every, at=at, offset=offset, suffix=suffix)
        case "table":
            row = draw(st.lists(factors, min_size=1, max_size=5))
            return Table(Values.of(row), over=draw(maybe_spans), offset=offset, suffix=suffix)
    return Phase("inverse-sqrt", start=start, over=draw(spans), offset=offset, suffix=suffix)


@st.composite
def fitting_expressions(draw: st.DrawFn, *, length: bool = False, depth: int = 3) -> Expression:
    """An expression with a length of its own or without, everything nested in everything."""
    inner = fitting_expressions(length=length, depth=depth - 1)
    kind = draw(st.sampled_from(["phase", "sequence", "group", "repeat", "operands"])) if depth else "phase"
    count: int | None
    match kind:
        case "sequence":
            items = draw(st.integers(2, 4))
            rest = None if length else draw(st.integers(0, items - 1))
            parts = [fitting_expressions(length=index != rest, depth=depth - 1) for index in range(items)]
            return Sequence(tuple(draw(part) for part in parts))
        case "group":
            return Group(draw(inner), Suffix(None, draw(maybe_spans), draw(st.sampled_from(["left", "right"]))))
        case "repeat":
            count = draw(st.none() | st.integers(1, 4))
            own = count is None or draw(st.booleans())
            body = draw(fitting_expressions(length=own, depth=depth - 1))
            span = draw(spans) if length and (count is None or not own) else None
            longer, lower = draw(st.sampled_from([1.0, 1.0, 2.0, 1.5, 0.8])), draw(st.sampled_from([1.0, 0.5]))
            return Repeat(body, count, longer, lower, Suffix(span, None, draw(sides)))
        case "operands":
            operands = [draw(fitting_expressions(depth=depth - 1)) for _ in range(2)]
            operands += [draw(some_values)] if draw(st.booleans()) else []
            kinds: list[type[Sum] | type[Product] | type[Max]] = [Sum, Product, Max]
            node: Expression = draw(st.sampled_from(kinds))(tuple(operands))
            return Group(node, Suffix(draw(spans))) if length else node
    return draw(_fitting_phases(length))
