from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepwell.finding import CATALOGUE

PAGE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()


@pytest.mark.parametrize("code", sorted(code for code in CATALOGUE if "SW102" <= code <= "SW109"))
def test_every_preflight_finding_stands_on_the_page(code: str) -> None:
    assert re.search(rf"^\| {code} \| .+ \|$", PAGE, re.MULTILINE)
