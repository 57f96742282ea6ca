"""A small picture of a curve for notebooks: SVG by hand, in the colour of the text around it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Horizon

if TYPE_CHECKING:
    from stepwell.schedule.curve import Curve
    from stepwell.schedule.schedule import Schedule

WIDTH, HEIGHT, MARGIN = 420, 150, 24
POINTS = 400
UNENDING = 10_000  # updates shown of a run without end
DASHES = ("", "6 4", "2 3", "9 3 2 3")  # one per entry, so that no colour is needed
# A schedule alone has no run; it is sketched in the first of these that it fits.
SKETCHES = tuple(Horizon(total, 10, 1000.0) for total in (100, 1000, 10_000, 100_000, 1_000_000))


def curve_svg(curve: Curve) -> str:
    """The curve over its run; of a run without end, over its first updates."""
    if curve.total_steps is None:
        return _svg(curve, UNENDING, f"the first {UNENDING:,} updates")
    return _svg(curve, curve.total_steps, f"{curve.total_steps:,} updates")


def schedule_svg(schedule: Schedule) -> str | None:
    """The schedule over a run that it fits; None where it needs base rates, or fits none of those that are tried."""
    bases = {entry.name: 1.0 for entry in schedule.entries if entry.name != "lr"}
    for horizon in SKETCHES:
        try:
            curve = schedule.resolve(horizon, **bases)
        except ScheduleError:
            continue
        return _svg(curve, horizon.total_steps or 1, f"sketched over {horizon.total_steps:,} updates, 10 per epoch")
    return None


def _svg(curve: Curve, total: int, caption: str) -> str:
    steps = np.unique(np.linspace(0, total - 1, min(total, POINTS)).astype(np.int64))
    rows = {entry: curve(steps, entry) for entry in curve.entries}
    top = max(float(values.max()) for values in rows.values()) or 1.0
    across = MARGIN + steps / max(total - 1, 1) * (WIDTH - 2 * MARGIN)
    lines, names = [], []
    for index, (entry, values) in enumerate(rows.items()):
        down = HEIGHT - MARGIN - values / top * (HEIGHT - 2 * MARGIN)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
        dash = DASHES[index % len(DASHES)]
        drawn = f' stroke-dasharray="{dash}"' if dash else ""
        lines.append(f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"{drawn}/>')
        names.append(entry if not dash else f"{entry} (dashed)")
    text = escape(str(curve.schedule))
    label = escape(f"{', '.join(names)}: factors up to {top:.3g}, {caption}")
    base = HEIGHT - MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="10" fill="currentColor"><title>{text}</title>'
        f'<line x1="{MARGIN}" y1="{base}" x2="{WIDTH - MARGIN}" y2="{base}" stroke="currentColor" opacity="0.4"/>'
        f'{"".join(lines)}<text x="{MARGIN}" y="{HEIGHT - 8}">{label}</text></svg>'
    )
