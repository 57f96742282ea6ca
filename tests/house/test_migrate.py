"""The page about other schedulers says what the code does."""

from __future__ import annotations

import re

from torch.optim import lr_scheduler

from migrate_page import PAGE, TORCH, written
from stepwell import twins


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == written(PAGE.read_text()), "type: python tests/migrate_page.py"


def test_every_scheduler_of_torch_and_every_twin_has_its_line() -> None:
    classes = {name for name in lr_scheduler.__all__ if name != "LRScheduler"}
    assert {re.split(r"\W", call)[0] for call in TORCH} == classes
    assert {twin.split("(")[0] for twin in TORCH.values()} == set(twins.__all__)
