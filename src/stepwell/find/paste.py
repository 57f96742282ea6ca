"""The Python that a user pastes to train at the rate that was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from stepwell.schedule import schedule as read
from stepwell.tasks.optimizers import source

Paste = Callable[[float, str, int | None], str]

WIDTH = 80  # a longer call is broken after its bracket


def for_family(name: str, options: Mapping[str, float] | None) -> Paste:
    """For an optimizer that is made anew."""

    def paste(lr: float, schedule: str, total_steps: int | None) -> str:
        made = _short(f"optimizer = {source(name, lr, options)}")
        if schedule in ("hold", "hold 1"):  # the optimizer has that rate already
            return "\n".join(("import torch", "", *made))
        imports = ("import torch", "from stepwell import Scheduler", "")
        return "\n".join((*imports, *made, *_scheduled(schedule, total_steps)))

    return paste


def for_live(ratios: Sequence[float], *, driven: bool = False) -> Paste:
    """For an optimizer that there is: its groups stay, and get their rates from the scheduler.

    Args:
        ratios: of the groups' rates to the first's.
        driven: a Scheduler is on it, which has to go first.
    """
    before = ("scheduler.detach()  # the one on the optimizer now",) if driven else ()

    def paste(lr: float, schedule: str, total_steps: int | None) -> str:
        rates = [float(f"{lr * ratio:.4g}") for ratio in ratios]
        base = f"{rates[0]:g}" if len(set(rates)) == 1 else f"[{', '.join(f'{rate:g}' for rate in rates)}]"
        scheduled = _scheduled(schedule, total_steps, f"base_lr={base}")
        return "\n".join(("from stepwell import Scheduler", "", *before, *scheduled))

    return paste


def _scheduled(schedule: str, total_steps: int | None, *more: str) -> tuple[str, ...]:
    """The lines that make the scheduler and say where its calls go."""
    constant = schedule.startswith("hold") and len(schedule.split()) <= 2  # `hold` or `hold 0.5`, and nothing more
    lengths = [] if constant else [f"total_steps={total_steps or 'TOTAL_STEPS'}"]
    if re.search(r"\dep\b", schedule):
        lengths.append("steps_per_epoch=STEPS_PER_EPOCH")
    arguments = ("optimizer", f'"{schedule}"', *lengths, *more)
    return (
        "scheduler = Scheduler(",
        *(f"    {argument}," for argument in arguments),
        ")",
        "# after each optimizer.step():",
        "scheduler.step()",
        *_observed(schedule),
    )


def _observed(schedule: str) -> tuple[str, ...]:
    """Where a schedule's feedback gets what it looks at; nothing where it has none."""
    controllers = (entry.controller for entry in read(schedule).entries)
    controller = next((controller for controller in controllers if controller is not None), None)
    if controller is None:
        return ()
    seen = "val_loss" if controller.mode == "min" else "val_score"
    return "# after each validation:", f"scheduler.observe({seen})"


def _short(line: str) -> tuple[str, ...]:
    """A call in one line, or in three where it is long."""
    if len(line) <= WIDTH:
        return (line,)
    head, arguments = line.split("(", 1)
    return f"{head}(", f"    {arguments[:-1]},", ")"
