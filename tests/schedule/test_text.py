from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.errors import ScheduleError
from stepwell.schedule import RECIPES, Schedule, parse, schedule
from strategies import schedules

TEXTS = """
linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%
linear 0..1 for 500 | cosine to 0.1
steps x0.5 every 5ep for 20ep | decay x0.9 per 1ep by 1ep
steps x0.1 at 30ep 60ep
repeat (linear 0.1..1 for 2000 | linear to 0.1 for 2000)
repeat (cosine 1..0 for 10ep) longer x2 lower x0.5
linear 0..1 for 4000 | inverse-sqrt over 4000 @right
(linear 0..1 for 500 | hold) * plateau(x0.1, patience 10)
0.1 + 0.9 * (repeat (linear 0..1 for 3 @left | linear to 0 for 5)) * (decay x0.999 per 1)
lr: cosine 0.04..1 over 28.1 for 29 | cosine to 4e-6 over 67.9 from 0.9; momentum: cosine =0.95..=0.85 for 29 | hold
(linear 1e-5..1 for 5ep | cosine 1..0 over 100ep from 5ep) by 1ep
max(cosine 1..0, 0.1)
=0.9 - =0.1 * (repeat (linear 0..1 for 3 @left | linear to 0 for 5) lower x0.5) + 0.01
poly(2) 1..0 over 60
linear 0..1 for 1e9tok | hold for 8e9tok | linear to 0
hold for 29% | linear to 0
table(1 0.5 0.25) over 3ep from 1 by 1ep | linear to 0 for 20%
(hold) * greedy(x0.9, patience 3, warmup 2, floor 0.1, ceiling 4, window 5, reset 9, rel, max)
""".strip().splitlines()


@given(schedules())
@settings(max_examples=300)
def test_every_schedule_reads_back_from_its_own_text(one: Schedule) -> None:
    assert parse(str(one)) == one


@pytest.mark.parametrize("text", TEXTS)
def test_the_texts_of_the_documentation_print_as_they_are_written(text: str) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_its_text(name: str) -> None:
    assert schedule(name) == parse(RECIPES[name].text) == schedule(str(schedule(name)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cosine 1..0 for rest", "cosine 1..0"),
        ("geometric 1..0.1", "exponential 1..0.1"),
        ("  linear 0 .. 1   for 5 %|hold", "linear 0..1 for 5% | hold"),
        ("(hold for 5 | linear to 0 for 5) | hold", "hold for 5 | linear to 0 for 5 | hold"),
        ("lr: hold", "hold"),
        ("hold * plateau(x0.1, min, rel)", "(hold) * plateau(x0.1, patience 10)"),
    ],
)
def test_two_ways_to_write_one_schedule_are_equal(one: str, other: str) -> None:
    assert parse(one) == parse(other)
    assert hash(parse(one)) == hash(parse(other))


