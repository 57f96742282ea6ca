"""The page about other schedulers says what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from torch.optim import lr_scheduler

from migrate_page import PAGE, TIMM, TORCH, TRANSFORMERS, written
from stepwell import RECIPES, twins

TESTS = Path(__file__).parents[1]
ROW = re.compile(r"^\| (?P<elsewhere>[^|]+) \| (?P<threads>[^|]+) \| (?P<here>[^|]+) \| `(?P<test>[^`]+)` \|$")
THREAD = re.compile(r"[A-Za-z-]+#\d+")


def complaints() -> list[re.Match[str]]:
    """The rows of the table of complaints."""
    table = PAGE.read_text().split("<!-- complaints -->")[1].split("<!-- end complaints -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    matches = [ROW.match(row) for row in rows]
    return [match for row, match in zip(rows, matches, strict=True) if match or pytest.fail(f"no such row: {row}")]


def test_every_complaint_has_threads_and_a_test_that_names_them() -> None:
    rows = complaints()
    assert len(rows) >= 20
    for row in rows:
        file, _, name = row["test"].rpartition("::")
        source = (TESTS / (file or "drive/test_complaints.py")).read_text()
        tests = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
        assert name in tests, f"there is no test {row['test']}"
        known = source if file else ast.get_docstring(tests[name]) or ""
        for thread in row["threads"].split(", "):
            assert THREAD.fullmatch(thread)
            assert thread in known, f"{name} does not name {thread}"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == written(PAGE.read_text()), "type: python tests/migrate_page.py"


def test_every_scheduler_of_torch_and_every_twin_has_its_line() -> None:
    classes = {name for name in lr_scheduler.__all__ if name != "LRScheduler"}
    assert {re.split(r"\W", call)[0] for call in TORCH} == classes
    assert {twin.split("(")[0] for twin in TORCH.values()} == set(twins.__all__)


@pytest.mark.parametrize(("library", "calls"), [("transformers", TRANSFORMERS), ("timm", TIMM)])
def test_every_recipe_of_the_library_has_its_line(library: str, calls: Mapping[str, str]) -> None:
    own = {name for name in RECIPES if name.startswith(f"{library}.")}
    assert {f"{library}.{recipe.split('(')[0]}" for recipe in calls.values()} == own
