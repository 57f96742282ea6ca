from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from stepwell.schedule import RECIPES, Horizon, schedule

SVG = "{http://www.w3.org/2000/svg}"


def points(svg: str) -> list[list[tuple[float, float]]]:
    """The points of every line in a picture, which must be well-formed."""
    lines = ET.fromstring(svg).iter(f"{SVG}polyline")  # noqa: S314 -- our own text
    return [[(float(x), float(y)) for x, y in (p.split(",") for p in line.attrib["points"].split())] for line in lines]


@pytest.mark.parametrize("text", [*RECIPES, "steps x0.1 at 30ep 60ep", "linear 0..1 for 500 | cosine to 0.1"])
def test_a_schedule_draws_itself(text: str) -> None:
    one = schedule(text)
    svg = one._repr_svg_()
    assert svg is not None
    assert len(points(svg)) == len(one.entries)
    assert "updates, 10 per epoch" in svg


def test_a_curve_draws_its_own_run() -> None:
    svg = schedule("linear 1..0").resolve(Horizon(101))._repr_svg_()
    (line,) = points(svg)
    assert len(line) == 101
    assert line[0] == (24.0, 24.0)  # the peak, at the left
    assert [y for _, y in line] == sorted(y for _, y in line)  # down the page is down the rate
    assert "101 updates" in svg
    assert "the first" in schedule("hold").resolve(Horizon())._repr_svg_()


def test_what_is_written_stays_text() -> None:
    assert "<title>max(cosine 1..0, 0.1)</title>" in schedule("max(cosine 1..0, 0.1)").resolve(Horizon(9))._repr_svg_()


def test_a_schedule_that_needs_a_base_rate_keeps_its_text() -> None:
    assert schedule("cosine 1..=1e-5")._repr_svg_() is None
    assert schedule("cosine 1..=1e-5").resolve(Horizon(50), base_lr=0.1)._repr_svg_()


def test_a_curve_of_zeros_is_drawn_too() -> None:
    assert points(schedule("hold 0").resolve(Horizon(1))._repr_svg_()) == [[(24.0, 126.0)]]