@pytest.mark.parametrize(
    ("text", "message", "pointed_at"),
    [
        ("lin 0..1 for 5 | hold", "unknown shape 'lin'; did you mean 'linear'?", "lin"),
        (
            "linear 0..1 for 5m | hold",
            "unknown unit 'm'; a length is in steps (200), % of the run (20%), ep or tok",
            "m",
        ),
        (
            "hold for 5 epochs | hold",
            "unknown unit 'epochs'; a length is in steps (200), % of the run (20%), ep or",
            "epochs",
        ),
        ("steps x0.1 at 30 Steps", "unknown unit 'Steps'", "Steps"),
        ("hold * 0.5 | hold", "put what stands before this into parentheses: '(a * b) | c'", "|"),
        ("hold * plateau(x0.1) | hold", "a controller stands last, after the whole schedule", "|"),
        ("hold for 5 | 0.5", "between bars a number is 'hold 0.5'", "0.5"),
        ("hold for 5 | max(hold, 1)", "max(...) stands in parentheses: 'a | (max(b, 0.1))'", "max"),
        ("HOLD", "did you mean 'hold'?", "HOLD"),
        ("hold × 0.5", "type 'x' or '*'", "×"),  # noqa: RUF001 -- the mistake under test
        ("'hold'", "leave quotes away", "'"),
        ("cosine 1..", "expected a number, got the end of the text", ""),
        ("cosine", "", ""),
        ("hold 1 |", "expected a phase, got the end of the text", ""),
        ("hold for 0 | linear to 0", "must be longer than 0", "0 "),
        ("steps x-1 every 5", "a multiplier must be above 0 and finite, got x-1", "x-1 "),
        ("steps by 5", "expected what 'steps' multiplies by, a multiplier such as x0.5", "by"),
        ("cosine 1..-0.1", "expected a number, got '-'; nothing in a schedule is below 0", "-"),
        ("linear 0..1 for -5", "got '-'; nothing in a schedule is below 0", "-"),
        ("steps x0 every 5", "a multiplier must be above 0", "x0 "),
        ("steps x0.1 at 60ep 30ep", "must ascend, but 30ep follows 60ep", "30ep"),
        ("steps x0.1 at 30ep 30ep", "must ascend, but 30ep follows 30ep", "30ep"),
        ("linear 0..nan", "expected a number, got 'nan'", "nan"),
        ("linear 0..1e999", "1e999 is larger than every number", "1e999"),
        ("linear -1..1", "'linear' needs its ends", "-"),
        ("hold fast", "expected '|' or the end of the text, got 'fast'", "fast"),
        ("inverse-sqrt", "inverse-sqrt needs its clock: 'inverse-sqrt over 4000'", "inverse-sqrt"),
        ("poly 1..0", "expected '(' after 'poly': its power", "1"),
        ("linear 0..1 for 5 for 6", "'for' stands twice", "for "),
        ("repeat 0 (hold for 5)", "whole number of cycles of at least 1", "0 "),
        ("repeat 1.5 (hold for 5)", "whole number of cycles of at least 1", "1.5 "),
        ("a | b * c", "unknown shape 'a'", "a"),
        ("hold for 5 | hold * 2", "put the phases before this into parentheses", "*"),
        ("plateau(x0.1)", "a plateau needs something to multiply", "plateau(x0.1)"),
        ("hold * plateau(x2)", "plateau cuts by a factor between 0 and 1, got x2", "plateau(x2)"),
        ("hold * plateau(x0.1, patients 3)", "unknown setting 'patients' of plateau", "patients"),
        ("hold * plateau(x0.1) * 2", "one controller may stand last", ""),
        ("lr: hold; lr: hold", "the entry 'lr' stands twice", ""),
        ("hold; momentum", "each entry after ';' begins with its name", "momentum"),
        ("max(cosine 1..0)", "max compares at least two operands", ""),
        ("hold @top", "expected @left or @right", "top"),
        ("", "an empty text is no schedule", ""),
        ("(" * 200, "more than 100 parentheses", "("),
        ("cosinus", "did you mean 'cosine'?", "cosinus"),
        ("tabel(1 2)", "did you mean 'table'?", "tabel"),
        ("table()", "expected a factor of at least 0, got ')'", ")"),
        ("table(1 -2)", "expected ')' to close table(, got '-'", "-"),
        ("table(1, 2)", "expected ')' to close table(, got ','", ","),
        ("table(1 nan)", "expected ')' to close table(, got 'nan'", "nan"),
        ("table(=1e-3)", "a table holds factors of the base value", "="),
        ("table(1 0.9 ... 500 values)", "a long table is only abbreviated in a text", ".."),
        ("table(" + "1 " * 65 + ")", "a text holds tables of at most 64 values, got 65", ""),
        ("table(1 2) for 0 | hold", "must be longer than 0", "0 "),
    ],
)
def test_an_error_points_into_the_text_and_says_what_to_type(text: str, message: str, pointed_at: str) -> None:
    if text == "cosine":
        assert str(schedule(text)) == "cosine 1..0"  # a name of a recipe
        return
    with pytest.raises(ScheduleError) as raised:
        schedule(text)
    lines = str(raised.value).splitlines()
    assert message in lines[0]
    quoted, carets = lines[1][4:], lines[2][4:]
    assert quoted.rstrip() == text.rstrip()
    place = carets.index("^")
    assert (quoted + " ")[place : place + len(carets.strip())].strip() == pointed_at.strip() or not pointed_at


def test_what_is_not_a_text_is_refused() -> None:
    with pytest.raises(ScheduleError, match="got int 3"):
        schedule(3)  # type: ignore[arg-type]  # the wrong input itself


WORDS = sorted({word for text in TEXTS for word in text.replace("(", " ( ").replace(")", " ) ").split()})


@given(st.lists(st.sampled_from(WORDS) | st.text(string.printable, max_size=3), max_size=12).map(" ".join))
@settings(max_examples=500)
def test_no_text_raises_anything_but_a_schedule_error(text: str) -> None:
    try:
        one = parse(text)
    except ScheduleError:
        return
    assert parse(str(one)) == one
