"""Schedules that have a name: the house's own, and every shape of other libraries with their parameters.

    schedule("transformers.cosine_with_min_lr(num_warmup_steps=500, min_lr_rate=0.1)")

A recipe is a function from keyword parameters to a text. The parameters are the library's own, with three rules that
hold everywhere. *Lengths* are updates (`500`), `5ep`, `20%` or `1e9tok`, whatever the library counts, and one that is
left out takes the rest of the run. *Rates* are absolute as in the library, `min_lr=1e-5` gives `=1e-5`; left out, they
are shares of the base rate. `warmup` is understood for whatever the library calls the length of its warm-up.
"""

from __future__ import annotations

from stepwell.schedule.control import Controller
from stepwell.schedule.recipes import (
    composer,
    deepspeed,
    house,
    keras,
    megatron,
    nanochat,
    optax,
    timm,
    torch,
    torchtitan,
    transformers,
)
from stepwell.schedule.recipes.read import read
from stepwell.schedule.recipes.recipe import Recipe, shown
from stepwell.schedule.schedule import Schedule

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for library in (house, torch, timm, transformers, optax, torchtitan, megatron, deepspeed, composer, keras, nanochat)
    for recipe in library.RECIPES
}


def schedule(text: str | Schedule | Controller) -> Schedule:
    """The schedule that a text, the name of a recipe or a call of one stands for. A `Schedule` is returned as it is.

    A controller alone, such as `twins.reduce_lr_on_plateau()`, is `hold` with its feedback.

    Raises:
        ScheduleError: the text cannot be read; the message points at the place.

    Example:
        >>> schedule("cosine")
        schedule('cosine 1..0')
        >>> schedule("linear 0..1 for 500 | cosine to 0.1")
        schedule('linear 0..1 for 500 | cosine to 0.1')
        >>> schedule("warmup-stable-decay(warmup=500, end=0.1)")
        schedule('linear 0..1 for 500 | hold | 1-sqrt to 0.1 for 20%')
    """
    return read(text, RECIPES)


__all__ = ["RECIPES", "Recipe", "schedule", "shown"]
