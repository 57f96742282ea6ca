"""The rates that other finders read from a sweep of a rising rate: their rules by name, as the packages have them.

Each rule is given the raw losses of a sweep and does what its package does with them: smooth them, stop where it would
have stopped, leave out what it leaves out. They are here to be compared with.

The packages compute in single precision at least in part (all but torch-lr-finder), these in double. Where two slopes
agree in the first seven digits the answers may differ. A test holds them against the packages themselves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from stepwell.errors import OptionError
from stepwell.record.suggestion import Array

Rule = Callable[[Array, Array, int], float]
_NONE = float("nan")


def suggestions(rates: ArrayLike, losses: ArrayLike, planned: int | None = None) -> dict[str, float]:
    """The rate that every rule of `RULES` reads from a sweep, by its name; `nan` where a rule has none.

    A constant loss has no answer, though most packages give one: it is where rounding put their smallest slope.

    Args:
        rates: of every update made, ascending.
        losses: the raw training loss before each of these updates; may be `nan` or infinite.
        planned: updates that the sweep was to make, which fastai's trimming goes by; as many as there are if not given.

    Raises:
        OptionError: the rates are not positive and ascending, or not as many as the losses.

    Example:
        >>> rates = np.geomspace(1e-6, 1.0, 100)
        >>> found = suggestions(rates, 2.0 + np.log10(rates / 0.1) ** 2)
        >>> f"{found['fastai.minimum']:.3f}", f"{found['torch-lr-finder']:.1e}"
        ('0.050', '8.7e-05')
    """
    x, y = _checked(rates, losses)
    planned = len(x) if planned is None else planned
    if np.unique(y[np.isfinite(y)]).size < 2:
        return dict.fromkeys(RULES, _NONE)
    with np.errstate(all="ignore"):  # slopes between what is not finite
        return {name: float(rule(x, y, planned)) for name, rule in RULES.items()}


def _checked(rates: ArrayLike, losses: ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(rates, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise OptionError(f"a sweep has one loss for every rate, got rates of shape {x.shape}, losses of {y.shape}")
    if not np.isfinite(x).all() or (x <= 0).any():
        raise OptionError("the rates of a sweep must be positive numbers")
    falls = np.flatnonzero(np.diff(x) <= 0)
    if falls.size:
        before, after = x[falls[0]], x[falls[0] + 1]
        raise OptionError(
            f"the rates of a sweep must ascend; after {before:g} comes {after:g}, at update {falls[0] + 1}"
        )
    return x, y


# What the packages do to the losses first


@final
class SmoothLoss:
    """`AvgSmoothLoss` of fastai 2.8: an exponential mean of weight 0.98, corrected for its start from 0."""

    def __init__(self) -> None:
        self._mean, self._count = 0.0, 0

    def add(self, loss: float) -> float:
        """The mean with one more loss."""
        self._count += 1
        self._mean -= (self._mean - loss) * 0.02
        return self._mean / (1 - 0.98**self._count)


def fastai_smooth(losses: Array, stop: float = 4.0) -> Array:
    """`LRFinder` of fastai 2.8: the smooth losses up to the first above `stop` x the best; a `nan` does not stop it."""
    smooth, best, found = SmoothLoss(), np.inf, []
    for loss in losses:
        found.append(smooth.add(loss))
        best = min(found[-1], best)
        if found[-1] > stop * best:
            break
    return np.array(found)


def _fastai_part(rates: Array, losses: Array, planned: int) -> tuple[Array, Array]:
    """`Learner.lr_find` of fastai 2.8: without the first tenth of the plan, the last five, and what follows a `nan`."""
    smooth = fastai_smooth(losses)[planned // 10 : -5]
    missing = np.flatnonzero(np.isnan(smooth))
    smooth = smooth[: missing[0]] if missing.size else smooth
    return rates[planned // 10 :][: len(smooth)], smooth


def _lightning_smooth(losses: Array) -> Array:
    """`_LRCallback` of Lightning 2.6: as fastai, corrected for one update too many: the first is 0.505 x its loss."""
    mean, best, found = 0.0, np.inf, []
    for number, loss in enumerate(losses, start=1):
        mean = 0.98 * mean + 0.02 * loss
        found.append(mean / (1 - 0.98 ** (number + 1)))
        if number > 1 and found[-1] > 4 * best:
            break
        if number == 1 or found[-1] < best:
            best = found[-1]
    return np.array(found)


def _lightly_smooth(losses: Array) -> Array:
    """As in torch-lr-finder 0.2 and ignite 0.5: a new loss counts 0.05; up to the first above 5 x best."""
    found: list[float] = []
    best = np.inf
    for loss in losses:
        found.append(0.05 * loss + 0.95 * found[-1] if found else loss)
        best = min(found[-1], best)
        if found[-1] > 5 * best:
            break
    return np.array(found)


# The rules


def fastai_valley(rates: Array, losses: Array, planned: int) -> float:
    """`valley` of fastai 2.8, its default: half way into the longest run of ever smaller losses, gaps allowed."""
    x, y = _fastai_part(rates, losses, planned)
    tails: list[float] = []  # of the longest falling runs by length, negated; then each loss finds its place at once
    start = end = longest = 0
    for number, loss in enumerate(y):
        place = bisect_left(tails, -loss)
        tails[place : place + 1] = [-loss]
        if place + 1 > max(longest, 1):
            longest, end, start = place + 1, number, number - (place + 1)
    third = (end - start) / 3
    return _at(x, start + int(third) + int(third / 2))


def fastai_steep(rates: Array, losses: Array, planned: int) -> float:
    """`steep` of fastai 2.8: where the loss falls most to the next point, per logarithm of the rate."""
    x, y = _fastai_part(rates, losses, planned)
    return _at(x, int(np.argmin(np.diff(y) / np.diff(np.log(x))))) if len(x) > 1 else _NONE


def fastai_minimum(rates: Array, losses: Array, planned: int) -> float:
    """`minimum` of fastai 2.8: a tenth of the rate with the smallest loss."""
    x, y = _fastai_part(rates, losses, planned)
    return x[np.argmin(y)] / 10 if len(x) else _NONE


def fastai_slide(rates: Array, losses: Array, planned: int) -> float:
    """`slide` of fastai 2.8: 15 points wide, from the right, until the slopes at both ends agree within 0.005."""
    x, y = _fastai_part(rates, losses, planned)
    if len(x) < 16:
        return _NONE
    slopes = np.gradient(y)
    left, found = -16, x[-16]
    while left >= -len(x) and abs(slopes[left + 15] - slopes[left]) > 0.005:
        found = x[left]
        left -= 1
    return float(found)


def lightning(rates: Array, losses: Array, planned: int) -> float:
    """`_LRFinder.suggestion` of Lightning 2.6: the steepest point per rate (not its logarithm), 10 and 1 left out."""
    y = _lightning_smooth(losses)[10:-1]
    x, known = rates[10 : 10 + len(y)], np.isfinite(y)
    if known.sum() < 2:
        return _NONE
    return _at(x[known], int(np.argmin(np.gradient(y[known], x[known]))))


def torch_lr_finder(rates: Array, losses: Array, planned: int) -> float:
    """`LRFinder.plot` of torch-lr-finder 0.2: the steepest point per update, 10 at the start and 5 at the end left out.

    Of a sweep with a `nan` it is the rate before the first one.
    """
    smooth = _lightly_smooth(losses)
    return _at(rates[10:], int(np.argmin(np.gradient(smooth[10:-5])))) if len(smooth) >= 17 else _NONE


def ignite(rates: Array, losses: Array, planned: int) -> float:
    """`FastaiLRFinder.lr_suggestion` of ignite 0.5: the steepest point per update that lies before the smallest loss.

    Of a sweep with a `nan` it is the rate before the first one.
    """
    smooth = _lightly_smooth(losses)
    falling = smooth[: int(np.argmin(smooth)) + 1]
    return _at(rates, int(np.argmin(falling[2:] - falling[:-2])) + 1) if len(falling) > 2 else _NONE


RULES: Mapping[str, Rule] = {
    "fastai.valley": fastai_valley,
    "fastai.steep": fastai_steep,
    "fastai.minimum": fastai_minimum,
    "fastai.slide": fastai_slide,
    "lightning": lightning,
    "torch-lr-finder": torch_lr_finder,
    "ignite": ignite,
}


def _at(rates: Array, place: int) -> float:
    """The rate at a place, counted from the end if it is negative, as the packages do; `nan` where there is none."""
    return float(rates[place]) if -len(rates) <= place < len(rates) else _NONE
