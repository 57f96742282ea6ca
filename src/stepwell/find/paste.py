"""The Python that a user pastes to train at the rate that was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stepwell.tasks.optimizers import source

Paste = Callable[[float, str, int | None], str]


def for_family(name: str, options: Mapping[str, float] | None) -> Paste:
    """For an optimizer that is made anew."""

    def paste(lr: float, schedule: str, total_steps: int | None) -> str:
        return "\n".join((f"optimizer = {source(name, lr, options)}", *_scheduled(schedule, total_steps, "")))

    return paste


def for_live(ratios: Sequence[float]) -> Paste:
    """For an optimizer that there is: its groups get their rates."""

    def paste(lr: float, schedule: str, total_steps: int | None) -> str:
        rates = [float(f"{lr * ratio:.4g}") for ratio in ratios]
        base = f"{rates[0]:g}" if len(set(rates)) == 1 else f"[{', '.join(f'{rate:g}' for rate in rates)}]"
        return "\n".join(_scheduled(schedule, total_steps, f", base_lr={base}"))

    return paste


def _scheduled(schedule: str, total_steps: int | None, more: str) -> tuple[str, ...]:
    """The lines that follow a schedule; none for a constant rate that the optimizer has already."""
    if schedule in ("hold", "hold 1") and not more:
        return ()
    constant = schedule.startswith("hold") and len(schedule.split()) <= 2  # `hold` or `hold 0.5`, and nothing more
    total = "" if constant else f", total_steps={total_steps or 'TOTAL_STEPS'}"
    return (
        "from stepwell import Scheduler",
        f'scheduler = Scheduler(optimizer, "{schedule}"{total}{more})  # scheduler.step() after optimizer.step()',
    )
