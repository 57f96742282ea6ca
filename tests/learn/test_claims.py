"""Claims: what they can say, what they may not, and that nothing else than a ContentError comes of any text."""

from __future__ import annotations

import ast
import math
import random
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stepwell.errors import ContentError
from stepwell.learn import claims
from stepwell.learn.dependence import idle
from stepwell.learn.functions import FUNCTIONS
from stepwell.learn.template import names, render

MEASURED: dict[str, Any] = {
    "x": 3,
    "y": 0.5,
    "losses": [1.0, 0.5, 0.25],
    "error": "ValueError",
    "final": {"0.1": 2.0},
    "gone": float("nan"),
    "ok": True,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x == 3 and y < 1", True),
        ("not ok or x > 3", False),
        ("0 < y <= 0.5", True),
        ("losses[-1] < 0.3 * losses[0]", True),
        ("losses[1:] == [0.5, 0.25]", True),
        ("all(b < a for a, b in zip(losses[:-1], losses[1:]))", True),
        ("[v * 2 for v in losses if v < 1] == [1, 0.5]", True),
        ("error == 'ValueError' and 'Value' in error", True),
        ("final['0.1'] == 2", True),
        ("isnan(gone) and gone != gone", True),
        ("isclose(y, 0.5000001, rel_tol=1e-3)", True),
        ("allclose(diff(losses), [-0.5, -0.25])", True),
        ("(1 if ok else 2) == 1", True),
        ("nothing is None", True),
        ("round(mean(losses), 2) == 0.58 and median(losses) == 0.5", True),
        ("argmin(losses) == 2 and argmax(losses) == 0", True),
        ("share([v > 0.3 for v in losses]) > 0.6", True),
        ("x in [1, 2, 3] and x not in [4]", True),
        ("abs(cos(pi)) == 1 and y < inf", True),
        ("sorted(losses)[0] == 0.25 and sum(losses) == 1.75", True),
        ("lower(error) == 'valueerror' and count(losses, 0.5) == 1", True),
        ("-x ** 2 == -9 and 7 // 2 == 3 and 7 % 4 == x", True),
    ],
)
def test_a_claim_means_what_python_means(text: str, expected: bool) -> None:
    assert claims.read(text).holds(MEASURED) is expected


@pytest.mark.parametrize(
    "text",
    [
        "().__class__",
        "x.real",
        "__import__('os')",
        "open('f')",
        "eval('1')",
        "(lambda: 1)()",
        "f'{x}'",
        "[a for a in losses for b in losses]",
        "{a: 1 for a in losses}",
        "{1, 2}",
        "max(*losses)",
        "isclose(**final)",
        "x := 3",
        "(x := 3)",
        "1j",
        "b'x'",
        "...",
        "x @ y",
        "x << 3",
        "x | 3",
        "await x",
        "x; y",
        "x = 3",
        "import os",
        "",
        "\0",
        "(" * 300,
        "-" * 900 + "1",
        "x +" * 200 + "x",
        "1" * 2000,
        str(2**300),
        "losses[0](1)",
        "abs(abs)(1)",
        "[max for max in losses]",
        "[__x for __x in losses]",
    ],
)
def test_what_a_claim_may_not_have_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(ContentError):
        claims.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "missing > 1",
        "1 / 0 > 1",
        "losses[9] > 1",
        "x + error == 1",
        "2 ** 99999 > 1",
        "10 ** 200 > 1",
        "(-8) ** 0.5 > 1",
        "error % 3 == ''",
        "[0] * 99999 == []",
        "error * 99999 == ''",
        "len([[losses] * 100 for a in range(9999)]) > 1",
        "sum([a * b for a, b in enumerate(range(10000))]) + len([c + 1 for c in range(10000)] * 999999) > 1",
        "round(x, 10 ** 8) > 1",
        "exp(10000) > 1",
        "max([]) > 1",
        "x if x else y",
        "x",
        "x and y",
        "not x",
        "str(losses) == ''",
        "range(10 ** 9) == []",
        "all([1, 2] for a in 3)",
        "all(a for a, b in losses)",
        "max(losses, key=x) > 1",
    ],
)
def test_what_cannot_be_computed_is_a_content_error(text: str) -> None:
    with pytest.raises(ContentError):
        claims.read(text).holds(MEASURED)


