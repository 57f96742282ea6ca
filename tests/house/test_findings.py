from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepwell.finding import CATALOGUE

PAGE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()


@pytest.mark.parametrize("code", sorted(code for code in CATALOGUE if code < "SW200"))
def test_every_finding_about_a_schedule_stands_on_the_page(code: str) -> None:
    assert re.search(rf"^\| {code} \| .+ \|$", PAGE, re.MULTILINE)
