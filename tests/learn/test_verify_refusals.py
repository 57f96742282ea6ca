"""Broken items: each kind of fault is refused, and the refusal says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from learn_items import OPTIONS, PROGRAM, choice, head, one, write_topic
from stepwell.errors import ContentError, OptionError
from stepwell.learn import programs
from stepwell.learn.course import Item
from stepwell.learn.read import read_course
from stepwell.learn.verify import Problem, Verified, verify, verify_item
from stepwell.learn.worker import Worker

TRAINING = """
[item.proof]
kind = "training"
model = "m"
optimizer = "o"
data = "d"
margin = 0.5
measures = ["a", "b"]
code = '''
import random
a, b = random.random(), {b}
'''
[[item.options]]
text = "a is smaller"
claim = "{claim}"
[[item.options]]
text = "b is smaller"
claim = "mean(b) < mean(a) - margin"
"""
OS = "__import__('os')"
PIECES = "".join(f'[[item.pieces]]\ntext = "{n}"\nrank = "x + {n % 2}"\n' for n in range(3))
FIX = """
start = "{start}"
solution = "{solution}"
[item.verify]
seeds = [1, 2]
measures = ["z"]
seconds = 120
needs = ["y"]
after = "z = y * seed"
[[item.verify.demands]]
claim = "z >= 2 * {factor}"
message = "It is {{{{z}}}}."
"""
TUNE = """
[item.start]
optimizer = "SGD"
lr = {start}
schedule = "hold"
[item.solution]
optimizer = "SGD"
lr = {solution}
schedule = "hold"
[item.lab]
steps = 10
target = 0.01
optimizers = ["SGD"]
seeds = [1, 2, 3]
setup = '''
import torch
model = torch.nn.Linear(1, 1)
def loss(step):
    return (model(torch.ones(1)) - 1).square().sum()
def final():
    return loss(0)
'''
"""


def training(b: str, claim: str) -> Item:
    return one(head("choice") + TRAINING.format(b=b, claim=claim))


def fix(start: str, solution: str, factor: str = "1") -> Item:
    return one(head("fix") + FIX.format(start=start, solution=solution, factor=factor))


def listed(claim: str, more: str = "") -> Item:
    """To fix: a program that lists the numbers to 9 and leaves one out."""
    loop = "y = []\nfor step in range({}):\n    y.append(step)\n"
    text = (
        FIX.replace("z = y * seed", f"z = list(y); {more}")
        .replace("z >= 2 * {factor}", claim)
        .replace("{{{{z}}}}", "{{z}}")
    )
    return one(
        head("fix")
        + text.replace('"{start}"', f"'''{loop.format(9)}'''").replace('"{solution}"', f"'''{loop.format(10)}'''")
    )


def program(code: str, options: str = OPTIONS, seconds: int = 120) -> Item:
    proof = PROGRAM.replace('"x = 3"', f"'''\n{code}\n'''").replace("measures", f"seconds = {seconds}\nmeasures")
    return choice(options, proof)


BROKEN: list[tuple[Callable[[], Item], str]] = [
    (lambda: choice(OPTIONS.replace("x == 4", "x > 2")), "exactly one option must be true, .*: 'three' and 'four'"),
    (lambda: choice(OPTIONS.replace("x == 3", "x == 5")), "exactly one option must be true, true are: none"),
    (lambda: program("x = 1 / 0"), r"the proof crashed at line 1: ZeroDivisionError: division by zero; mend it"),
    (lambda: program("y = 1"), "the proof never sets 'x', which it should measure"),
    (lambda: program("x = object()"), "a object cannot be measured"),
    (lambda: program("while True:\n    pass", seconds=1), "the proof timed out: it was stopped after 1"),
    (lambda: program("import torch\nx = torch.zeros(10**10)"), "the proof crashed at line 2: RuntimeError: .*memory"),
    (lambda: choice(OPTIONS.replace("x == 4", "x != x")), "'x != x' comes out the same whatever is measured"),
    (lambda: choice(OPTIONS.replace("x == 3", "x > 2 or x <= 2")), "comes out the same whatever is measured"),
    (lambda: choice(OPTIONS.replace("x == 4", "x + 'a' == 4")), r"\"x \+ 'a' == 4\" cannot be computed"),
    (lambda: choice(OPTIONS.replace("x == 4", "x")), "a claim is true or false, 'x' gave 3"),
    (lambda: choice(OPTIONS.replace('"four"', '"three"')), "two options read the same"),
    (lambda: choice(facts='["x == 4"]'), r"the fact 'x == 4' does not hold; measured: x = 3"),
    (lambda: choice(explanation='"{{x[0]}}"'), r"'x\[0\]' cannot be computed"),
    (
        lambda: choice(proof=f"[item.parameters]\ncode = ['3', \"{OS}\"]\n" + PROGRAM.replace("3", "{{code}}")),
        r"with code = \"__import__\('os'\)\": line 1 of the program uses `__import__`",
    ),
    (lambda: one(head("multi") + PROGRAM + OPTIONS.replace("x == 3", "x == 5")), "true are 0 of 3"),
    (lambda: one(head("numeric") + 'answer = "x / 0"\n' + PROGRAM), "cannot be computed: division by zero"),
    (lambda: one(head("numeric") + 'answer = "x - 3"\n' + PROGRAM), "the answer is 0, of which no share"),
    (lambda: one(head("order") + PROGRAM + PIECES), "'0' and '2' are too close to order: 3 and 3"),
    (lambda: training("1 + random.random()", "mean(a) < mean(b)"), "is true of a training proof and must"),
    (lambda: training("seed % 2 * 9.0", "mean(a) < mean(b) - margin"), "half of the seeds give another key"),
    (lambda: training("1 / (seed - 7)", "mean(a) < mean(b) - margin"), "the proof crashed under seed 7 at line 2"),
    (lambda: fix("y = 2", "y = 3"), "the start must fail its check, it came out right"),
    (lambda: fix("y = 1", "y = 1"), "the solution must pass its check, it came out wrong: It is 1"),
    (lambda: fix("y = 'a'", "y = 3"), "the start must fail its check, it came out could not"),
    (lambda: listed("z[-1] == 9"), r"a program that does less .* could not check: 'z\[-1\] == 9' cannot be computed"),
    (lambda: listed("len(z) == 10", "first = min(y)"), r"does less [\s\S]*ValueError: min[\s\S]*for step in \[\]"),
    (lambda: one(head("tune") + TUNE.format(start=0.4, solution=0.4)), "the start must miss the target"),
    (lambda: one(head("tune") + TUNE.format(start=1e-9, solution=1e-9)), "the solution must reach the target"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_item_is_refused(number: int, worker: Worker) -> None:
    make, expected = BROKEN[number]
    problems = [finding for finding in verify_item(make(), worker) if isinstance(finding, Problem)]
    assert problems
    with pytest.raises(ContentError, match=expected):
        raise ContentError(str(problems[0]))
    assert str(problems[0]).startswith("topic/items.toml, item 'topic/it'")


def test_sound_items_are_verified_with_their_keys(worker: Worker) -> None:
    (found,) = verify_item(listed("len(z) == 10 and z[-1] == 9", "first = min(y, default=0)"), worker)
    assert isinstance(found, Verified), str(found)
    (found,) = verify_item(choice(), worker)
    assert isinstance(found, Verified)
    assert (found.key, found.measured["x"]) == (0, 3)
    assert all(isinstance(one, Verified) for one in verify_item(fix("y = 1", "y = 2"), worker))
    (trained,) = verify_item(training("1.6 + random.random()", "mean(a) < mean(b) - margin"), worker)
    assert isinstance(trained, Verified), str(trained)
    assert len(trained.measured["a"]) == 20


def test_an_expected_exception_is_measured(worker: Worker) -> None:
    options = OPTIONS.replace("x == 3", "error == 'ValueError' and 'bad' in message").replace("x == 4", "error == ''")
    options = options.replace("x > 4", "'x' in warnings").replace("{{x}}", "{{error}}")
    item = program("import warnings\nwarnings.warn('careful')\nraise ValueError('bad rate')", options)
    (found,) = verify_item(item, worker)
    assert isinstance(found, Verified), str(found)
    assert found.measured["warnings"] == ["careful"]


@pytest.mark.parametrize(
    "claim",
    [
        "len(warnings) == 0", "warnings == []", "not warnings == ['x']", "stdout == ''", "error == ''",
        "not any('order' in text for text in warnings)", "count(lines, 'done') == 0", "not 'done' in stdout", "x != 7",
        "all(len(text) < 3 for text in warnings)", "x == 3",
    ],
)  # fmt: skip
def test_a_claim_about_nothing_measured_is_a_claim_too(claim: str, worker: Worker) -> None:
    (found,) = verify_item(choice(OPTIONS.replace("x == 3", claim)), worker)
    assert isinstance(found, Verified), str(found)
    (found,) = verify_item(choice(OPTIONS.replace("x == 3", f"{claim} or len(warnings) >= 0")), worker)
    assert "comes out the same whatever is measured" in str(found)


def test_a_whole_course_is_verified_by_several_workers(tmp_path: Path) -> None:
    good = head("choice") + "[item.parameters]\nn = { from = 1, to = 20 }\n" + PROGRAM + OPTIONS
    bad = good.replace('"it"', '"bad"').replace("x == 3", "x == n")
    page = "```python run\nprint(2)\n```\n```output\n3\n```\n```python run\nraise ValueError(1)\n```"
    course = read_course(write_topic(tmp_path / "course", good + bad, page=page))
    found = list(verify(course))
    assert sum(isinstance(one, Verified) for one in found) == 6
    problems = {str(one).split(":")[0] for one in found if isinstance(one, Problem)}
    assert {"topic/page, item 'topic/page#1'", "topic/page, item 'topic/page#2'"} < problems
    assert len(problems) == 8
    with pytest.raises(OptionError, match="there is no topic 'x'"):
        verify(course, ["x"])
    with pytest.raises(OptionError, match="must be 1 or more"):
        verify(course, workers=0)


@pytest.mark.parametrize(
    "code",
    [
        "import os", "import os.path", "from os import path", "import torch.hub", "from torch import hub",
        "from torch import *", "from . import x", "import torch.utils.cpp_extension", "import stepwell.cli",
        "from stepwell import cli", "open('f')", "eval('1')", "exec('1')", "getattr(1, 'real')", "(1).__class__",
        "x = ().__class__.__bases__", "globals()", "__builtins__", "import numpy\nnumpy.os.system('ls')",
        "import warnings\nwarnings.sys", "import random\nrandom._os", "import torch\ntorch._C",
        "import io\nio.open('f')",
        "from io import FileIO", "import numpy\nnumpy.fromfile('f')", "x = 1\ndef __del__(self): pass", "breakpoint()",
        "import importlib", "import operator", "global x", "async def f(): pass", "setattr(1, 'a', 2)", "def f(:",
        "\0",
    ],
)  # fmt: skip
def test_a_program_of_content_may_not_have(code: str) -> None:
    with pytest.raises(ContentError):
        programs.check(code)


def test_a_program_of_content_may_have_what_lessons_need() -> None:
    programs.check(
        "import io, math, warnings\nimport numpy as np\nimport torch\nfrom torch import nn\nimport stepwell\n"
        "from stepwell.learn import lab\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layer = nn.Linear(1, 1)\n"
        "    def forward(self, x):\n        return self.layer(x)\n"
        "file = io.BytesIO()\ntorch.save(Net().state_dict(), file)\nfor _ in range(3):\n    pass\n"
        "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\nprint(f'{math.pi:.2f}')"
    )
