"""Schedules that have a name, each one line of text with its source."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from stepwell.errors import ScheduleError
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named schedule: its text, what it does in a few words, and where it comes from."""

    text: str
    summary: str
    source: str


RECIPES: dict[str, Recipe] = {
    "constant": Recipe("hold", "the same rate throughout", "the baseline of every comparison"),
    "step": Recipe(
        "steps x0.1 at 50% 75%",
        "a tenth at half and at three quarters of the run",
        "He et al. 2016, arXiv:1512.03385, section 4.2 (CIFAR-10)",
    ),
    "exponential": Recipe(
        "exponential 1..0.01", "the same ratio at every step, down to a hundredth", "Bottou 2012, section 5.3"
    ),
    "step-then-exponential": Recipe(
        "steps x0.5 every 12.5% for 50% | exponential to 0.01",
        "halve four times, then fall smoothly from where the stairs ended",
        "StepLR followed by ExponentialLR, without the jump of SequentialLR",
    ),
    "cosine": Recipe("cosine 1..0", "half a cosine from the peak to 0", "Loshchilov and Hutter 2017, arXiv:1608.03983"),
    "linear-to-zero": Recipe("linear 1..0", "a straight line to 0", "Defazio et al. 2023, arXiv:2310.07831"),
    "warm-restarts": Recipe(
        "repeat 3 (cosine 1..0) longer x2",
        "three cosines, each twice as long as the one before",
        "SGDR, Loshchilov and Hutter 2017, arXiv:1608.03983",
    ),
    "triangular": Recipe(
        "repeat 2 (linear 0.1..1 for 25% | linear to 0.1)",
        "two triangles between a tenth and the peak",
        "cyclical learning rates, Smith 2017, arXiv:1506.01186",
    ),
    "one-cycle": Recipe(
        "lr: cosine 0.04..1 for 30% | cosine to 4e-6; momentum: cosine =0.95..=0.85 for 30% | cosine to =0.95",
        "up to the peak and far below the start; momentum the other way",
        "Smith and Topin 2018, arXiv:1708.07120, in the form of fastai and torch's OneCycleLR",
    ),
    "warmup-stable-decay": Recipe(
        "linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%",
        "warm up, stay, cool down at the end",
        "WSD: Hu et al. 2024, arXiv:2404.06395; cooldown of Hagele et al. 2024, arXiv:2405.18392",
    ),
    "plateau": Recipe(
        "(hold) * plateau(x0.5, patience 2)",
        "halve when the metric has not improved for three checks",
        "torch's ReduceLROnPlateau",
    ),
}


def schedule(text: str | Schedule) -> Schedule:
    """The schedule that a text, or the name of a recipe, stands for. A `Schedule` is returned as it is.

    Raises:
        ScheduleError: the text cannot be read; the message points at the place.

    Example:
        >>> schedule("cosine")
        schedule('cosine 1..0')
        >>> schedule("linear 0..1 for 500 | cosine to 0.1")
        schedule('linear 0..1 for 500 | cosine to 0.1')
    """
    if isinstance(text, Schedule):
        return text
    if not isinstance(text, str):
        raise ScheduleError(f"a schedule is a text such as 'cosine 1..0', got {type(text).__name__} {text!r:.60}")
    recipe = RECIPES.get(text.strip())
    if recipe is not None:
        return parse(recipe.text)
    try:
        return parse(text)
    except ScheduleError as error:
        close = get_close_matches(text.strip(), RECIPES, n=1)
        if not close:
            raise
        raise ScheduleError(f"{error}\nor did you mean the recipe {close[0]!r}?") from None
