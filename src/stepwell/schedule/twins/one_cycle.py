"""OneCycleLR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.length import written
from stepwell.schedule.schedule import Schedule, Value
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import PerGroup, absolute, count, exact, number, one_for_all


def one_cycle_lr(  # noqa: PLR0913 - torch's own arguments
    max_lr: PerGroup,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    cycle_momentum: bool = True,
    base_momentum: PerGroup = 0.85,
    max_momentum: PerGroup = 0.95,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """The schedule of torch's OneCycleLR: up to `max_lr`, down to a fraction of where it began; momentum the other way.

    One `max_lr` is absolute, whatever the optimizer's rates. A list is the base of the groups: pass the same list to
    the Scheduler, `base_lr=max_lr`. Phases that torch makes odd are the same here: the first rate of `pct_start=0` is
    one step below the peak, and with `three_phase` the third phase is one step long for `pct_start=0.5` and missing
    above. After its last step the schedule is over and holds; torch goes one step further, up again or below 0.

    Raises:
        ScheduleError: what torch refuses; a first phase of one step (`pct_start` x `total_steps` = 1), for which torch
            divides by 0; momenta that differ between groups.

    torch turns momentum on in an optimizer that has none. The Scheduler refuses a momentum of 0 instead: give the
    optimizer a momentum, or pass `cycle_momentum=False`.

    Example:
        >>> one_cycle_lr(0.1, total_steps=100, pct_start=0.25, cycle_momentum=False)
        schedule('cosine =0.004..=0.1 over 24 for 25 | cosine to =4e-7 over 75 from 1 for 75')
    """
    total = _total(total_steps, epochs, steps_per_epoch)
    if anneal_strategy not in ("cos", "linear"):
        raise ScheduleError(f"anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r}")
    shape = "cosine" if anneal_strategy == "cos" else "linear"
    div = number("div_factor", div_factor, least=0.0)
    final_div = number("final_div_factor", final_div_factor, least=0.0)
    if div == 0 or final_div == 0:
        raise ScheduleError("div_factor and final_div_factor divide the rate, so they are above 0")
    peak = one_for_all("max_lr", max_lr)
    top = 1.0 if isinstance(peak, list) else peak
    rates = [Value(rate, absolute=peak is top and rate != 0) for rate in (top / div, top, top / div / final_div)]
    phases = _phases(total, number("pct_start", pct_start, least=0.0, most=1.0), three_phase)
    text = _text(phases, shape, [rates[0], rates[1], *([rates[0]] if three_phase else []), rates[2]])
    if not cycle_momentum:
        return parse(text)
    low, high = one_for_all("base_momentum", base_momentum), one_for_all("max_momentum", max_momentum)
    if isinstance(low, list) or isinstance(high, list):
        raise ScheduleError(
            "one text gives all parameter groups the same momentum, and here they differ; make one Scheduler per "
            "group, or pass cycle_momentum=False"
        )
    bottom, ceiling = absolute(low), absolute(high)
    momenta = [ceiling, bottom, ceiling, *([ceiling] if three_phase else [])]
    return parse(f"lr: {text}; momentum: {_text(phases, shape, momenta)}")


@dataclass(frozen=True, slots=True)
class _Phase:
    """Between which levels it goes, its clock, where on it it begins, and its length; torch's ends are not whole."""

    index: int
    clock: Fraction
    offset: Fraction
    length: int


def _phases(total: int, pct_start: float, three_phase: bool) -> list[_Phase]:
    """The phases that get a step: each ends at a fraction of a step, and the next clock begins there."""
    share = exact(pct_start) * total
    ends = [share - 1, *([2 * share - 2] if three_phase else []), Fraction(total - 1)]
    if ends[0] == 0:
        raise ScheduleError(
            f"pct_start {pct_start} of {total} steps makes a first phase of one step, for which torch divides by 0; "
            f"pass pct_start=0.0 for none, or {written(2 / total)} for two steps"
            if total > 1
            else "one step has no room for a phase that rises; pass pct_start=0.0"
        )
    phases = []
    step, start = 0, Fraction(0)
    for index, end in enumerate(ends):
        last = index == len(ends) - 1
        stop = total if last else min(max(int(end // 1) + 1, step), total)
        if stop > step:
            phases.append(_Phase(index, end - start, step - start, stop - step))
        step, start = stop, end
    return phases


def _text(phases: Sequence[_Phase], shape: str, levels: Sequence[Value]) -> str:
    """The phases between the levels, each going on from the one before where none was left out between them."""
    texts = []
    for position, phase in enumerate(phases):
        start, end = levels[phase.index], levels[phase.index + 1]
        goes_on = position > 0 and phases[position - 1].index == phase.index - 1
        if start == end:
            text = "hold" if goes_on else f"hold {start}"
        else:
            text = f"{shape} to {end}" if goes_on else f"{shape} {start}..{end}"
            text += f" over {written(float(phase.clock))}"
            text += f" from {written(float(phase.offset))}" if phase.offset else ""
        left = " @left" if start.number == 0 and not goes_on and start != end else ""
        texts.append(f"{text} for {phase.length}{left}")
    return " | ".join(texts)


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    instead = "torch refuses it as well"
    if total_steps is not None:
        return count("total_steps", total_steps, instead=instead)
    if epochs is None or steps_per_epoch is None:
        raise ScheduleError("one_cycle_lr needs total_steps, or epochs and steps_per_epoch")
    return count("epochs", epochs, instead=instead) * count("steps_per_epoch", steps_per_epoch, instead=instead)
