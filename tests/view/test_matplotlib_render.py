from __future__ import annotations

import io
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure as Canvas
from PIL import Image

from stepwell.errors import OptionError
from stepwell.record.comparison import Comparison
from stepwell.schedule import Horizon, schedule
from stepwell.view.figures import figure_of_curves, final_intervals, loss_curves, rate_curves, rate_response
from stepwell.view.labels import spread_out
from stepwell.view.matplotlib_render import draw, picture


@pytest.mark.parametrize("make", [rate_curves, loss_curves, rate_response, final_intervals])
def test_every_figure_is_a_picture_even_of_a_nasty_comparison(make: Any, nasty: Comparison) -> None:
    svg = picture(make(nasty), "svg")
    assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314 - we wrote it


def test_png_and_pdf_are_what_they_say(comparison: Comparison) -> None:
    figure = final_intervals(comparison)
    with Image.open(io.BytesIO(picture(figure, "png", theme="dark"))) as image:
        assert image.format == "PNG"
        assert image.width == 1536
        assert image.text["Description"] == figure.alt  # type: ignore[attr-defined]  # PNG images have it
        assert image.convert("RGB").getpixel((0, 0)) == (0x17, 0x1A, 0x20)
    assert picture(figure, "pdf").startswith(b"%PDF")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes(suffix: str) -> None:
    curve = schedule("cosine 1..0").resolve(Horizon(50))
    assert picture(figure_of_curves([("cosine", curve)]), suffix) == picture(
        figure_of_curves([("cosine", curve)]), suffix
    )


def test_it_draws_into_axes_that_are_given(comparison: Comparison) -> None:
    canvas = Canvas()
    left, right = canvas.subplots(1, 2)
    assert draw(loss_curves(comparison), ax=[left, right]) is canvas
    assert len(left.lines) >= len(comparison.ranked)
    with pytest.raises(OptionError, match="has 2 panels, got 1 axes"):
        draw(loss_curves(comparison), ax=left)


def test_an_unknown_kind_of_picture_is_an_error(comparison: Comparison) -> None:
    with pytest.raises(OptionError, match="png, svg or pdf, got 'bmp'"):
        picture(final_intervals(comparison), "bmp")


def test_pyplot_and_its_settings_are_left_alone() -> None:
    code = (
        "import sys, matplotlib as m\n"
        "settings = lambda: {key: m.rcParams[key] for key in m.rcParams if 'backend' not in key}\n"
        "before = settings()\n"
        "from stepwell.schedule import Horizon, schedule\n"
        "from stepwell.view.figures import figure_of_curves\n"
        "from stepwell.view.matplotlib_render import picture\n"
        "picture(figure_of_curves([('c', schedule('cosine').resolve(Horizon(9)))]), 'svg')\n"
        "assert settings() == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_at_the_ends_of_lines_never_overlap(comparison: Comparison) -> None:
    canvas = draw(loss_curves(comparison))
    canvas.draw_without_rendering()
    for ax in canvas.axes:
        boxes = [text.get_window_extent() for text in ax.texts]
        middles = sorted((box.y0 + box.y1) / 2 for box in boxes)
        assert len(middles) == len(comparison.results)
        assert np.diff(middles).min() > 0.6 * max(box.height for box in boxes)


def test_long_names_go_below(comparison: Comparison) -> None:
    text = "linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%"
    canvas = draw(figure_of_curves([(text, schedule(text).resolve(Horizon(100)))]))
    legend = canvas.axes[0].get_legend()
    assert legend is not None
    assert [words.get_text() for words in legend.get_texts()] == [text]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.01, 0.2))
def test_places_are_apart_inside_and_in_order(wanted: list[float], gap: float) -> None:
    heights = np.array(wanted)
    places = spread_out(heights, gap, low=0.0, high=1.0)
    apart = min(gap, 1 / max(1, len(wanted) - 1))
    assert np.diff(np.sort(places)).min(initial=1.0) >= apart - 1e-9
    assert places.min() >= -1e-9
    assert places.max() <= 1 + 1e-9
    order = np.argsort(heights, kind="stable")
    assert (np.diff(places[order]) >= -1e-9).all()
