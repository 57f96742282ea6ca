"""The README's recipes, executed as they are printed."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lr_suggestions import found
from printed_code import blocks, execute

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BENCHMARKS = (ROOT / "BENCHMARKS.md").read_text()
BLOCKS = blocks(README)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_recipe_runs_as_it_is_printed(number: int, tmp_path: Path) -> None:
    execute(*BLOCKS[number], tmp_path)


def test_there_are_recipes_and_every_link_leads_somewhere() -> None:
    assert len(BLOCKS) >= 7
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_shown_suggestion_is_written_as_suggestions_are() -> None:
    (shown,) = re.findall(r"```text\n(LrSuggestion.*?)\n```", README, re.DOTALL)
    shown = " ".join(shown.split())
    read = re.search(r"lr=(\S+), good from (\S+) to (\S+), (\d+) steps\. (.+)\)$", shown)
    assert read is not None
    lr, low, high, spent, words = read.groups()
    made = replace(found(), seeds="data order", spread=math.nan, words=words, spent=int(spent))
    assert repr(replace(made, lr=float(lr), low=float(low), high=float(high))) == shown


def test_the_figures_about_finding_a_rate_are_those_of_the_benchmarks() -> None:
    (said,) = re.findall(r"^Over \d+ suggestions.*?\n\n", README, re.DOTALL | re.MULTILINE)
    figures = re.findall(r"\d?\.\d+", said)
    assert len(figures) >= 4
    for figure in figures:
        assert figure.lstrip("0") in BENCHMARKS, figure
