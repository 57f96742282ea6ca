"""The curves of an item as one chart in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

Lines: TypeAlias = Sequence[tuple[str, Sequence[float | None]]]

MOST = 2_000
"""Points of a line that are drawn."""
DECADES = 1e3
"""Positive values that spread over more than this stand on a log axis."""


def draw_lines(
    console: Console,
    lines: Lines,
    *,
    what: str = "",
    over: tuple[str, Sequence[float]] | None = None,
    wide: bool = False,
    height: int = 12,
) -> None:
    """Print lines with a legend. A value that is None is a gap.

    Args:
        console: where.
        lines: each with its name.
        what: they show.
        over: what they are drawn over, and the place of every value on that axis; by default the steps from 0. Rates
            that spread far get a log axis.
        wide: whether values that spread over decades get a log axis: for losses, not for rates, whose zeros matter.
        height: rows.
    """
    import numpy as np
    from rich.text import Text

    from stepwell.view.figure import Axis, Kind, Panel, Series, fitting_scale
    from stepwell.view.terminal import chart, ink_for, legend

    across, places = over or ("step", range(max((len(values) for _, values in lines), default=0)))
    x = np.array(places, dtype=np.float64)
    series = []
    for number, (name, values) in enumerate(lines):
        y = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        y[~np.isfinite(y)] = np.nan
        keep = np.arange(len(y)) if len(y) <= MOST else np.linspace(0, len(y) - 1, MOST).astype(np.int64)
        series.append(Series(name, Kind.LINE, x[keep], y[keep], group=name, colour=number))
    if not any(np.isfinite(one.y).any() for one in series):
        console.print(Text(f"{what or 'the curve'}: no finite number to draw", style="dim"))
        return
    scale = fitting_scale(np.concatenate([one.y for one in series]), factor=DECADES) if wide else "linear"
    panel = Panel(Axis(across, scale=fitting_scale(x)), Axis("", scale=scale), tuple(series))
    ink = ink_for(console, num_series=len(series))
    heading = f"{what} (log scale)" if scale == "log" else what
    if heading.strip():
        console.print(Text(heading.strip(), style="bold"))
    console.print(chart(panel, width=console.width, height=height, ink=ink), soft_wrap=True)
    for line in legend(panel, width=console.width, ink=ink):
        console.print(line, soft_wrap=True)


def tells_apart(console: Console) -> bool:
    """Whether lines that cross can be followed by their colours."""
    from stepwell.view.terminal import ink_for

    return ink_for(console, num_series=2).braille


def between(points: Sequence[Sequence[float]], total_steps: int) -> list[float | None]:
    """The line through drawn points at every step of the run, flat before the first and after the last one.

    Example:
        >>> between([[0, 0.0], [2, 1.0]], 4)
        [0.0, 0.5, 1.0, 1.0]
    """
    import numpy as np

    ordered = sorted((float(step), float(value)) for step, value in points)
    found = np.interp(np.arange(total_steps), [step for step, _ in ordered], [value for _, value in ordered])
    return [float(value) for value in found]


def laid(text: str, total_steps: int, steps_per_epoch: int | None, base_lr: float) -> list[float | None]:
    """The rates of a schedule's text over a run.

    Raises:
        ScheduleError: it cannot be read, or laid over this run.
    """
    import numpy as np

    from stepwell.learn.laying import lay
    from stepwell.schedule import Horizon

    curve = lay(text, Horizon(total_steps, steps_per_epoch), base_lr)
    return [float(value) for value in base_lr * curve(np.arange(total_steps))]
