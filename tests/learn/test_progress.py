"""The learner's file: what is answered stays, whatever happens to the process."""

from __future__ import annotations

import csv
import io
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.errors import ForeignFileError, NewerStoreError, StoreError
from stepwell.learn.attempt import Attempt
from stepwell.learn.mastery import CHALLENGE, badges, calibration, last_verdicts, mastery
from stepwell.learn.memory import due, due_or_new, memories
from stepwell.learn.modes import Mode
from stepwell.learn.progress import PROGRESS, Progress, default_path
from stepwell.learn.verdict import Verdict
from stepwell.record.store import Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0

ATTEMPT = Attempt(
    time=NOON,
    session="s",
    mode=Mode.PRACTICE,
    item="topic/one",
    topic="topic",
    seed=7,
    number=1,
    answer=2,
    verdict=Verdict.RIGHT,
    score=1.0,
    hints=1,
    seconds=12.5,
    overtime=0.0,
    confidence=0.8,
    evidence={"measured": [1.0, 2.0]},
)


@pytest.fixture
def progress(tmp_path: Path) -> Iterator[Progress]:
    with Progress.open(tmp_path / "me.sqlite", clock=lambda: NOON) as opened:
        yield opened


def test_what_is_recorded_comes_back(progress: Progress) -> None:
    second = replace(ATTEMPT, answer={"text": "ä", "ticks": [0]}, verdict=Verdict.UNGRADED, confidence=None, number=2)
    for attempt in (ATTEMPT, second):
        progress.record(attempt)
    assert progress.attempts() == [ATTEMPT, second]
    assert progress.attempts(topic="other") == progress.attempts(item="topic/x") == []


def test_numbers_that_json_does_not_have_become_none(progress: Progress) -> None:
    progress.record(replace(ATTEMPT, answer=float("nan"), evidence={"losses": (1.0, float("inf"))}))
    (found,) = progress.attempts()
    assert (found.answer, found.evidence) == (None, {"losses": [1.0, None]})


def test_long_evidence_keeps_its_plain_part(progress: Progress) -> None:
    progress.record(replace(ATTEMPT, evidence={"losses": [0.5] * 100_000, "off": 0.1, "stdout": "x" * 5000}))
    assert progress.attempts()[0].evidence == {"off": 0.1, "stdout": "x" * 1000}


def test_nothing_is_changed_or_deleted_even_by_hand(progress: Progress) -> None:
    progress.record(ATTEMPT)
    with closing(sqlite3.connect(progress.path, isolation_level=None)) as other:
        for statement in ("DELETE FROM attempts", "UPDATE attempts SET verdict = 'right'"):
            with pytest.raises(sqlite3.IntegrityError, match="attempts are only added"):
                other.execute(statement)
    assert progress.attempts() == [ATTEMPT]


def test_a_reset_hides_what_came_before_and_deletes_nothing(progress: Progress) -> None:
    other = replace(ATTEMPT, item="topic/two")
    for attempt in (ATTEMPT, other, replace(ATTEMPT, number=2)):
        progress.record(attempt)
    assert progress.reset("topic/one") == 2
    assert progress.attempts() == [other]
    assert progress.reset("topic/one") == progress.reset("nothing") == 0
    progress.record(replace(ATTEMPT, seed=9))
    assert [attempt.seed for attempt in progress.attempts(item="topic/one")] == [9]
    everything = json.loads(progress.export_json())
    assert len(everything["attempts"]) == 4
    assert everything["resets"] == [{"time": NOON, "item": "topic/one", "through": 3}]


def test_the_exports_have_every_answer(progress: Progress) -> None:
    progress.record(replace(ATTEMPT, answer='a, "b"\nc', confidence=None))
    exported = json.loads(progress.export_json(), parse_constant=lambda word: pytest.fail(word))
    assert exported["attempts"][0]["answer"] == 'a, "b"\nc'
    (row,) = csv.DictReader(io.StringIO(progress.export_csv()))
    assert json.loads(row["answer"]) == 'a, "b"\nc'
    assert (row["verdict"], row["confidence"], row["seconds"]) == ("right", "", "12.5")


