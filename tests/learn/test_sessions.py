"""Sittings: what holds whatever a learner does, in every mode."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learn_course import write_course
from learn_items import OPTIONS, PROGRAM, head, write_topic
from stepwell.errors import AnswerError, OptionError, StoreError
from stepwell.learn.course import Course, Item, Topic
from stepwell.learn.instance import instance
from stepwell.learn.items.types import KEYED
from stepwell.learn.job import Ending, Job, Outcome, Ran
from stepwell.learn.levels import Difficulty, Level
from stepwell.learn.mastery import badges
from stepwell.learn.memory import Memory
from stepwell.learn.modes import Mode
from stepwell.learn.page import Prose
from stepwell.learn.progress import Progress
from stepwell.learn.prove import Truth, prove
from stepwell.learn.read import read_course, read_items
from stepwell.learn.session import events
from stepwell.learn.session.plan import Past, Plan, Wish, plan
from stepwell.learn.session.player import Player
from stepwell.learn.session.rules import RULES
from stepwell.learn.session.screen import Step, screen
from stepwell.learn.session.state import Phase, Prove, Proved, State, Told, advance, begin, pending
from stepwell.learn.verdict import Graded, Verdict
from stepwell.learn.worker import Worker

NOTHING = Past({}, {}, 0.0)
FIX = (
    'start = "y = 1"\nsolution = "y = 2"\n[item.verify]\nseeds = [1, 2]\nmeasures = ["z"]\nafter = "z = y"\n'
    '[[item.verify.demands]]\nclaim = "z == 2"\nmessage = "It is {{z}}."\n'
)
SHOWN = '[[item.show]]\nlabel = "x"\nvalues = "[x, x]"\n'


def items_text() -> str:
    """Enough items for every mode: 15 choices of three difficulties, cards, an explanation, an exercise."""
    text = ""
    for number in range(15):
        difficulty = ["easy", "medium", "hard"][number % 3]
        shown = SHOWN if number == 4 else ""
        text += head("choice", id=f'"q{number}"', difficulty=f'"{difficulty}"') + PROGRAM + OPTIONS + shown
    for number in range(3):
        text += head("card", id=f'"c{number}"') + 'answer = "It is {{x}}."\n' + PROGRAM
    concepts = "".join(f'[[item.concepts]]\ntext = "{word}"\nsynonyms = ["{word}"]\n' for word in ("fast", "slow"))
    text += head("explain", id='"e"') + 'answer = "So."\n' + concepts
    return text + head("fix", id='"f"') + FIX


ITEMS = read_items(items_text(), "topic/items.toml", "topic")
COURSE = Course((Topic("topic", "T", "S", 5, 1, (), (Prose("Read."),), ITEMS),))
TRUTH = Truth({"x": 3}, {"x": 3})
POSSIBLE = [Mode.LEARN, Mode.PREDICT, Mode.RECALL, Mode.PRACTICE, Mode.CHALLENGE, Mode.TEST, Mode.FIX]


def planned(mode: Mode, seed: int = 0, past: Past = NOTHING, **wish: Any) -> Plan:
    return plan(COURSE, Wish(mode, ("topic",), seed=seed, **wish), past, "sitting")


@pytest.mark.parametrize("mode", POSSIBLE)
def test_the_same_wish_gives_the_same_sitting(mode: Mode) -> None:
    assert planned(mode, 3) == planned(mode, 3)
    if mode in (Mode.PRACTICE, Mode.TEST):
        assert planned(mode, 3) != planned(mode, 4)


def test_a_sitting_goes_from_easy_to_hard_in_the_numbers_of_its_mode() -> None:
    counts = {
        mode: [sum(one.item.difficulty is hard for one in planned(mode).items) for hard in Difficulty]
        for mode in (Mode.PRACTICE, Mode.CHALLENGE, Mode.TEST)
    }
    assert counts == {Mode.PRACTICE: [2, 2, 1], Mode.CHALLENGE: [1, 2, 2], Mode.TEST: [3, 4, 3]}
    order = list(Difficulty)
    for mode in counts:
        ranks = [order.index(one.item.difficulty) for one in planned(mode).items]
        assert ranks == sorted(ranks)
        assert len({one.item.id for one in planned(mode).items}) == len(ranks)


def test_where_a_difficulty_is_rare_others_take_its_place() -> None:
    easy = tuple(item for item in ITEMS if item.difficulty is Difficulty.EASY)
    course = Course((Topic("topic", "T", "S", 5, 1, (), (), easy),))
    assert len(plan(course, Wish(Mode.CHALLENGE), NOTHING, "s").items) == 5
    assert len(plan(course, Wish(Mode.TEST), NOTHING, "s").items) == 5  # there are no more


def test_what_was_wrong_comes_first_and_what_is_known_last() -> None:
    questions = [item.id for item in ITEMS if Mode.PRACTICE in item.modes]
    easy = [item.id for item in ITEMS if Mode.PRACTICE in item.modes and item.difficulty is Difficulty.EASY]
    verdicts = dict.fromkeys(questions, Verdict.RIGHT) | {easy[3]: Verdict.WRONG}
    past = Past(verdicts, {}, 0.0)
    for seed in range(5):
        assert easy[3] in {one.item.id for one in planned(Mode.PRACTICE, seed, past).items}
    del verdicts[easy[1]]
    for seed in range(5):
        assert {easy[1], easy[3]} <= {one.item.id for one in planned(Mode.PRACTICE, seed, past).items}


def test_recall_takes_what_is_due() -> None:
    known = {"topic/c0": Memory(50.0, 1.0, 1), "topic/c1": Memory(500.0, 1.0, 1)}
    assert [one.item.id for one in planned(Mode.RECALL, past=Past({}, known, 100.0)).items] == ["topic/c0", "topic/c2"]
    seen = plan(COURSE, Wish(Mode.RECALL, new=False), Past({}, known, 100.0), "s")
    assert [one.item.id for one in seen.items] == ["topic/c0"]
    with pytest.raises(OptionError, match="no card is due now"):
        planned(Mode.RECALL, past=Past({}, {f"topic/c{n}": Memory(500.0, 1.0, 1) for n in range(3)}, 100.0))


def test_learn_is_a_page_two_cards_and_an_explanation() -> None:
    sitting = planned(Mode.LEARN)
    assert [one.item.body.kind for one in sitting.items] == ["card", "card", "explain"]
    assert screen(begin(sitting, 0.0), 0.0).data["blocks"] == [{"kind": "prose", "markdown": "Read."}]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(Mode.LEARN), "is about one topic, got 0"),
        (Wish(Mode.TUNE), "there is nothing for the mode tune; choose another mode$"),
        (Wish(Mode.FIX, level=Level.EXPERT), "level expert for the mode fix; choose another mode or level$"),
        (Wish(Mode.TEST, level=Level.EXPERT), "there is nothing of the level expert for the mode test"),
        (Wish(Mode.TEST, ("nowhere",)), "there is no topic 'nowhere'"),
        (Wish(Mode.CHALLENGE, timer="x3"), "the timer is one of off, x1, x2, x10, got 'x3'"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(wish: Wish, expected: str) -> None:
    with pytest.raises(OptionError, match=expected):
        plan(COURSE, wish, NOTHING, "s")


def test_where_a_topic_has_nothing_for_a_mode_those_that_have_some_are_named() -> None:
    cards = tuple(item for item in ITEMS if item.body.kind == "card")
    some = [Topic(f"t{number}", "T", "S", 5, 1, (), (), ITEMS) for number in range(10)]
    course = Course((Topic("empty", "T", "S", 5, 1, (), (), cards), *some))
    words = r"for the mode fix in empty; topics that have some: t0, t1, t2, t3, t4, t5, t6, t7 and 2 more$"
    with pytest.raises(OptionError, match=words):
        plan(course, Wish(Mode.FIX, ("empty",)), NOTHING, "s")


@pytest.mark.parametrize(("timer", "limit"), [("off", None), ("x1", 120.0), ("x2", 240.0), ("x10", 1200.0)])
def test_the_timer_can_be_extended_and_turned_off(timer: str, limit: float | None) -> None:
    assert planned(Mode.CHALLENGE, timer=timer).limit == limit
    assert planned(Mode.TEST, timer=timer).limit is None


EVENTS: list[events.Event] = [
    events.Answer(0, 0.5), events.Answer(1), events.Hint(), events.Reveal("fast"), events.Next(), events.Skip(),
]  # fmt: skip
DONE = {"answer": events.Answer, "hint": events.Hint, "reveal": events.Reveal, "next": events.Next, "skip": events.Skip}


def settle(state: State, verdict: Verdict, at: float) -> State:
    """The state once what it asks for has been done."""
    while pending(state):
        if state.phase is Phase.PROVING:
            state = advance(state, Proved(TRUTH), at)
        else:
            kind = state.item.item.body.kind
            given = Verdict.UNGRADED if kind in ("card", "explain") else verdict
            state = advance(state, Told(Graded(given, words="it is 3", solution=0), TRUTH), at)
    return state


@settings(max_examples=150)
@given(
    st.sampled_from(POSSIBLE),
    st.lists(st.tuples(st.integers(0, len(EVENTS) - 1), st.sampled_from(Verdict), st.floats(0, 500)), max_size=60),
    st.sampled_from(["off", "x1"]),
)
def test_whatever_is_done_a_sitting_keeps_its_rules(
    mode: Mode, moves: list[tuple[int, Verdict, float]], timer: str
) -> None:
    sitting = planned(mode, timer=timer)
    rules = RULES[mode]
    at = 0.0
    state = settle(begin(sitting, at), Verdict.WRONG, at)
    for number, verdict, seconds in moves:
        at += seconds
        event = EVENTS[number]
        step = screen(state, at)
        before = state
        try:
            state = settle(advance(state, event, at), Verdict.WRONG if verdict is Verdict.UNGRADED else verdict, at)
        except AnswerError:
            assert state is before
            needs_confidence = rules.sure and isinstance(event, events.Answer) and event.confidence is None
            assert needs_confidence or all(DONE.get(word) is not type(event) for word in step.accepts)
        else:
            assert any(DONE.get(word) is type(event) for word in step.accepts)
        check_rules(state, screen(state, at), at)


def check_rules(state: State, step: Step, at: float) -> None:
    rules = state.plan.rules
    document = json.loads(step.to_json(), parse_constant=pytest.fail)
    assert document["accepts"] == list(step.accepts)
    assert 0 <= step.number <= step.of
    for number, shown in enumerate(state.plan.items):
        tries = [one for one in state.given if one.number == number]
        counted = sum(one.graded.verdict.counts for one in tries)
        allowed = shown.item.attempts if rules.attempts is None else rules.attempts
        assert allowed == 0 or counted <= allowed
        assert all(one.graded.verdict is not Verdict.RIGHT for one in tries[:-1])
        assert all(one.hints <= (len(shown.item.hints) if rules.hints is None else rules.hints) for one in tries)
    limit = state.plan.limit
    for one in state.given:
        assert one.overtime == (0.0 if limit is None else max(0.0, one.seconds - limit))
    if step.kind == "question":
        assert step.data["left"] == (None if limit is None else limit - (at - state.shown))
        assert not {"solution", "explanation", "why", "steps"} & step.data.keys()
        assert "x ==" not in step.to_json()
        last = step.data["last"]
        assert (
            last is None
            or last["verdict"] == Verdict.COULD_NOT_CHECK
            or step.data["type"] == "fix"
            or not last["words"]
        )
    if not rules.told and step.kind != "done":
        assert step.data["last"] is None or step.data["last"]["verdict"] == Verdict.COULD_NOT_CHECK
    if step.kind == "done":
        rights = [one.graded.verdict for one in state.given].count(Verdict.RIGHT)
        assert step.data["right"] == rights
        assert step.data["right"] <= step.data["answered"] <= step.of


@pytest.mark.parametrize("mode", POSSIBLE)
def test_who_only_goes_on_comes_to_the_end(mode: Mode) -> None:
    state = settle(begin(planned(mode), 0.0), Verdict.WRONG, 0.0)
    for _ in range(100):
        accepts = screen(state, 0.0).accepts
        if not accepts:
            break
        event: events.Event = events.Next() if "next" in accepts else events.Skip()
        state = settle(advance(state, event, 0.0), Verdict.WRONG, 0.0)
    assert state.phase is Phase.DONE
    assert screen(state, 0.0).data["right"] == 0
    with pytest.raises(AnswerError, match="the sitting is over"):
        advance(state, events.Next(), 0.0)


def test_overtime_is_told_and_costs_nothing() -> None:
    state = settle(begin(planned(Mode.CHALLENGE), 0.0), Verdict.RIGHT, 0.0)
    at = 0.0
    for _ in range(5):
        at += 1000.0
        state = settle(advance(state, events.Answer(0), at), Verdict.RIGHT, at)
        state = settle(advance(state, events.Next(), at), Verdict.RIGHT, at)
    done = screen(state, 0.0).data
    assert done["badge"]
    assert done["overtime"] == 5 * 880.0


def test_overtime_of_a_second_answer_is_not_counted_twice() -> None:
    state = settle(begin(planned(Mode.CHALLENGE), 0.0), Verdict.WRONG, 0.0)
    for at in (124.0, 126.0):
        state = settle(advance(state, events.Answer(0), at), Verdict.WRONG, at)
    assert [one.overtime for one in state.given] == [4.0, 6.0]
    assert screen(advance(state, events.Quit(), 200.0), 200.0).data["overtime"] == 6.0


@pytest.mark.parametrize(("mode", "judged"), [(Mode.CHALLENGE, Verdict.WRONG), (Mode.TEST, Verdict.RIGHT)])
def test_what_the_machine_takes_to_judge_is_not_the_learners_time(mode: Mode, judged: Verdict) -> None:
    state = settle(begin(planned(mode), 0.0), judged, 0.0)
    state = settle(advance(state, events.Answer(0), 10.0), judged, 50.0)  # 10 s of thinking, 40 s until torch is loaded
    state = settle(advance(state, events.Answer(0), 55.0), judged, 55.0)
    assert [one.seconds for one in state.given] == ([10.0, 15.0] if mode is Mode.CHALLENGE else [10.0, 5.0])


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"do": "fly"},
        {"do": "answer"},
        {"do": "answer", "answer": 1, "confidence": 2},
        {"do": "answer", "answer": 1, "confidence": True},
        {"do": "hint", "x": 1},
        {"do": "reveal", "text": 3},
        [],
        "next",
    ],
)
def test_an_event_that_is_none_is_refused(event: Any) -> None:
    with pytest.raises(AnswerError):
        events.read(event)


@pytest.mark.parametrize(
    ("begun", "event", "words"),
    [
        ([], events.Next(), "there is no next at a question; answer, or give up with skip"),
        ([events.Skip()], events.Hint(), "there is no hint after the verdict; go on with next"),
        ([events.Skip()], events.Answer(0), "there is no answer after the verdict; go on with next"),
        ([], events.Reveal(), "there is nothing to turn over here; answer, or give up with skip"),
    ],
)
def test_an_event_that_does_not_fit_is_told_what_does(
    begun: list[events.Event], event: events.Event, words: str
) -> None:
    state = begin(planned(Mode.PRACTICE), 0.0)
    for one in begun:
        state = settle(advance(state, one, 0.0), Verdict.WRONG, 0.0)
    with pytest.raises(AnswerError, match=f"^{words}$"):
        advance(state, event, 0.0)


class Known:
    """A runner that knows what every proof measures."""

    def run(self, job: Job) -> Ran:
        values = {name: 3 if name == "x" else 2 for name in job.collect}
        return Ran(Ending.FINISHED, tuple(Outcome(values) for _ in job.seeds))

    def start(self) -> None:
        """Nothing to load."""

    def stop(self) -> None:
        """Nothing to end."""


@pytest.fixture
def progress(tmp_path: Path) -> Iterator[Progress]:
    with Progress.open(tmp_path / "me.sqlite") as opened:
        yield opened


def right(step: Step) -> int:
    """Where the right option is shown."""
    return int(step.data["options"].index("three"))


def player(mode: Mode, progress: Progress, **wish: Any) -> Player:
    return Player(planned(mode, **wish), progress, Known())


def test_a_test_tells_nothing_before_its_end_and_everything_then(progress: Progress) -> None:
    with player(Mode.TEST, progress) as sitting:
        step = sitting.step()
        for number in range(10):
            assert (step.kind, step.number, step.of) == ("question", number + 1, 10)
            answer = right(step) if number < 7 else (right(step) + 1) % 3
            step = sitting.send({"do": "answer", "answer": answer})
    assert (step.kind, step.data["right"], step.data["answered"]) == ("done", 7, 10)
    assert step.data["topics"] == {"topic": {"right": 7, "of": 10, "words": "7 of 10", "strong": False}}
    wrong = [result for result in step.data["results"] if result["verdict"] == "wrong"]
    assert len(wrong) == 3
    for result in wrong:
        assert result["explanation"] == "So."
        assert result["face"]["options"][result["solution"]] == "three"
    assert [attempt.verdict for attempt in progress.attempts()].count(Verdict.RIGHT) == 7


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.PRACTICE])
def test_what_was_skipped_is_told_apart_from_what_was_not_reached(mode: Mode, progress: Progress) -> None:
    with player(mode, progress) as sitting:
        step = sitting.send({"do": "skip"})
        if mode is Mode.PRACTICE:
            assert (step.kind, step.data["skipped"], step.data["explanation"]) == ("verdict", True, "So.")
        else:
            assert (step.kind, step.number) == ("question", 2)
            assert "So." not in step.to_json()
        done = sitting.send({"do": "quit"})
    skipped, *rest = done.data["results"]
    assert (skipped["skipped"], skipped["verdict"]) == (True, None)
    assert not any(result["skipped"] or "explanation" in result for result in rest)
    assert done.data["answered"] == 0
    if mode is Mode.TEST:
        assert skipped["explanation"] == "So."
        assert skipped["face"]["options"][skipped["solution"]] == "three"
    else:
        assert "explanation" not in skipped  # it was told at once
    assert progress.attempts() == []


def test_a_test_goes_on_where_what_was_skipped_cannot_be_measured() -> None:
    state = begin(planned(Mode.TEST), 0.0)
    state = advance(state, events.Skip(), 1.0)
    assert isinstance(pending(state), Prove)
    state = advance(state, Proved(None, "no torch"), 2.0)
    assert (state.phase, state.number, state.shown, state.trouble) == (Phase.ASKING, 1, 2.0, "")
    (result, *_) = screen(advance(state, events.Quit(), 3.0), 3.0).data["results"]
    assert (result["skipped"], result["face"], result["solution"]) == (True, {}, None)
    assert result["question"] == "What?"
    json.dumps(result, allow_nan=False)


def test_a_challenge_all_right_wins_a_badge_that_is_recorded(progress: Progress) -> None:
    with player(Mode.CHALLENGE, progress) as sitting:
        step = sitting.step()
        for _ in range(5):
            again = sitting.send({"do": "answer", "answer": (right(step) + 1) % 3})
            assert (again.kind, again.data["attempts_left"], again.data["last"]["verdict"]) == ("question", 1, "wrong")
            assert sitting.send({"do": "hint"}).data["hints"] == ["Think."]
            with pytest.raises(AnswerError, match="no further hint"):
                sitting.send({"do": "hint"})
            told = sitting.send({"do": "answer", "answer": right(step)})
            assert (told.kind, told.data["verdict"]["verdict"]) == ("verdict", "right")
            step = sitting.send({"do": "next"})
    assert step.data["badge"]
    (badge,) = badges(progress.attempts())
    assert badge.topics == ("topic",)
    assert {(attempt.number, attempt.hints) for attempt in progress.attempts()} == {(1, 0), (2, 1)}


HOW_MUCH = re.compile(
    r"((Judged rightly|The right way round|With their own label): \d+ of \d+ (options|pairs|curves)\.)?"
)


@pytest.mark.parametrize("kind", ["choice", "multi", "numeric", "order", "match", "control", "draw", "write"])
@pytest.mark.parametrize("mode", [Mode.PRACTICE, Mode.DESIGN])
def test_while_attempts_are_left_a_wrong_answer_is_told_no_more_than_that(
    mode: Mode, kind: str, tmp_path: Path, progress: Progress, worker: Worker
) -> None:
    course = read_course(write_course(tmp_path / "course"))
    (item, *_) = (one for one in course.items if one.body.kind == kind)
    sitting = Plan("s", mode, 0, (instance(item, 1),))
    with Player(sitting, progress, worker) as going:
        asked = going.step()
        step = going.send({"do": "answer", "answer": wrong_answer(item, going)})
        assert (step.kind, step.data["last"]["verdict"]) == ("question", "wrong")
        assert step.data["last"].keys() == {"verdict", "words"}
        beside = r"Farthest from the target at step \d+, where yours has the rate [\d.]+\."
        assert re.fullmatch(beside if kind == "write" else HOW_MUCH, step.data["last"]["words"])
        changed = {name for name in step.data if step.data[name] != asked.data[name]}
        assert changed == {"last", "attempts_left"} - ({"attempts_left"} if kind == "write" else set())
        over = going.send({"do": "skip"})
        assert over.data["solution"] is not None
        assert over.data["explanation"]


@pytest.mark.soak
@pytest.mark.parametrize("topic", [topic.id for topic in read_course().topics])
def test_no_item_of_the_course_gives_itself_away_while_attempts_are_left(
    topic: str, progress: Progress, worker: Worker
) -> None:
    for item in read_course().topic(topic).items:
        if isinstance(item.body, KEYED) and item.attempts > 1:
            with Player(Plan("s", Mode.PRACTICE, 0, (instance(item, 3),)), progress, worker) as going:
                going.step()
                step = going.send({"do": "answer", "answer": wrong_answer(item, going)})
                assert (step.kind, step.data["attempts_left"]) == ("question", item.attempts - 1), item.id
                assert step.data["last"].keys() == {"verdict", "words"}
                assert HOW_MUCH.fullmatch(step.data["last"]["words"]), item.id


def wrong_answer(item: Item, sitting: Player) -> Any:
    """Some answer that is not right."""
    shown = sitting.state.item
    truth = prove(shown, sitting._worker)
    body: Any = item.body
    right = body.solution(body.key(truth.names), truth.names, shown.order)
    match body.kind:
        case "choice" | "control":
            return (right + 1) % body.parts
        case "multi":
            return [number for number in range(body.parts) if number not in right]
        case "order" | "match":
            return [*right[1:], right[0]]
        case "numeric":
            return right + 1000
        case "draw":
            return [[0, 9.0], [1, 9.0]]
    return "hold"


def test_a_card_is_turned_over_and_rated(progress: Progress) -> None:
    with player(Mode.RECALL, progress) as sitting:
        assert sitting.step().accepts == ("reveal", "skip", "quit")
        with pytest.raises(AnswerError, match="turn it over first"):
            sitting.send({"do": "answer", "answer": "good"})
        step = sitting.send({"do": "reveal"})
        assert (step.kind, step.data["answer"]) == ("back", "It is 3.")
        step = sitting.send({"do": "answer", "answer": "good"})
        assert (step.kind, step.number) == ("question", 2)
    assert progress.attempts()[0].answer == "good"


def test_an_explanation_is_ticked_by_the_learner(progress: Progress) -> None:
    with player(Mode.LEARN, progress) as sitting:
        for event in ("next", "skip", "next", "skip", "next"):
            sitting.send({"do": event})
        step = sitting.send({"do": "reveal", "text": "It goes fast."})
        assert [one["suggested"] for one in step.data["concepts"]] == [True, False]
        step = sitting.send({"do": "answer", "answer": {"text": "It goes fast.", "ticks": [0, 1]}})
        assert step.data["verdict"]["verdict"] == "not graded"
    assert progress.attempts()[-1].evidence["ticks"] == [0, 1]


def test_a_prediction_needs_a_confidence_and_shows_the_truth(progress: Progress) -> None:
    with player(Mode.PREDICT, progress) as sitting:
        step = sitting.step()
        with pytest.raises(AnswerError, match="how sure"):
            sitting.send({"do": "answer", "answer": 0})
        told = sitting.send({"do": "answer", "answer": right(step), "confidence": 0.9})
        assert (told.data["confidence"], told.data["verdict"]["verdict"]) == (0.9, "right")
    assert progress.attempts()[0].confidence == 0.9


def test_giving_up_shows_the_solution_and_records_nothing(progress: Progress) -> None:
    with player(Mode.PRACTICE, progress) as sitting:
        step = sitting.step()
        told = sitting.send({"do": "skip"})
        assert (told.data["skipped"], told.data["solution"]) == (True, right(step))
    assert progress.attempts() == []


def test_an_answer_of_the_wrong_form_changes_nothing(progress: Progress) -> None:
    with player(Mode.PRACTICE, progress) as sitting:
        before = sitting.step()
        with pytest.raises(AnswerError, match="an answer to a choice item is"):
            sitting.send({"do": "answer", "answer": 17})
        assert sitting.step() == before
    assert progress.attempts() == []


def test_an_answer_that_cannot_be_recorded_can_be_sent_again(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    with player(Mode.PRACTICE, progress) as sitting:
        step = sitting.step()
        with monkeypatch.context() as patch:
            patch.setattr(Progress, "record", full)
            with pytest.raises(StoreError, match="no space left"):
                sitting.send({"do": "answer", "answer": right(step)})
        assert sitting.step() == step
        assert sitting.send({"do": "answer", "answer": right(step)}).kind == "verdict"
    assert len(progress.attempts()) == 1


def full(self: Progress, attempt: object) -> None:
    raise StoreError("no space left to write the progress file")


class Broken(Known):
    """A runner that cannot run anything."""

    def run(self, job: Job) -> Ran:
        return Ran(Ending.BROKEN, words="no room")


def test_where_nothing_can_be_checked_no_attempt_is_lost(progress: Progress) -> None:
    with Player(planned(Mode.CHALLENGE), progress, Broken()) as sitting:
        step = sitting.step()
        for _ in range(4):
            if step.data["trouble"]:  # the question itself shows what is measured
                break
            step = sitting.send({"do": "answer", "answer": 0})
            assert step.kind == "question"
            assert step.data["attempts_left"] == 2
            assert step.data["last"]["verdict"] == "could not check"
        told = sitting.send({"do": "skip"})
        assert told.kind == "verdict"
        assert "cannot be computed" in told.data.get("untold", "cannot be computed")


def test_a_question_that_shows_something_measured_waits_for_it(progress: Progress) -> None:
    shown = next(item for item in ITEMS if item.show)
    sitting = Plan("s", Mode.PRACTICE, 0, (instance(shown, 1),))
    with Player(sitting, progress, Known()) as waiting:
        assert waiting.step().data["series"] == [{"label": "x", "values": [3.0, 3.0]}]
    with Player(sitting, progress, Broken()) as stuck:
        assert "no room" in stuck.step().data["trouble"]
        assert stuck.step().accepts == ("skip", "quit")
        with pytest.raises(AnswerError, match="could not be prepared"):
            stuck.send({"do": "answer", "answer": 0})
        assert stuck.send({"do": "skip"}).data["skipped"]


def test_a_sitting_runs_with_the_real_worker(tmp_path: Path, progress: Progress, worker: Worker) -> None:
    course = read_course(write_topic(tmp_path / "course", items_text()))
    with Player.begin(course, Wish(Mode.FIX), progress, worker) as sitting:
        assert sitting.step().data["start"] == "y = 1\n"
        assert sitting.send({"do": "answer", "answer": "y = 1"}).data["last"]["words"] == "It is 1."
        assert sitting.send({"do": "answer", "answer": "y = 2"}).data["verdict"]["verdict"] == "right"
    with Player.begin(course, Wish(Mode.PRACTICE, seed=2), progress, worker) as sitting:
        step = sitting.step()
        assert sitting.send({"do": "answer", "answer": right(step)}).data["verdict"]["verdict"] == "right"
    assert len(progress.attempts()) == 3
