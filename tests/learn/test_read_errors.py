"""What the reader refuses, and that it names the file, the item, the field, and what to type."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from learn_items import OPTIONS, PROGRAM, TOPIC, choice, head, one, write_topic
from stepwell.errors import ContentError, OptionError
from stepwell.learn.levels import Level
from stepwell.learn.modes import Mode
from stepwell.learn.outline import outline
from stepwell.learn.page import Curves, Program, Prose, agrees
from stepwell.learn.page import read as read_page
from stepwell.learn.read import read_course, read_items

HORIZON = "[item.horizon]\ntotal_steps = 10\n"
SCHEDULE = HORIZON + '[item.proof]\nkind = "schedule"\nschedules = { rates = "cosine 1..0" }\n'
TRAINING = """
[item.proof]
kind = "training"
model = "m"
optimizer = "o"
data = "d"
margin = 0.1
measures = ["x"]
code = "x = 3"
"""


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"level": '"begginer"'}, r"field 'level': expected one of .* got 'begginer'; did you mean 'beginner'\?"),
        ({"level": ""}, r"field 'level': it is missing; type: level = \"beginner\""),
        ({"difficulty": "3"}, r"field 'difficulty': expected one of easy, medium, hard, got 3"),
        ({"hint": '"x"'}, r"field 'hint': there is no such field here; did you mean 'hints'\?"),
        ({"topic": '"x"'}, r"field 'topic': there is no such field here"),
        ({"chek": '"x"'}, r"field 'chek': .* did you mean 'check'\?; known: .*\bmodes\b.*\bparameters\b"),
        ({"seconds": "1.5"}, r"field 'seconds': expected a whole number of at least 5, got 1.5"),
        ({"seconds": "true"}, r"field 'seconds': expected a whole number"),
        ({"question": '"  "'}, r"field 'question': expected a text, got '  '; type: question ="),
        ({"question": '"{{rate}}"'}, r"field 'question': the name 'rate' is neither .*; known: none"),
        ({"question": '"{{x}}"'}, r"field 'question': 'x' is measured, and this text is shown before that"),
        ({"question": '"{{x.real}}"'}, r"field 'question': 'x.real' has `Attribute`"),
        ({"explanation": '"{{y}}"'}, r"'explanation': the name 'y' is neither .*; known: error, lines"),
        ({"hints": "[]"}, r"field 'hints': the modes .* offer one; type: hints = "),
        ({"hints": '"one"'}, r"field 'hints': expected a list of texts, got 'one'"),
        ({"steps": "[]"}, r"field 'steps': practice shows a worked solution"),
        ({"modes": '["tune"]'}, r"field 'modes': a choice item appears in challenge, .* got 'tune'"),
        ({"check": '"And then?"'}, r"field 'check': a quick check needs its answer; type: check = \{ question = "),
        ({"check": '{ question = "And then?" }'}, r"field 'check.answer': it is missing"),
        ({"facts": '["1 == 1"]'}, r"field 'facts': '1 == 1' mentions nothing that is measured; measured is error, "),
        ({"id": '"Two words"'}, r"field 'id': expected small letters, digits and hyphens"),
        ({"type": '"quiz"'}, r"field 'type': expected one of choice, multi, .* got 'quiz'"),
        ({"attempts": "-1"}, r"field 'attempts': expected a whole number of at least 0"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(changed: dict[str, str], expected: str) -> None:
    with pytest.raises(ContentError, match=expected) as caught:
        choice(**changed)
    assert re.match(r"topic/items\.toml, item ('[^']+'|1), field '", str(caught.value))


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ("", r"field 'proof': a choice item is graded and needs a proof; type: \[item.proof\]"),
        ('[item.proof]\nkind = "magic"\n', r"field 'proof.kind': expected schedule, program or training, got 'magic'"),
        (PROGRAM.replace('"x = 3"', '"import os"'), r"field 'proof.code': line 1 of the program uses `import os`"),
        (PROGRAM.replace('"x = 3"', '"x ="'), r"field 'proof.code': the program is not Python"),
        (PROGRAM.replace('["x"]', '["_x"]'), r"field 'proof.measures': '_x' cannot be measured"),
        (PROGRAM.replace('["x"]', '["share"]'), r"field 'proof.measures': 'share' is a function of .* 'num_share'"),
        (PROGRAM.replace('["x"]', '["pi"]'), r"field 'proof.measures': 'pi' is a word of claims already"),
        (SCHEDULE.replace("rates =", "log ="), r"field 'proof.schedules': 'log' is a function of claims"),
        (PROGRAM.replace('["x"]', '["stdout"]'), r"'stdout' cannot be measured"),
        (PROGRAM + "seeds = 3\n", r"field 'proof.seeds': there is no such field here"),
        (SCHEDULE.replace(HORIZON, ""), r"field 'horizon': a schedule proof needs it; type: \[item.horizon\]"),
        (SCHEDULE.replace("= 10", "= 0"), r"field 'horizon.total_steps': expected a positive number"),
        (TRAINING + "seeds = 19\n", r"field 'proof.seeds': expected a whole number of at least 20, got 19"),
        (TRAINING.replace("margin = 0.1", ""), r"field 'proof.margin': it is missing; type: margin = 0"),
        (TRAINING.replace('data = "d"', ""), r"field 'proof.data': it is missing"),
    ],
)
def test_a_wrong_proof_is_named(proof: str, expected: str) -> None:
    with pytest.raises(ContentError, match=expected):
        choice(proof=proof)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (OPTIONS.replace('claim = "x > 4"', ""), r"field 'options\[2\].claim': it is missing"),
        (OPTIONS.replace("x > 4", "open('f')"), r"field 'options\[2\].claim': .* has a call of 'open'"),
        (OPTIONS.replace("x > 4", "y > 4"), r"field 'options\[2\].claim': the name 'y' is neither"),
        (OPTIONS.replace("x > 4", "1 > 4"), r"field 'options\[2\].claim': '1 > 4' mentions nothing that is measured"),
        (OPTIONS.replace("why", "because"), r"field 'options\[0\].because': there is no such field here"),
        ('[[item.options]]\ntext = "a"\nclaim = "x == 3"\n', r"field 'options': expected 2 to 8 of them, got 1"),
        ('options = 3\n', r"field 'proof.options': there is no such field"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(options: str, expected: str) -> None:
    with pytest.raises(ContentError, match=expected):
        choice(options)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("rate = [0.1]", r"field 'parameters.rate': expected two values or more"),
        ("rate = [0.1, 0.1]", "a value is there twice"),
        ("rate = 0.1", "expected two values or more"),
        ("rate = { from = 5, to = 1 }", "expected a rising range"),
        ("rate = { from = 0, to = 1e9 }", "expected a rising range"),
        ("rate = [[1], [2]]", "a value is a number, a text or a truth value"),
        ("mean = [1, 2]", "'mean' cannot name a parameter"),
        ("x = [1, 2]", r"field 'proof.measures': 'x' is a parameter"),
    ],
)
def test_wrong_parameters_are_named(parameters: str, expected: str) -> None:
    with pytest.raises(ContentError, match=expected):
        choice(proof=f"[item.parameters]\n{parameters}\n{PROGRAM}")


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ("[{ a = 1 }]", "expected two tables or more"),
        ("[{ a = 1 }, { b = 1 }]", "every case needs the same names, the first has a"),
        ("[{ a = [1] }, { a = 2 }]", "a value is a number"),
    ],
)
def test_wrong_cases_are_named(cases: str, expected: str) -> None:
    with pytest.raises(ContentError, match=expected):
        choice(cases=cases)


def test_parameters_are_all_combinations_and_cases_stay_together() -> None:
    item = choice(
        cases='[{ a = 1, b = "one" }, { a = 2, b = "two" }]',
        proof="[item.parameters]\nrate = { from = 0.1, to = 0.3, by = 0.1 }\n" + PROGRAM,
    )
    sets = [dict(item.parameters.values(number)) for number in range(item.parameters.count)]
    assert len(sets) == 6
    assert {(one["a"], one["b"]) for one in sets} == {(1, "one"), (2, "two")}
    assert {one["rate"] for one in sets} == {0.1, 0.2, 0.3}


NUMERIC = head("numeric") + PROGRAM.replace("[item.proof]", 'answer = "x"\n{}\n[item.proof]')
FIX = (
    head("fix")
    + 'start = "y = 1"\nsolution = "y = 2"\n[item.verify]\nseeds = [1, 2]\nmeasures = ["z"]\nafter = "z = y"\n'
    + '[[item.verify.demands]]\nclaim = "z == 2"\nmessage = "It is {{z}}."\n'
)
TUNE = (
    head("tune")
    + '[item.start]\noptimizer = "SGD"\nlr = 0.1\nschedule = "hold"\n'
    + '[item.solution]\noptimizer = "SGD"\nlr = 0.2\nschedule = "hold"\n'
    + '[item.lab]\nsteps = 10\ntarget = 0.1\noptimizers = ["SGD"]\nseeds = [1, 2, 3]\nsetup = "x = 1"\n'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NUMERIC.format("absolute = 3"), "field 'absolute': expected true or false"),
        (NUMERIC.format("tolerance = -1"), "field 'tolerance': expected a number of at least 0"),
        (head("order") + PROGRAM, "field 'pieces': it is missing"),
        (head("draw") + 'curve = "x"\n' + PROGRAM, "field 'horizon': a curve is drawn"),
        (head("explain") + "needed = 1\n", "field 'concepts': it is missing"),
        (head("card") + 'answer = "{{x}}"\n', "field 'answer': the name 'x' is neither"),
        (head("control") + 'explanations = ["one"]\n' + PROGRAM + OPTIONS, "field 'explanations': two or more"),
        (FIX.replace("[1, 2]", "[1]"), r"field 'verify.seeds': expected two whole numbers or more"),
        (FIX.replace('"z == 2"', '"y == 2"'), r"field 'verify.demands\[0\].claim': the name 'y' is neither"),
        (FIX.replace('"z"', '"count"'), "field 'verify.measures': 'count' is a function of claims; .* 'num_count'"),
        (FIX.replace('"z"', '"seed"'), "field 'verify.measures': 'seed' is a word of claims already"),
        (FIX.replace('"y = 1"', '"y = x"'), "field 'given': the start uses 'x' and does not make it; .*: `x`"),
        (FIX.replace('"y = 1"', '"import socket"'), r"field 'start': line 1 of the program uses `import socket`"),
        (FIX.replace("item.verify", "item.checks"), r"field 'verify': it is missing; type: \[item.verify\]"),
        (TUNE.replace('["SGD"]', '["Lion"]'), "field 'lab.optimizers': 'Lion' is none of SGD, "),
        (TUNE.replace('0.2\nschedule = "hold"', '0.2\nschedule = "held"'), "field 'solution.schedule': .*'held'"),
        (TUNE.replace("[1, 2, 3]", "[1, 2]"), "field 'lab.seeds': expected three whole numbers or more"),
    ],
)  # fmt: skip
def test_a_wrong_body_is_named(text: str, expected: str) -> None:
    with pytest.raises(ContentError, match=expected):
        one(text)
    assert one(FIX).attempts == one(TUNE).attempts == 0


@pytest.mark.parametrize("text", ["[[item]", "x = 1", "", "item = 3", "item = [3]"])
def test_a_file_without_items_is_refused(text: str) -> None:
    with pytest.raises(ContentError, match=r"^topic/items\.toml"):
        read_items(text, "topic/items.toml", "topic")


ITEM = head("choice") + PROGRAM + OPTIONS


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("topic.toml", None, r"topic/topic\.toml cannot be read: .*No such file"),
        ("topic.toml", TOPIC.replace("minutes = 5", ""), r"topic/topic\.toml, field 'minutes': it is missing"),
        ("topic.toml", TOPIC + "x = 1", "field 'x': there is no such field"),
        ("topic.toml", TOPIC + 'prerequisites = ["nowhere"]', "there is no other topic 'nowhere'; topics: topic"),
        ("topic.toml", TOPIC + 'page = "other.md"', r"topic/other\.md cannot be read"),
        ("items.toml", ITEM + ITEM, r"item 'topic/it', field 'id': it is there twice"),
        ("page.md", "```output\nx\n```", "stands right after"),
        ("page.md", "a\n\n```python run\nimport os\n```", r"topic/page\.md, line 3: line 1 of .* `import os`"),
        ("page.md", "```curves\nsteps=3\ncosine\n```", r"line 1: expected figures such as `total_steps=100"),
        ("page.md", "```curves\ntotal_steps=0\ncosine\n```", "total_steps must be a positive whole number"),
        ("page.md", "```curves\ntotal_steps=9\ncosin\n```", "line 1: .*cosin"),
        ("page.md", "```curves\ntotal_steps=9\n```", "it draws nothing"),
    ],
)  # fmt: skip
def test_a_wrong_topic_is_named(tmp_path: Path, name: str, content: str | None, expected: str) -> None:
    folder = write_topic(tmp_path / "course", ITEM)
    place = folder / "topic" / name
    place.unlink() if content is None else place.write_text(content)
    with pytest.raises(ContentError, match=expected):
        read_course(folder)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = write_topic(tmp_path / "course", ITEM)
    (folder / "topic/items.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ContentError, match=r"topic/items\.toml cannot be read"):
        read_course(folder)
    with pytest.raises(ContentError, match="cannot be read"):
        read_course(tmp_path / "nowhere")


def test_a_page_is_its_blocks() -> None:
    text = "One.\n```python\nx\n```\nTwo.\n```python run\nprint(1)\n```\n```output\n1\n```\n"
    text += "```curves\ntotal_steps=9\na: hold\n```"
    first, second, third = read_page(text, "page")
    assert isinstance(first, Prose)
    assert "Two." in first.markdown
    assert second == Program("print(1)\n", "1\n")
    assert isinstance(third, Curves)
    assert dict(third.texts) == {"a": "hold"}


@pytest.mark.parametrize(
    ("line", "label", "schedule"),
    [
        ("a: hold", "a", "hold"),
        ("T_max=25, gamma = 0.5: hold =0.1", "T_max=25, gamma = 0.5", "hold =0.1"),
        ("hold =0.1", "hold =0.1", "hold =0.1"),
        ("hold; momentum: hold 0.9", "hold; momentum: hold 0.9", "hold; momentum: hold 0.9"),
    ],
)
def test_a_curve_of_a_page_has_a_label_or_is_its_own(line: str, label: str, schedule: str) -> None:
    (curves,) = read_page(f"```curves\ntotal_steps=9 base_lr=0.1\n{line}\n```", "page")
    assert isinstance(curves, Curves)
    assert dict(curves.texts) == {label: schedule}


@pytest.mark.parametrize(
    ("expected", "printed", "agree"),
    [
        ("1\n2", "1  \n2\n", True),
        ("1 ... 3", "1 2 3", True),
        ("...\n3", "1\n2\n3", True),
        ("1", "2", False),
        ("1.", "12", False),
    ],
)  # fmt: skip
def test_dots_stand_for_anything_in_an_output(expected: str, printed: str, agree: bool) -> None:
    assert agrees(expected, printed) is agree


def test_the_outline_says_what_reading_says(tmp_path: Path) -> None:
    folder = write_topic(tmp_path / "course", ITEM + head("card", id='"card"', level='"expert"') + 'answer = "So."\n')
    (short,) = outline(folder)
    (topic,) = read_course(folder).topics
    assert (short.id, short.title, short.minutes, short.num_items) == (topic.id, topic.title, topic.minutes, 2)
    assert short.levels == (Level.BEGINNER, Level.EXPERT)


def test_modes_follow_the_type_unless_they_are_written() -> None:
    assert choice().modes == {Mode.PRACTICE, Mode.CHALLENGE, Mode.TEST, Mode.PREDICT}
    assert choice(modes='["test"]', hints="", steps="").modes == {Mode.TEST}


def test_a_course_is_asked_for_what_it_has(tmp_path: Path) -> None:
    course = read_course(write_topic(tmp_path / "course", ITEM))
    assert course.item("topic/it") in course.topic("topic").items
    with pytest.raises(OptionError, match="there is no topic 'x'; topics: topic"):
        course.topic("x")
    with pytest.raises(OptionError, match="there is no item 'x'"):
        course.item("x")


def test_reading_content_and_progress_loads_no_torch() -> None:
    import subprocess

    code = (
        "import sys\nfrom stepwell.learn import mastery, memory, outline, progress, read\n"
        "from stepwell.learn.session import player\n"
        "outline.outline(), read.read_course()\n"
        "assert not {'torch', 'matplotlib', 'plotly', 'sklearn', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
