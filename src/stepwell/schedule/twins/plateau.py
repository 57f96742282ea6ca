"""ReduceLROnPlateau."""

from __future__ import annotations

from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.control import Plateau
from stepwell.schedule.twins.arguments import PerGroup, number, one_for_all, ratio_of


def reduce_lr_on_plateau(  # noqa: PLR0913 - torch's own arguments
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: PerGroup = 0.0,
    eps: float = 1e-8,
    *,
    base_lr: PerGroup | None = None,
) -> Plateau:
    """The controller of torch's ReduceLROnPlateau; alone it holds, and it multiplies any: `schedule("cosine") * ...`.

    The same cuts for the same metrics, NaN among them, with one intended difference: with `threshold_mode="rel"` a
    metric below 0 counts as better when it is better by a share of its size; torch takes a worse one for better.
    `min_lr` and `eps` are measured against `base_lr`, the optimizer's rate or one per group (`eps` against the
    largest); without it `min_lr` is an error, and cuts smaller than `eps` are made.

    Raises:
        ScheduleError: a factor outside 0 to 1; `min_lr` without `base_lr`, or in another ratio to it in each group.

    Example:
        >>> print(reduce_lr_on_plateau(factor=0.5, patience=3, min_lr=1e-4, base_lr=0.1))
        plateau(x0.5, patience 3, floor 0.001, least 1e-7)
    """
    floor, least = one_for_all("min_lr", min_lr), number("eps", eps, least=0.0)
    base = None if base_lr is None else one_for_all("base_lr", base_lr)
    if base == 0 or (isinstance(base, list) and 0.0 in base):
        raise ScheduleError(f"base_lr is above 0, got {base_lr}")
    if base is None:
        if floor != 0:
            raise ScheduleError(
                f"min_lr={min_lr} is a rate, and a plateau a factor; pass base_lr=, the optimizer's rate"
            )
        least = 0.0
    return Plateau(
        cut=factor,
        patience=patience,
        threshold=threshold,
        threshold_mode=threshold_mode,
        cooldown=cooldown,
        floor=0.0 if floor == 0 or base is None else _share("min_lr and base_lr", floor, base),
        least=0.0 if base is None else least / max(base if isinstance(base, list) else [base]),
        mode=mode,
    )


def _share(names: str, part: float | list[float], base: float | list[float]) -> float:
    size = max(len(one) if isinstance(one, list) else 1 for one in (part, base))
    parts, bases = (one if isinstance(one, list) else [one] * size for one in (part, base))
    return ratio_of(names, parts, bases)
