from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.errors import ScheduleError
from stepwell.schedule import RECIPES, Horizon, Schedule, parse, schedule
from stepwell.schedule.schedule import Entry, Phase, Sequence, Suffix, Table
from stepwell.schedule.table import Values
from strategies import controllers, schedules, tables


def through_json(one: Schedule) -> Schedule:
    """The schedule as it comes back from a file of strict JSON."""
    return Schedule.from_json(json.loads(json.dumps(one.to_json(), allow_nan=False)))


@given(schedules())
@settings(max_examples=200)
def test_every_schedule_comes_back_from_its_document(one: Schedule) -> None:
    assert through_json(one) == one


@given(tables(65, 100), st.none() | controllers)
@settings(max_examples=20)
def test_a_table_too_long_for_a_text_comes_back_too(table: Table, controller: Any) -> None:
    one = Schedule((Entry("lr", Sequence((Phase("hold"), table)), controller),))
    assert through_json(one) == one
    with pytest.raises(ScheduleError, match="a long table is only abbreviated in a text"):
        parse(str(one))


@pytest.mark.parametrize("name", RECIPES)
def test_a_document_gives_the_same_factors(name: str) -> None:
    one = schedule(name)
    steps = np.arange(400)
    for entry in one.entries:
        np.testing.assert_array_equal(
            through_json(one).resolve(Horizon(400), momentum=0.9)(steps, entry.name),
            one.resolve(Horizon(400), momentum=0.9)(steps, entry.name),
        )


def test_the_document_is_what_its_description_shows() -> None:
    one = parse("linear 0..=1e-5 for 5% @left | steps x0.5 at 0 3ep for 20 | table(1 0.5) over 3ep")
    assert one.to_json() == {
        "schema": "stepwell.schedule",
        "version": 1,
        "entries": [
            {
                "name": "lr",
                "expression": {
                    "kind": "sequence",
                    "items": [
                        {
                            "kind": "phase",
                            "shape": "linear",
                            "start": 0.0,
                            "end": "=1e-5",
                            "for": "5%",
                            "side": "left",
                        },
                        {"kind": "phase", "shape": "steps", "rate": 0.5, "at": ["0", "3ep"], "for": "20"},
                        {"kind": "table", "values": [1.0, 0.5], "over": "3ep"},
                    ],
                },
            }
        ],
    }


GOOD = parse(
    "lr: (linear 0..1 for 5% | repeat 2 (hold for 3) | table(1 0.5)) * greedy(x0.9, max); "
    "momentum: 1 - (steps x0.5 at 3)"
).to_json()


@pytest.mark.parametrize(
    ("path", "wrong", "message"),
    [
        ("schema", "else", "has the schema 'stepwell.schedule', got 'else'"),
        ("version", 2, "the schedule has version 2, newer than 1; upgrade stepwell"),
        ("version", True, "version: expected a whole number, got True"),
        ("entries", {}, "entries: expected an array, got {}"),
        ("entries", [], "a schedule has each entry once and at least one"),
        ("surprise", 1, "the document: unknown key 'surprise'"),
        ("entries.0", 3, "entries[0]: expected an object, got 3"),
        ("entries.0.name", "l r", "entries[0].name: expected the name of an entry"),
        ("entries.0.name", "momentum", "each entry once"),
        (
            "entries.0.expression",
            None,
            "entries[0].expression: expected a number, a text such as '=1e-5', or an object",
        ),
        ("entries.0.expression.kind", "wave", "entries[0].expression.kind: expected one of phase, table, sequence"),
        ("entries.0.expression.items", [1], "entries[0].expression: a sequence has at least two items, got 1"),
        ("entries.0.expression.items.0.shape", "lin", "entries[0].expression.items[0]: unknown shape 'lin'"),
        ("entries.0.expression.items.0.end", "1", "entries[0].expression.items[0].end: expected a number"),
        ("entries.0.expression.items.0.end", "=x", "entries[0].expression.items[0].end: expected a number"),
        ("entries.0.expression.items.0.end", -1, "items[0].end: a factor must be a finite number of at least 0"),
        ("entries.0.expression.items.0.end", float("nan"), "items[0].end: expected a finite number, got nan"),
        ("entries.0.expression.items.0.end", 10**400, "items[0].end: expected a finite number, got 1000"),
        ("entries.0.expression.items.0.for", 5, "items[0].for: expected a text, got 5"),
        ("entries.0.expression.items.0.for", "5m", "items[0].for: unknown unit 'm'"),
        ("entries.0.expression.items.0.for", "5 5", "items[0].for: expected one length"),
        ("entries.0.expression.items.0.for", "0", "items[0]: what follows 'for' must be longer than 0"),
        ("entries.0.expression.items.0.side", "top", "items[0].side: expected 'left' or 'right', got 'top'"),
        ("entries.0.expression.items.0.power", 0, "items[0]: 'linear' has no power"),
        ("entries.0.expression.items.1.count", 2.0, "items[1].count: expected a whole number, got 2.0"),
        ("entries.0.expression.items.1.count", 0, "items[1]: repeat needs at least 1 cycle, a whole number, got 0"),
        ("entries.0.expression.items.1.lower", "x2", "items[1].lower: expected a finite number, got 'x2'"),
        ("entries.0.expression.items.2.values", [], "items[2].values: a table holds at least one number"),
        ("entries.0.expression.items.2.values", [1, "2"], "items[2].values[1]: expected a number, got '2'"),
        ("entries.0.expression.items.2.values", [1, -2], "items[2].values: a table holds finite factors of at least 0"),
        (
            "entries.0.expression.items.2.start",
            1,
            "items[2]: unknown key 'start'; known keys: kind, values, over, from",
        ),
        (
            "entries.0.controller.kind",
            "mood",
            "entries[0].controller.kind: expected one of plateau, greedy, got 'mood'",
        ),
        ("entries.0.controller.cut", 2, "entries[0].controller: greedy cuts by a factor between 0 and 1, got x2"),
        ("entries.0.controller.cut", "x", "entries[0].controller.cut: expected a finite number, got 'x'"),
        ("entries.0.controller.patients", 2, "entries[0].controller: unknown key 'patients'"),
        ("entries.1.expression.terms.1", 5, None),
        ("entries.1.expression.terms.1.body.at", ["5", "3"], "must ascend, but 3 follows 5"),
    ],
)
def test_a_malformed_document_is_one_error_with_the_place(path: str, wrong: object, message: str | None) -> None:
    document = copy.deepcopy(GOOD)
    place: Any = document
    *way, last = path.split(".")
    for name in way:
        place = place[int(name)] if name.isdigit() else place[name]
    place[int(last) if last.isdigit() else last] = wrong
    if message is None:
        assert Schedule.from_json(document) != Schedule.from_json(GOOD)
        return
    with pytest.raises(ScheduleError) as raised:
        Schedule.from_json(document)
    assert message in str(raised.value)


