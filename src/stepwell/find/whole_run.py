"""The user's schedule over the user's own run: what is wrong there is said before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from stepwell.errors import HorizonError
from stepwell.schedule import Horizon, Schedule
from stepwell.schedule.length import Length, Unit


def check_whole(schedule: Schedule, total_steps: int | None, steps_per_epoch: int | None = None) -> None:
    """Refuse a schedule that does not fit the run it is for.

    Lengths in epochs are left for later where it is not known how many updates an epoch has.

    Args:
        schedule: of the whole run.
        total_steps: its updates; None where nobody told.
        steps_per_epoch: None where the data was not looked at, or does not tell.

    Raises:
        HorizonError: the phases do not fit, or a length is in tokens.
    """
    units = {length.unit for length in _lengths(schedule)}
    if Unit.TOKENS in units:
        raise HorizonError(
            f"'{schedule}' has a length in tokens, and a search knows updates and epochs alone; write that length in "
            "updates (500) or as a share of the run (10%)"
        )
    if total_steps is None or (steps_per_epoch is None and Unit.EPOCHS in units):
        return
    bases = {"base_lr" if entry.name == "lr" else entry.name: 1.0 for entry in schedule.entries}
    try:
        schedule.resolve(Horizon(total_steps, steps_per_epoch), **bases)
    except HorizonError as error:
        raise HorizonError(f"in your run of {total_steps} updates (total_steps=, or --length), {error}") from error


def misfit(schedule: Schedule, steps: int, total_steps: int | None, why: HorizonError) -> HorizonError:
    """What to say of a schedule of which no short run of `steps` updates can be made."""
    counted = any(length.unit is not Unit.RUN for length in _lengths(schedule))
    if total_steps is not None or not counted:
        yours = f"your run of {total_steps} updates" if total_steps is not None else "a long run"
        return HorizonError(
            f"'{schedule}' fits {yours}, but has too many phases for a short run of {steps}: give a larger budget, or "
            f"search with fewer phases ({why})"
        )
    own = _own_length(schedule)
    example = f"such as total_steps={own or '10_000'}"
    return HorizonError(
        f"'{schedule}' has lengths in updates or epochs, so the updates of your whole run must be known: pass "
        f"total_steps=..., {example} (at the command line --length 20ep, or --length {own or '10000'})"
    )


def _own_length(schedule: Schedule) -> int | None:
    """How many updates all phases together have, where every one says so."""
    try:
        return schedule.resolve(Horizon(), base_lr=1.0, momentum=1.0).horizon.total_steps
    except HorizonError:  # a phase takes the rest, or a length is in epochs
        return None


def _lengths(node: Any) -> Iterator[Length]:
    """Every length in a schedule."""
    if isinstance(node, Length):
        yield node
    elif isinstance(node, tuple):
        for member in node:
            yield from _lengths(member)
    elif is_dataclass(node) and not isinstance(node, type):
        for part in fields(node):
            yield from _lengths(getattr(node, part.name))
