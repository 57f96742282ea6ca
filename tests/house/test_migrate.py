"""The page about other schedulers says what the code does."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from torch.optim import lr_scheduler

from migrate_page import PAGE, TIMM, TORCH, TRANSFORMERS, written
from stepwell import RECIPES, twins


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