def test_what_is_missing_is_named() -> None:
    document = copy.deepcopy(GOOD)
    del document["entries"][0]["expression"]["items"][0]["shape"]
    with pytest.raises(ScheduleError, match=r"entries\[0\].expression.items\[0\]: a phase needs 'shape'"):
        Schedule.from_json(document)
    with pytest.raises(ScheduleError, match="a schedule as JSON is an object, got str"):
        Schedule.from_json("cosine 1..0")  # type: ignore[arg-type]  # the wrong input itself


leaves = (
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.sampled_from(["5%", "=1", "phase", "", "left"])
)
keys = st.sampled_from(["kind", "shape", "items", "body", "for", "values", "end", "at", "name", "count", "operands"])
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@given(anything)
@settings(max_examples=300)
def test_no_document_raises_anything_but_a_schedule_error(inside: object) -> None:
    entry = {"name": "lr", "expression": inside}
    for document in (inside, {**GOOD, "entries": inside}, {**GOOD, "entries": [entry]}):
        try:
            one = Schedule.from_json(document)  # type: ignore[arg-type]  # the wrong input itself
        except ScheduleError:
            continue
        assert through_json(one) == one


def test_parentheses_without_end_are_refused() -> None:
    inside: dict[str, Any] = {"kind": "phase", "shape": "hold"}
    for _ in range(5000):
        inside = {"kind": "negative", "body": inside}
    with pytest.raises(ScheduleError, match="nested too deeply"):
        Schedule.from_json({**GOOD, "entries": [{"name": "lr", "expression": inside}]})


def test_the_deepest_text_has_a_document() -> None:
    one = parse("(" * 49 + "hold" + " + 1) * 2" * 49)
    assert through_json(one) == one


def test_a_million_values_are_compact_and_equal_by_value() -> None:
    numbers = np.random.default_rng(3).random(1_000_000)
    one, other = (Schedule((Entry("lr", Table(Values.of(numbers))),)) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert str(one) == str(other)
    assert len(str(one)) < 150
    other_values = numbers.copy()
    other_values[777_777] += 1e-9
    different = Schedule((Entry("lr", Table(Values.of(other_values))),))
    assert different != one
    assert str(different) != str(one)
    steps = np.arange(1_000_001)
    np.testing.assert_array_equal(one.resolve(Horizon(1_000_000))(steps)[:-1], numbers)
    assert through_json(one) == one


def test_a_table_without_a_value_of_its_own_kind_is_refused() -> None:
    for wrong in ([], [[1.0]], [1.0, float("nan")], [-0.5], ["x"], "x", 3.0):
        with pytest.raises(ScheduleError, match="a table holds"):
            Values.of(wrong)
    assert Values.of([-0.0]) == Values.of([0])
    assert not Values.of([1.0]).array.flags.writeable
    assert Table(Values.of([1.0]), suffix=Suffix()) == Table(Values.of((1,)))
