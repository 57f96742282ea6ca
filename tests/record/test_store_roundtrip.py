from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from stepwell.errors import StoreError
from stepwell.record import chunks
from stepwell.record.columns import as_columns, join
from stepwell.record.document import run_from_json, run_to_json
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.store import UNFINISHED, Store
from stepwell.schedule.length import Horizon

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
floats = st.floats()  # nan, infinities, -0.0 and 2**1000 among them


def columns_of(names: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.integers(0, 12).flatmap(
        lambda count: st.dictionaries(names, npst.arrays(np.float64, count, elements=floats), max_size=4)
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts.filter(lambda name: name != "float"), inner),
    max_leaves=8,
)
horizons = st.builds(
    Horizon,
    st.none() | st.integers(1, 10**12),
    st.none() | st.integers(1, 10**6),
    st.none() | st.floats(1e-3, 1e12),
)
runs = st.builds(
    Run,
    id=texts,
    name=texts,
    outcome=st.builds(Outcome, st.sampled_from(Ending), st.integers(0, 2**62), texts),
    columns=columns_of(texts),
    evals=columns_of(texts),
    results=st.dictionaries(texts, floats, max_size=4),
    schedule=st.none() | texts,
    horizon=st.none() | horizons,
    base_lr=st.none() | floats,
    optimizer=st.none() | texts,
    task=st.none() | texts,
    seed=st.none() | st.integers(-(2**70), 2**70),
    settings=st.dictionaries(texts, json_values, max_size=4),
)


def bits(value: Any) -> Any:
    """A form in which equal means the same bits, so that nan equals nan and 0.0 differs from -0.0."""
    match value:
        case float():
            return struct.pack("<d", value) if value == value else "nan"
        case np.ndarray():
            return [bits(number) for number in value.tolist()]
        case dict():
            return [(name, bits(inner)) for name, inner in value.items()]
        case list():
            return [bits(inner) for inner in value]
        case Run():
            return [bits(getattr(value, field.name)) for field in fields(Run)]
        case _:
            return (type(value).__name__, value)


def a_run(run_id: str = "a", num_steps: int = 0, ending: Ending = Ending.RUNNING, **facts: Any) -> Run:
    step = np.arange(num_steps, dtype=np.float64)
    columns = {"step": step, "loss": 1 / (1 + step)} if num_steps else {}
    return Run(run_id, "mine", Outcome(ending, num_steps, "words"), columns, **facts)


def rows(first: int, last: int) -> dict[str, Any]:
    step = np.arange(first, last, dtype=np.float64)
    return {"step": step, "loss": step * 0.5}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "runs.sqlite") as opened:
        yield opened


@given(runs)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_run_comes_back_as_it_was_saved(store: Store, run: Run) -> None:
    store.save(run)
    assert bits(store.load(run.id)) == bits(run)
    store.delete([run.id])


@given(runs)
@settings(max_examples=60, deadline=None)
def test_a_run_comes_back_from_strict_json(run: Run) -> None:
    text = json.dumps(run_to_json(run), allow_nan=False)
    assert bits(run_from_json(json.loads(text))) == bits(run)


def test_the_bits_of_a_nan_survive(store: Store) -> None:
    odd = np.frombuffer(struct.pack("<Q", 0xFFF8_0000_DEAD_BEEF), dtype=np.float64)
    store.save(Run("a", "n", Outcome(Ending.DIVERGED, 1, ""), {"loss": odd}))
    assert store.load("a")["loss"].tobytes() == odd.tobytes()


