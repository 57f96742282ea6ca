"""Recipes against what the libraries themselves gave (`golden/make_recipes.py`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.schedule import RECIPES, Horizon, schedule

GOLDEN = json.loads((Path(__file__).parent / "golden" / "recipes.json").read_text())
HORIZON = Horizon(GOLDEN["total_steps"], GOLDEN["steps_per_epoch"])
BASE = GOLDEN["base_lr"]
TOLERANCE = {"transformers": 1e-12, "timm": 1e-12, "optax": 1e-12, "keras": 1e-6}
"""Of the rate and of the base rate, each; keras computes in float32."""

CASES = [(library, case) for library in TOLERANCE for case in GOLDEN[library]]


@pytest.mark.parametrize(("library", "case"), CASES, ids=[case["recipe"] for _, case in CASES])
def test_a_recipe_gives_the_rates_of_its_library(library: str, case: dict[str, Any]) -> None:
    curve = schedule(case["recipe"]).resolve(HORIZON, base_lr=BASE)
    tolerance = TOLERANCE[library]
    # Without a warm-up timm leaves the first update alone, and its tanh begins a millionth lower.
    first = 1 if case["recipe"] == "timm.tanh(t_initial=120)" else 0
    rates = curve(GOLDEN["steps"]) * BASE
    np.testing.assert_allclose(rates[first:], case["rates"][first:], rtol=tolerance, atol=tolerance * BASE)


def test_every_recipe_without_feedback_of_these_libraries_is_compared() -> None:
    compared = {case["recipe"].split("(")[0] for _, case in CASES}
    own = {name for name in RECIPES if name.split(".")[0] in TOLERANCE}
    assert own - compared == {
        "optax.reduce_on_plateau",
        "timm.plateau",
        "transformers.greedy",
        "transformers.reduce_lr_on_plateau",
    }
