"""The result against the base rate: how wide the good region of every strategy is, and what happens beyond it."""

from __future__ import annotations

import numpy as np

from stepwell.record.comparison import Comparison, RateResponse
from stepwell.record.run import Ending
from stepwell.view.figure import Array, Axis, Figure, Kind, Mark, Panel, Series, fitting_scale, visible_range
from stepwell.view.figures.cast import Role, cast
from stepwell.view.numbers import count, metric, rate, times
from stepwell.view.words import at_twice, goal_of, readable

_MARKS = {Ending.DIVERGED: Mark.CROSS, Ending.NOT_LEARNING: Mark.RING}


def rate_response(comparison: Comparison) -> Figure:
    """One panel per strategy: score against rate, its good region shaded, the other strategies as pale context."""
    found = [(role, role.result.response) for role in cast(comparison)]
    tuned = [(role, response) for role, response in found if response is not None and response.rates.size]
    means = {role.name: (response.rates, mean_scores(response)) for role, response in tuned}
    x, y = _axes(comparison, [response for _, response in tuned])
    panels = tuple(
        Panel(x, y, _series(role, response, means, comparison.leader), title=role.name, group=role.name)
        for role, response in tuned
    )
    steps = " and ".join(sorted({count(response.steps) for _, response in tuned}))
    caption = (
        f"{readable(goal_of(comparison)).capitalize()} after a complete schedule of {steps} steps, against its base "
        "rate. Every mark is one run: a dot learned, a ring did not learn, a cross diverged and is shown at the score "
        "of the untrained network or of the worst run that did not diverge, whichever is worse. The line is their "
        "mean, the shaded region holds the rates about as good as the best, the vertical line is the rate that the "
        f"strategy was judged at after runs at full length, the pale line is {comparison.leader}."
    )
    return Figure("response", "How much the rate matters", panels, caption, _alt(tuned), columns=4, height=2.5)


def mean_scores(response: RateResponse) -> Array:
    """The mean score at every rate over the runs that were made; `nan` where none was."""
    made = np.isfinite(response.scores)
    means = np.full(len(response.rates), np.nan)
    np.divide(np.where(made, response.scores, 0.0).sum(axis=1), made.sum(axis=1), out=means, where=made.any(axis=1))
    return means


def _axes(comparison: Comparison, responses: list[RateResponse]) -> tuple[Axis, Axis]:
    scores = [response.scores.ravel() for response in responses]
    flat = np.concatenate(scores) if scores else np.empty(0)
    scale = fitting_scale(flat, direction=comparison.direction)
    x = Axis("base rate", "log", visible_range([response.rates for response in responses], "log", pad=0.06))
    return x, Axis(readable(goal_of(comparison)), scale, visible_range(scores, scale, pad=0.08))


def _series(
    role: Role, response: RateResponse, means: dict[str, tuple[Array, Array]], leader: str
) -> tuple[Series, ...]:
    good = np.array([response.good_low, response.good_high])
    ghost = (
        [] if role.name == leader or leader not in means else [Series(leader, Kind.LINE, *means[leader], faint=True)]
    )
    series = [
        *ghost,
        Series("mean", Kind.LINE, *means[role.name], group=role.name, colour=role.colour),
        *_marks(role, response),
        Series("judged at", Kind.VLINE, np.array([role.result.base_lr]), group=role.name, colour=role.colour),
    ]
    if np.isfinite(good).all():
        note = f"good from {rate(good[0])} to {rate(good[1])} ({times(response.width)})"
        series.insert(0, Series("good rates", Kind.REGION, good, group=role.name, notes=(note,)))
    return tuple(series)


def _marks(role: Role, response: RateResponse) -> list[Series]:
    """The single runs, one series per kind of mark."""
    runs: dict[Mark, list[tuple[float, float, str]]] = {}
    for lr, row, ended in zip(response.rates, response.scores, response.endings, strict=True):
        for score, ending in zip(row, ended, strict=True):
            if np.isfinite(score):
                note = f"{ending.value} at {rate(lr)}: {metric(score, 3)}"
                runs.setdefault(_MARKS.get(ending, Mark.DOT), []).append((lr, score, note))
    return [
        Series(
            name=mark.value,
            kind=Kind.POINTS,
            x=np.array([lr for lr, _, _ in points]),
            y=np.array([score for _, score, _ in points]),
            group=role.name,
            colour=role.colour,
            mark=mark,
            notes=tuple(note for _, _, note in points),
        )
        for mark, points in runs.items()
    ]


def _alt(tuned: list[tuple[Role, RateResponse]]) -> str:
    words = "; ".join(
        f"{role.name}: good from {rate(response.good_low)} to {rate(response.good_high)}, "
        f"at twice its best rate {at_twice(role.result)}"
        if np.isfinite(response.good_low)
        else f"{role.name}: no good rate"
        for role, response in tuned
    )
    return f"Score against base rate for every strategy. {words}."