@given(cuts=st.lists(st.integers(1, 9), min_size=1, max_size=6), chunk=st.integers(1, 5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_appended_in_pieces_are_the_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch, cuts: list[int], chunk: int
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", chunk)
    store.begin(a_run())
    ends = np.cumsum([0, *cuts]).tolist()
    for first, last in itertools.pairwise(ends):
        store.append("a", rows(first, last))
    assert bits(store.load("a").columns) == bits(rows(0, ends[-1]))
    assert store.summaries()[0].num_steps == ends[-1]


@given(length=st.integers(1, 20), step=st.integers(0, 22), chunk=st.integers(1, 6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_truncate_drops_exactly_the_rows_from_a_step_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, length: int, step: int, chunk: int
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", chunk)
    store.begin(a_run())
    store.append("a", rows(0, length))
    for at in range(0, length, 3):
        store.append_evals("a", {"step": [at], "val_loss": [1.0]})
    store.truncate("a", step)
    run = store.load("a")
    assert run["loss"].tolist() == rows(0, min(step, length))["loss"].tolist() if step else run.num_steps == 0
    # The network that was evaluated at `step` is the one that goes on.
    assert run.evals["step"].tolist() == [at for at in range(0, length, 3) if at <= step]
    store.append("a", rows(min(step, length), length + 3))
    assert bits(store.load("a")["loss"]) == bits(rows(0, length + 3)["loss"])


def test_rows_written_twice_are_there_once(store: Store) -> None:
    store.begin(a_run())
    store.append("a", rows(0, 5))
    store.append("a", rows(0, 5))
    store.append("a", rows(3, 8))
    assert store.load("a")["step"].tolist() == list(range(8))


def test_an_evaluation_of_the_same_step_replaces_the_first(store: Store) -> None:
    store.begin(a_run())
    store.append_evals("a", {"step": [0.0], "val_loss": [2.0]})
    store.append_evals("a", {"step": [4.0], "val_loss": [1.0]})
    store.append_evals("a", {"step": [4.0], "val_loss": [0.5], "val_accuracy": [0.9]})
    evals = store.load("a").evals
    assert evals["val_loss"].tolist() == [2.0, 0.5]
    np.testing.assert_array_equal(evals["val_accuracy"], [np.nan, 0.9])


def test_a_gap_between_rows_is_refused(store: Store) -> None:
    store.begin(a_run())
    store.append("a", rows(0, 5))
    with pytest.raises(StoreError, match=r"should go on at step 5, got step 9"):
        store.append("a", rows(9, 12))
    assert store.load("a").num_steps == 5


def test_a_column_that_comes_later_is_nan_before(store: Store) -> None:
    store.begin(a_run())
    store.append("a", {"step": [0.0], "lr": [0.1]})
    store.append("a", {"step": [1.0], "lr": [0.1], "lr.1": [0.2]})
    np.testing.assert_array_equal(store.load("a")["lr.1"], [np.nan, 0.2])


@pytest.mark.parametrize("ending", list(Ending))
def test_only_a_final_ending_keeps_its_run_and_drops_its_checkpoint(store: Store, ending: Ending) -> None:
    final = ending not in UNFINISHED
    finishes: list[Callable[[], None]] = [
        lambda: store.finish("a", Outcome(ending, 3, "so"), {"val_loss": 0.5}),
        lambda: store.save(a_run("a", 3, ending, results={"val_loss": 0.5})),
    ]
    agains: list[Callable[[], None]] = [lambda: store.begin(a_run()), lambda: store.truncate("a", 0)]
    for finish in finishes:
        store.begin(a_run())
        store.checkpoint("a", 2, b"old")
        store.checkpoint("a", 3, b"state")
        finish()
        assert (store.load_checkpoint("a") is None) == final
        assert store.load_checkpoint("a") in (None, (3, b"state"))
        assert store.finished(["a", "other"]) == ({"a"} if final else set())
        assert store.load("a").outcome.ending is ending
        assert store.load("a").results == {"val_loss": 0.5}
        if final:
            for again in agains:
                with pytest.raises(StoreError, match="has finished; to run it again, type: stepwell runs delete a"):
                    again()
        else:
            store.begin(a_run())
            assert store.load_checkpoint("a") is None
        store.delete(["a"])


def test_delete_takes_rows_and_checkpoint_along(store: Store) -> None:
    for run_id in "abc":
        store.save(a_run(run_id, 5))
    store.checkpoint("a", 3, b"state")
    assert store.delete(["a", "b", "unknown"]) == 2
    assert [summary.id for summary in store.summaries()] == ["c"]
    store.begin(a_run("a"))
    assert store.load("a").num_steps == 0
    assert store.load_checkpoint("a") is None


def test_summaries_stand_in_the_order_in_which_runs_began(store: Store) -> None:
    for run_id in "bca":
        store.begin(a_run(run_id))
    store.save(a_run("b", 4, Ending.FINISHED))
    summaries = store.summaries()
    assert [summary.id for summary in summaries] == ["b", "c", "a"]
    assert [summary.num_steps for summary in summaries] == [4, 0, 0]
    assert all(summary.written >= summary.begun for summary in summaries)


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.append("x", rows(0, 2)),
        lambda store: store.append_evals("x", rows(0, 2)),
        lambda store: store.truncate("x", 0),
        lambda store: store.checkpoint("x", 0, b""),
        lambda store: store.finish("x", Outcome(Ending.FINISHED, 0, ""), {}),
        lambda store: store.load("x"),
    ],
)
def test_a_run_that_is_not_there_is_named(store: Store, write: Any) -> None:
    with pytest.raises(StoreError, match=r"there is no run 'x' in .*runs.sqlite; see what is: stepwell runs list"):
        write(store)
    assert store.summaries() == []


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Path("x"), "'options.deep' must be a number, a text, a list or a mapping, got PosixPath"),
        ([np.int64(3)], r"'options.deep\[0\]' must be .*got int64"),
        ({3: 1}, "the names in 'options.deep' must be texts, got 3"),
    ],
)
def test_a_setting_that_json_lacks_is_named_and_nothing_is_written(store: Store, value: Any, says: str) -> None:
    store.save(a_run("a", 3))
    with pytest.raises(StoreError, match=says):
        store.save(a_run("a", 5, settings={"options": {"deep": value}}))
    assert store.load("a").num_steps == 3


def test_text_that_is_not_unicode_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="not valid Unicode"):
        store.save(Run("a", "caf\udce9", Outcome(Ending.FAILED, 0, ""), {}))
    assert store.summaries() == []


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"step": [0, 1], "loss": [1.0]}, r"equal lengths, got {'step': 2, 'loss': 1}"),
        ({"loss": ["low"]}, "'loss' must hold numbers"),
        ({"loss": [[1.0]]}, r"'loss' must be one row of numbers, got the shape \(1, 1\)"),
    ],
)
def test_columns_that_are_none_are_refused(columns: dict[str, Any], says: str) -> None:
    with pytest.raises(StoreError, match=says):
        as_columns(columns)


def test_joining_nothing_is_nothing() -> None:
    assert join([]) == {}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "needs the key 'outcome'"),
        ({"id": "a", "name": "n", "outcome": 3, "horizon": None, "base_lr": None}, "is not a run"),
    ],
)
def test_json_that_is_no_run_is_refused(document: dict[str, Any], says: str) -> None:
    with pytest.raises(StoreError, match=says):
        run_from_json(document)