@pytest.mark.parametrize(
    ("answer", "evidence", "told"),
    [
        (0, {}, 1),  # a choice
        ([2, 0, 1], {}, [3, 1, 2]),  # an order
        ([], {}, []),
        ({"text": "It falls.", "ticks": [0, 2]}, {"ticks": [0, 2]}, {"text": "It falls.", "ticks": [1, 3]}),
        (5, {"given": 5.0, "measured": 5.0, "off": 0.0, "allowed": 0.1}, 5),  # a number, not the place of one
        ("0.05", {}, "0.05"),
        ([[0, 1], [99, 0]], {}, [[0, 1], [99, 0]]),  # points
        ({"optimizer": "SGD", "lr": 1, "schedule": "hold"}, {}, {"optimizer": "SGD", "lr": 1, "schedule": "hold"}),
        (None, {}, None),
    ],
)
def test_the_table_has_answers_as_they_were_typed_and_times_that_can_be_read(
    progress: Progress, answer: Any, evidence: dict[str, Any], told: Any
) -> None:
    progress.record(replace(ATTEMPT, time=NOON + 0.25, answer=answer, evidence=evidence))
    (row,) = csv.DictReader(io.StringIO(progress.export_csv()))
    assert json.loads(row["answer"]) == told
    assert row["time"] == "2026-01-01T12:00:00.250+00:00"
    (known,) = json.loads(progress.export_json())["attempts"]  # for programs: as recorded
    assert (known["answer"], known["time"]) == (answer, NOON + 0.25)


def test_a_file_of_another_kind_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    Store.open(path).close()
    before = path.read_bytes()
    with pytest.raises(ForeignFileError, match=r"another kind, not a progress file; .* another path"):
        Progress.open(path)
    assert path.read_bytes() == before
    path.write_text("hello")
    with pytest.raises(ForeignFileError, match="is not a progress file; it was left as it is"):
        Progress.open(path)
    assert path.read_text() == "hello"
    with pytest.raises(StoreError, match=r"is a folder; type: --progress"):
        Progress.open(tmp_path)


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "me.sqlite"
    Progress.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerStoreError, match=r"newer Stepwell \(version 99 of a progress file, .* up to 1\)"):
        Progress.open(path)


def test_the_kind_of_file_is_its_own() -> None:
    assert PROGRESS.application_id != int.from_bytes(b"SWel", "big")
    assert default_path().name == "progress.sqlite"


ANSWERING = """
import sys
from dataclasses import replace
from stepwell.learn.attempt import Attempt
from stepwell.learn.modes import Mode
from stepwell.learn.progress import Progress
from stepwell.learn.verdict import Verdict
progress = Progress.open(sys.argv[1])
for seed in range(int(sys.argv[2])):
    answer = (seed, 1, 0, Verdict.RIGHT, 1.0, 0, 1.0, 0.0, None, {})
    progress.record(Attempt(1.0, sys.argv[3], Mode.TEST, "topic/one", "topic", *answer))
    print(seed, flush=True)
"""  # fmt: skip


def test_a_killed_process_loses_no_answer_that_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "me.sqlite"
    command = [sys.executable, "-c", ANSWERING, str(path), "100000", "a"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(40)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    told = len([line for line in said if line.endswith("\n")])
    with Progress.open(path) as progress:
        assert [attempt.seed for attempt in progress.attempts()][:told] == list(range(told))


def test_two_processes_answer_at_once(tmp_path: Path) -> None:
    path = tmp_path / "me.sqlite"
    commands = [[sys.executable, "-c", ANSWERING, str(path), "60", name] for name in "ab"]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait() for process in processes] == [0, 0]
    with Progress.open(path) as progress:
        attempts = progress.attempts()
    for name in "ab":
        assert [attempt.seed for attempt in attempts if attempt.session == name] == list(range(60))


verdicts = st.sampled_from(Verdict)
answers = st.lists(
    st.builds(
        lambda item, topic, verdict, confidence: replace(
            ATTEMPT, item=f"{topic}/{item}", topic=topic, verdict=verdict, confidence=confidence
        ),
        st.sampled_from("abcd"),
        st.sampled_from(["one", "two"]),
        verdicts,
        st.none() | st.floats(0, 1),
    )
)


@given(answers)
def test_mastery_counts_items_by_their_last_answer(attempts: list[Attempt]) -> None:
    last = last_verdicts(attempts)
    found = mastery(attempts)
    assert sum(one.of for one in found.values()) == len(last)
    assert sum(one.right for one in found.values()) == list(last.values()).count(Verdict.RIGHT)
    assert all(0 <= one.right <= one.of <= 4 for one in found.values())
    assert all((one.strong is None) == (one.of < 3) for one in found.values())


