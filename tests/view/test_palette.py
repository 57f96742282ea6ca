from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from stepwell.view.figure import Shade
from stepwell.view.palette import THEMES, ThemeName, colour

Array = NDArray[np.float64]
# Machado et al. 2009, doi:10.1109/TVCG.2009.113, severity 1, on linear RGB.
VISION = {
    "usual": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> Array:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def oklab(rgb: Array) -> Array:
    return np.asarray(TO_OKLAB @ np.cbrt(TO_LMS @ rgb))


def contrast(one: str, other: str) -> float:
    light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_keep_apart_for_every_vision(theme: ThemeName, vision: str) -> None:
    seen = [oklab(np.clip(VISION[vision] @ linear(hue), 0, 1)) for hue in THEMES[theme].colours]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 0.11


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_shades_rise_in_lightness_and_neighbours_differ(theme: ThemeName, vision: str) -> None:
    seen = [oklab(np.clip(VISION[vision] @ linear(shade), 0, 1)) for shade in THEMES[theme].shades]
    assert all(low[0] < high[0] for low, high in pairwise(seen))
    assert min(float(np.linalg.norm(low - high)) for low, high in pairwise(seen)) > 0.015


def test_a_shade_is_the_nearest_of_the_ramp() -> None:
    shades = THEMES["light"].shades
    assert [colour(Shade(place), THEMES["light"]) for place in (0.0, 0.07, 0.5, 1.0, 7.0)] == [
        shades[0], shades[1], shades[4], shades[-1], shades[-1],
    ]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_words_stand_out_from_the_ground(theme: ThemeName) -> None:
    colours = THEMES[theme]
    assert min(contrast(hue, colours.ground) for hue in (*colours.colours, *colours.shades, colours.muted)) >= 3
    for ground in (colours.ground, colours.region):
        assert contrast(colours.ink, ground) >= 7
    assert min(contrast(words, colours.ground) for words in (colours.soft, colours.warning)) >= 4.5