WORDS = [
    *FUNCTIONS,
    *MEASURED,
    "and",
    "or",
    "not",
    "if",
    "else",
    "for",
    "in",
    "is",
    "lambda",
    "True",
    "None",
    "pi",
    "inf",
]
tokens = st.sampled_from([*WORDS, *"()[]{},.:+-*/%<>=!~^&|@'\"0123456789", "**", "//", "==", "<=", "0.5", "1e308", " "])
texts = st.one_of(st.lists(tokens, max_size=25).map(" ".join), st.lists(tokens, max_size=25).map("".join), st.text())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=5),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(texts, st.dictionaries(st.sampled_from(sorted(MEASURED)), values))
@example("max(losses, key=abs)", MEASURED)
@example("sorted(losses, reverse=error)", MEASURED)
@example("int(error, x) > 1", {"error": "1", "x": 40})
def test_nothing_but_a_content_error_comes_of_any_text(text: str, names: dict[str, Any]) -> None:
    try:
        claims.read(text).holds(names)
        render(f"{{{{{text}}}}}", names)
    except ContentError:
        return


def expressions(draw: random.Random, depth: int) -> str:
    """A sound expression of numbers."""
    if depth == 0:
        return draw.choice(["x", "y", "losses[1]", "2", "0.25", "3.5"])
    one, other = expressions(draw, depth - 1), expressions(draw, depth - 1)
    return draw.choice(
        [f"({one} + {other})", f"({one} - {other})", f"({one} * {other})", f"abs({one})", f"max({one}, {other})",
         f"({one} if {one} < {other} else {other})", f"sum([a * {one} for a in [{other}, 1]])"]
    )  # fmt: skip


@given(st.integers(0, 10_000), st.integers(0, 4))
def test_the_interpreter_agrees_with_python(seed: int, depth: int) -> None:
    text = expressions(random.Random(seed), depth)
    expected = eval(compile(ast.parse(text, mode="eval"), "", "eval"), {**MEASURED})  # noqa: S307 - our own expression
    assert math.isclose(claims.read(text).value(MEASURED), expected)


def test_a_claim_knows_what_it_mentions() -> None:
    assert claims.read("all(a < x for a in losses) and pi > y").names == {"x", "y", "losses"}


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("x == 3", False),
        ("x == 4", False),
        ("isclose(losses[2], 0.25)", False),
        ("isclose(losses[2], 0.3)", False),
        ("error == 'ValueError'", False),
        ("error == 'TypeError'", False),
        ("len(losses) == 3", False),
        ("all(b < a for a, b in zip(losses[:-1], losses[1:]))", False),
        ("final['0.1'] > 1", False),
        ("nothing is None", True),
        ("x == x", True),
        ("x != x", True),
        ("x > 1 or x <= 1", True),
        ("len(losses) >= 0", True),
        ("x > 1 or True", True),
        ("x > 1 and False", True),
        ("y * y >= 0", True),
        ("x * 0 + 5", True),
        ("losses", False),
        ("x + 1", False),
        ("x > 5 and x < 4 and 1 > 2", False),  # false, and not false by its form alone
    ],
)
def test_a_claim_that_says_nothing_is_found(text: str, silent: bool) -> None:
    assert idle(claims.read(text), MEASURED, MEASURED) is silent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{x}} and {{y}}", "3 and 0.5"),
        ("{{y * 0.3:.2f}}", "0.15"),
        ("{{1 / x}}", "0.3333333333"),
        ("{x} {{error}}", "{x} ValueError"),
        ("{{losses[:2]}}", "[1.0, 0.5]"),
        ("{{losses[0]:.1e}}", "1.0e+00"),
        ("f'{a}' {'b': {'c': 1} }", "f'{a}' {'b': {'c': 1} }"),
    ],
)
def test_a_template_puts_values_in(text: str, expected: str) -> None:
    assert render(text, MEASURED) == expected


def test_code_gets_numbers_that_read_back_the_same() -> None:
    assert render("{{a}}", {"a": 0.1 + 0.2}, exact=True) == repr(0.1 + 0.2)
    assert names("{{a}} {{b + c:.2f}}") == {"a", "b", "c"}


@pytest.mark.parametrize(
    "text", ["{{}}", "{{x.y}}", "{{x:>99999999999}}", "{{x:{y}}}", "{{missing}}", "{{losses:.2f}}"]
)
def test_a_template_that_cannot_be_filled_in_is_a_content_error(text: str) -> None:
    try:
        found = render(text, MEASURED)
    except ContentError:
        return
    assert found == text  # `{{}}` is no place
