"""What docs/authoring.md shows is what the reader takes and the verifier finds true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepwell.learn.functions import FUNCTIONS
from stepwell.learn.items.types import TYPES
from stepwell.learn.read import read_items
from stepwell.learn.verify import Verified, verify_item
from stepwell.learn.worker import Worker

PAGE = (Path(__file__).parents[2] / "docs/authoring.md").read_text()
EXAMPLES = [block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("[[item]]")]


def test_there_is_an_example_of_every_type_and_every_function_is_named() -> None:
    assert [read_items(text, "page", "topic")[0].body.kind for text in EXAMPLES] == [
        "choice", "multi", "numeric", "order", "match", "control", "card", "explain", "draw", "write", "fix", "tune",
    ]  # fmt: skip
    assert len(EXAMPLES) == len(TYPES)
    listed = re.search(r"calls of `(.*?)`", PAGE, re.DOTALL)
    assert listed is not None
    assert listed[1].split() == sorted(FUNCTIONS)


@pytest.mark.parametrize("number", range(len(TYPES)))
def test_every_example_is_true(number: int, worker: Worker) -> None:
    (item,) = read_items(EXAMPLES[number], "page", "topic")
    for finding in verify_item(item, worker):
        assert isinstance(finding, Verified), str(finding)
