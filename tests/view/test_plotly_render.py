from __future__ import annotations

import json
import math
from typing import Any

import plotly.graph_objects as go
import pytest

from stepwell.record.comparison import Comparison
from stepwell.view.figure import Kind
from stepwell.view.figures import final_intervals, loss_curves, rate_curves, rate_response
from stepwell.view.palette import THEMES, ThemeName
from stepwell.view.plotly_render import in_the_dark, plotly_figure

MAKERS = [rate_curves, loss_curves, rate_response, final_intervals]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_plotly_accepts_it_and_it_is_strict_json(make: Any, theme: ThemeName, nasty: Comparison) -> None:
    drawn = plotly_figure(make(nasty), theme=theme)
    go.Figure(drawn)  # checks every property by name and value
    assert json.loads(json.dumps(drawn, allow_nan=False)) == json.loads(json.dumps(drawn))


@pytest.mark.parametrize("make", MAKERS)
def test_no_name_can_be_markup(make: Any, nasty: Comparison) -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for key, item in value.items() if key not in ("meta", "legendgroup") for text in texts(item)]
        if isinstance(value, list):
            return [text for item in value for text in texts(item)]
        return [value] if isinstance(value, str) else []

    allowed = {"<br>", "<b>", "</b>", "<extra></extra>"}
    for text in texts(plotly_figure(make(nasty))):
        for tag in allowed:
            text = text.replace(tag, "")
        assert "<" not in text.replace("<b>%{fullData.name}</b>", "")


@pytest.mark.parametrize("make", MAKERS)
def test_every_line_has_the_numbers_of_its_series(make: Any, comparison: Comparison) -> None:
    figure = make(comparison)
    drawn = [trace for trace in plotly_figure(figure)["data"] if trace["meta"]["kind"] != "band"]
    series = [s for panel in figure.panels for s in panel.series if s.kind not in (Kind.REGION, Kind.VLINE)]
    assert len(drawn) == len(series)
    for trace, one in zip(drawn, series, strict=True):
        for mine, theirs in ((trace["x"], one.x), (trace["y"], one.y)):
            assert len(mine) == len(theirs)
            for a, b in zip(mine, theirs.tolist(), strict=True):
                assert (a is None) == (not math.isfinite(b))
                assert a is None or math.isclose(a, b, rel_tol=1e-6)


def test_a_legend_names_every_strategy_once(comparison: Comparison) -> None:
    drawn = plotly_figure(loss_curves(comparison))
    named = [trace["name"] for trace in drawn["data"] if trace.get("showlegend")]
    assert sorted(named) == sorted(result.strategy.name for result in comparison.results)


def test_every_colour_has_its_partner_in_the_dark() -> None:
    light, dark = THEMES["light"], THEMES["dark"]
    partners = in_the_dark()
    assert [partners[colour] for colour in light.colours] == list(dark.colours)
    fixed = (light.ground, light.ink, light.soft, light.grid, light.muted, light.faint, light.region, light.warning)
    assert len({*light.colours, *fixed}) == len(light.colours) + len(fixed)
