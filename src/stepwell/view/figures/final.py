"""The decision: every seed's score, and the difference to the leader with its simultaneous interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stepwell.record.comparison import Comparison
from stepwell.view.figure import Axis, Figure, Kind, Mark, Panel, Series, visible_range, within
from stepwell.view.figures.cast import Role, cast
from stepwell.view.numbers import decimals_for, difference, listing, metric
from stepwell.view.words import readable, verdict

FAR = 6.0  # differences beyond this many times the usual half-width become an arrow with a number


def final_intervals(comparison: Comparison) -> Figure:
    """Two panels over the ranked strategies, best first: the scores of the seeds, and the differences to the leader."""
    roles = tuple(role for role in cast(comparison) if role.result.ranked)
    rows = tuple(role.name for role in roles)
    what, side = readable(comparison.metric), "lower" if comparison.direction == "min" else "higher"
    extent = _extent(roles)
    scores = Panel(
        Axis(f"{what} ({side} is better)", range=(room := _room(roles))),
        Axis("strategy", rows=rows),
        tuple(series for row, role in enumerate(roles) for series in _scores(row, role, comparison, room)),
        title=f"{what.capitalize()} of each seed",
    )
    gaps = Panel(
        Axis(f"difference in {what} (right is worse)", range=extent),
        Axis("strategy", rows=rows),
        (*_margin(comparison), *(s for row, role in enumerate(roles) for s in _gap(row, role, comparison, extent))),
        title=f"Difference to {comparison.leader}",
    )
    caption = (
        f"Left: a dot per judging seed and the mean as a stroke. Right: the mean difference to {comparison.leader}, "
        f"paired by seed, with intervals that hold together at {1 - comparison.alpha:.0%}. Coloured: the strategies "
        f"that may be best. {_aside(comparison)}"
    )
    height = 0.9 + 0.3 * max(2, len(roles))
    return Figure("final", "Final result", (scores, gaps), caption.strip(), _alt(roles, comparison), 2, height)


def _scores(row: int, role: Role, comparison: Comparison, extent: tuple[float, float] | None) -> list[Series]:
    """A dot per seed and a stroke at the mean; an arrow with the number of seeds that lie outside the picture."""
    decimals, scores = decimals_for(comparison.resolution), role.result.scores
    seeds = comparison.seeds if len(comparison.seeds) == len(scores) else range(len(scores))
    notes = tuple(f"seed {seed}: {metric(score, decimals)}" for seed, score in zip(seeds, scores, strict=True))
    at = np.full(len(scores), float(row))
    dots = Series(role.name, Kind.POINTS, scores, at, group=role.name, colour=role.colour, notes=notes)
    mean = np.array([role.result.mean])
    note = f"mean {metric(role.result.mean, decimals)}"
    stroke = replace(dots, x=mean, y=at[:1], mark=Mark.TICK, notes=(note,))
    if extent is None:
        return [dots, stroke]
    found = [stroke] if extent[0] <= mean[0] <= extent[1] else []
    for mark, edge, outside in (
        (Mark.BEFORE, extent[0], scores < extent[0]),
        (Mark.BEYOND, extent[1], scores > extent[1]),
    ):
        if outside.any():
            many = f"{outside.sum()} seed{'s' if outside.sum() > 1 else ''}"
            worst = metric(float(scores[outside].max() if mark is Mark.BEYOND else scores[outside].min()), decimals)
            words = f"{many} at {worst}" if outside.sum() == 1 else f"{many}, as far as {worst}"
            found.append(
                replace(
                    dots,
                    x=np.clip([edge], *within(extent, "linear")),
                    y=at[:1],
                    mark=mark,
                    notes=(note,),
                    labels=(words,),
                )
            )
    return [dots, *found]


def _gap(row: int, role: Role, comparison: Comparison, extent: tuple[float, float] | None) -> list[Series]:
    """The interval of one strategy; an arrow with the number where it lies outside the picture."""
    gap, decimals = role.result.difference, decimals_for(comparison.resolution)
    if gap is None:
        return []
    words = difference(gap.estimate, decimals)
    note = f"{words} ({difference(gap.low, decimals)} to {difference(gap.high, decimals)})"
    interval = Series(
        role.name,
        Kind.INTERVALS,
        x=np.array([gap.estimate]),
        y=np.array([float(row)]),
        low=np.array([gap.low]),
        high=np.array([gap.high]),
        group=role.name,
        colour=role.colour,
        notes=(note,),
    )
    if extent is None or gap.estimate <= extent[1]:
        return [interval]
    edge = np.array([within(extent, "linear")[1]])
    return [replace(interval, kind=Kind.POINTS, x=edge, low=None, high=None, mark=Mark.BEYOND, labels=(words,))]


def _margin(comparison: Comparison) -> list[Series]:
    """Where the leader is, and which differences count as none."""
    zero = Series(f"the leader, {comparison.leader}", Kind.VLINE, np.array([0.0]))
    if not comparison.margin > 0:
        return [zero]
    ends = np.array([-comparison.margin, comparison.margin])
    return [Series("too small to count", Kind.REGION, ends, notes=(_margin_words(comparison),)), zero]


def _margin_words(comparison: Comparison) -> str:
    return f"differences up to {metric(comparison.margin, decimals_for(comparison.resolution))} do not count"


def _room(roles: tuple[Role, ...]) -> tuple[float, float] | None:
    """What is visible of the scores: all but those of runs that went quite another way, as diverged ones do."""
    scores = np.concatenate([role.result.scores for role in roles] or [np.empty(0)])
    scores = scores[np.isfinite(scores)]
    if not scores.size:
        return None
    low, high = np.quantile(scores, (0.25, 0.75))
    reach = FAR * (high - low) or np.inf
    return visible_range([scores[(scores >= low - reach) & (scores <= high + reach)]], "linear", pad=0.07)


def _extent(roles: tuple[Role, ...]) -> tuple[float, float] | None:
    """What is visible of the differences: a strategy that often diverged must not squeeze all others into a line."""
    gaps = [role.result.difference for role in roles if role.result.difference is not None]
    halves = np.array([(gap.high - gap.low) / 2 for gap in gaps if 0 < gap.high - gap.low < np.inf])
    reach = FAR * float(np.median(halves)) if halves.size else np.inf
    near = [np.clip([gap.low, gap.high], -reach, reach) for gap in gaps if gap.estimate <= reach]
    return visible_range(near, "linear", pad=0.06)


def _aside(comparison: Comparison) -> str:
    names = tuple(result.strategy.name for result in comparison.results if not result.ranked)
    margin = f"Shaded: {_margin_words(comparison)}. " if comparison.margin > 0 else ""
    return f"{margin}Not ranked and not shown: {listing(names)}." if names else margin


def _alt(roles: tuple[Role, ...], comparison: Comparison) -> str:
    decimals = decimals_for(comparison.resolution)
    words = "; ".join(
        f"{role.name} {metric(role.result.mean, decimals)}, {verdict(role.result, comparison)}" for role in roles
    )
    return f"{readable(comparison.metric).capitalize()} of every ranked strategy, mean over seeds, best first. {words}."
