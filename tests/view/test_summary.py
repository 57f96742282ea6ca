from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stepwell.record.comparison import Comparison
from stepwell.view.summary import comparison_json, strict


def test_the_summary_is_strict_json_with_the_numbers_of_the_record(comparison: Comparison) -> None:
    found = json.loads(json.dumps(comparison_json(comparison), allow_nan=False))
    assert found["leader"] == "cosine"
    assert found["best"] == [result.strategy.name for result in comparison.best]
    for entry, result in zip(found["strategies"], comparison.results, strict=True):
        assert entry["scores"] == result.scores.tolist()
        assert [run["ending"] for run in entry["runs"]] == [run.outcome.ending.value for run in result.runs]
        if result.response is not None:
            scores = np.array(entry["response"]["scores"], dtype=np.float64)
            np.testing.assert_array_equal(scores, result.response.scores)


def test_what_is_missing_is_null(nasty: Comparison) -> None:
    found = json.loads(json.dumps(comparison_json(nasty), allow_nan=False))
    assert found["resolution"] is None
    assert found["strategies"][4]["mean"] is None
    assert found["strategies"][5]["difference"] == {"estimate": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.array([1, 2]), [1, 2]),
        (np.bool_(True), True),
        (float("inf"), None),
        ({1: (2, {3})}, {"1": [2, "{3}"]}),
        (Path("a"), "a"),
    ],
)
def test_strict(value: object, plain: object) -> None:
    assert strict(value) == plain


def test_unknown_settings_become_text(comparison: Comparison) -> None:
    odd = replace(comparison, settings={"device": object})
    assert comparison_json(odd)["settings"] == {"device": "<class 'object'>"}