@given(answers, st.sampled_from([Verdict.COULD_NOT_CHECK, Verdict.UNGRADED]))
def test_what_was_not_checked_changes_nothing(attempts: list[Attempt], verdict: Verdict) -> None:
    more = [*attempts, replace(ATTEMPT, item="one/a", topic="one", verdict=verdict)]
    assert mastery(more) == mastery(attempts)
    assert calibration(more) == calibration(attempts)


@given(answers)
def test_calibration_has_every_answer_with_a_confidence_once(attempts: list[Attempt]) -> None:
    sure = [one for one in attempts if one.confidence is not None and one.verdict.counts]
    bins = calibration(attempts)
    assert sum(one.count for one in bins) == len(sure)
    assert [one.confidence for one in bins] == sorted(one.confidence for one in bins)
    assert all(0 <= one.right <= 1 for one in bins)


def challenge(verdicts: list[Verdict], session: str = "c") -> list[Attempt]:
    return [
        replace(ATTEMPT, mode=Mode.CHALLENGE, session=session, item=f"topic/{number}", verdict=verdict)
        for number, verdict in enumerate(verdicts)
    ]


@given(st.lists(verdicts, max_size=7))
def test_a_badge_needs_every_problem_of_one_challenge(found: list[Verdict]) -> None:
    won = badges(challenge(found))
    assert bool(won) == (found == [Verdict.RIGHT] * CHALLENGE)


def test_a_badge_may_take_second_attempts_and_overtime_and_says_so() -> None:
    wrong, *rest = challenge([Verdict.RIGHT] * CHALLENGE)
    answers = [replace(wrong, verdict=Verdict.WRONG), replace(wrong, number=2, overtime=3.0, time=NOON + 9), *rest]
    (badge,) = badges(answers)
    assert (badge.topics, badge.time, badge.within_time) == (("topic",), NOON + 9, False)
    assert not badges([replace(one, mode=Mode.PRACTICE) for one in answers])
    assert not badges([*challenge([Verdict.RIGHT] * 3, "a"), *challenge([Verdict.RIGHT] * 2, "b")])


def test_a_badge_outlives_the_reset_of_its_items(progress: Progress) -> None:
    for attempt in challenge([Verdict.RIGHT] * CHALLENGE):
        progress.record(attempt)
    before = badges(progress.attempts(ever=True))
    assert progress.reset("topic/0") == 1
    assert len(progress.attempts()) == CHALLENGE - 1
    assert badges(progress.attempts(ever=True)) == before != []


def rated(item: str, rating: str, day: float) -> Attempt:
    return replace(ATTEMPT, mode=Mode.RECALL, item=item, answer=rating, verdict=Verdict.UNGRADED, time=NOON + day * DAY)


def test_a_card_comes_back_later_the_better_it_is_known() -> None:
    first = {rating: memories([rated("a", rating, 0)])["a"].due - NOON for rating in ("again", "hard", "good", "easy")}
    assert 0 < first["again"] < first["hard"] < first["good"] < first["easy"]
    often = memories([rated("a", "good", day) for day in (0, 1, 4, 12)])["a"]
    assert often.due > NOON + 20 * DAY
    assert often.reviews == 4
    forgot = memories([*(rated("a", "good", day) for day in (0, 1, 4, 12)), rated("a", "again", 30)])["a"]
    assert forgot.due < NOON + 31 * DAY


def test_replaying_ratings_gives_the_same_memory_every_time() -> None:
    history = [
        rated(item, rating, day) for day, (item, rating) in enumerate([("a", "good"), ("b", "easy"), ("a", "hard")])
    ]
    assert memories(history) == memories(history)
    assert memories([*history, replace(ATTEMPT, answer="good")]) == memories(history)  # an answer is no rating


def test_due_cards_come_before_new_ones_which_are_not_due() -> None:
    known = memories([rated("late", "again", -2), rated("later", "again", -3), rated("known", "easy", 0)])
    cards = ["new", "late", "known", "later", "newer"]
    assert due(known, cards, NOON) == ["later", "late"]
    assert due_or_new(known, cards, NOON) == ["later", "late", "new", "newer"]
