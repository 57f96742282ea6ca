"""The parameter groups of an optimizer: which schedule each follows, and what its factors multiply."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch.optim import Optimizer

from stepwell.drive import entries
from stepwell.errors import OptimizerError, OptionError
from stepwell.schedule import Controller, Schedule
from stepwell.schedule import schedule as read_schedule
from stepwell.schedule.length import plain_number

Wanted: TypeAlias = "str | Schedule | Controller | Mapping[int | str, str | Schedule | Controller]"

WRITTEN = "scheduled_lr"  # the rate that a Scheduler wrote last, beside torch's `initial_lr`
REST = "*"
SAME = 1e-9  # of the rate: a torch scheduler that is back at its base rate has drifted from it by up to 1e-10


def choose(wanted: Wanted, groups: Sequence[Mapping[str, Any]]) -> tuple[Schedule, ...]:
    """The schedule of each group.

    Args:
        wanted: one schedule for all, or a mapping from a group's index or its `name` to its schedule, with `*` for the
            groups that are not named; without `*` these keep their base values.
        groups: the optimizer's.

    Raises:
        OptionError: a key that is no group.
        ScheduleError: a text that cannot be read.
    """
    if not isinstance(wanted, Mapping):
        return (read_schedule(wanted),) * len(groups)
    if not wanted:
        raise OptionError("a mapping gives at least one parameter group a schedule, by its index or name; got {}")
    read: dict[Any, Schedule] = {key: read_schedule(one) for key, one in wanted.items()}
    names = [group.get("name") for group in groups]
    for key in read:
        named = isinstance(key, str) and (key == REST or key in names)
        if not named and not (type(key) is int and 0 <= key < len(groups)):
            known = [str(index) if name is None else f"{index} ({name!r})" for index, name in enumerate(names)]
            raise OptionError(
                f"there is no parameter group {key!r}; there are {', '.join(known)}, and '*' for the rest"
            )
    rest = read.get(REST, read_schedule("constant"))
    return tuple(read.get(index, read.get(name, rest)) for index, name in enumerate(names))


def base_rates(optimizer: Optimizer, given: Any) -> list[float]:
    """The base rate of every group: what is given, else `initial_lr` where a scheduler left it, else `lr`.

    Raises:
        OptimizerError: `lr` was changed after an earlier scheduler wrote `initial_lr`; nobody knows which is
            meant.
        OptionError: a rate that is negative or not finite, all of them 0, or a wrong number of rates.
    """
    groups = optimizer.param_groups
    for index, group in enumerate(groups):
        _check_rate(index, group)
    _separate(optimizer)
    if given is None:
        rates = [_own_rate(index, group) for index, group in enumerate(groups)]
    elif _is_list(given):
        rates = [_number(rate) for rate in given]
        if len(rates) != len(groups):
            raise OptionError(f"base_lr has {len(rates)} rates for {len(groups)} parameter groups")
    else:
        rates = [_number(given)] * len(groups)
    for index, rate in enumerate(rates):
        _check_base(index, rate)
    if not any(rates):
        raise OptionError("the base rate must be above 0, got 0 for every parameter group")
    return rates


def late_rates(optimizer: Optimizer, known: int) -> tuple[float, ...]:
    """The base rates of the groups that were added after the first `known`: their own `lr`, left as `initial_lr`.

    Raises:
        OptimizerError, OptionError: no rate, or one that is negative or not finite.
    """
    _separate(optimizer)
    rates = []
    for index, group in enumerate(optimizer.param_groups[known:], start=known):
        _check_rate(index, group)
        _check_base(index, float(group.get("initial_lr", group["lr"])))
        rates.append(float(group.setdefault("initial_lr", float(group["lr"]))))
    return tuple(rates)


def other_bases(schedules: Sequence[Schedule], groups: Sequence[dict[str, Any]]) -> dict[str, tuple[float | None, ...]]:
    """The base value of every scheduled entry but the rate, kept beside it as torch keeps `initial_lr`.

    Raises:
        OptimizerError: an entry that the group lacks, or that two names stand for.
    """
    bases: dict[str, list[float | None]] = {}
    for index, (schedule, group) in enumerate(zip(schedules, groups, strict=True)):
        names = [entry.name for entry in schedule.entries if entry.name != "lr"]
        entries.check_different(group, names)
        for name in names:
            known = bases.setdefault(name, [None] * len(groups))
            known[index] = _own_value(group, name)
    return {name: tuple(values) for name, values in bases.items()}


def check_there(bases: Mapping[str, Sequence[float | None]], groups: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a plan of another optimizer before anything of it is written.

    Raises:
        OptimizerError: an entry that a group lacks, or that two names stand for.
    """
    for index, group in enumerate(groups):
        entries.check_different(group, [name for name, values in bases.items() if values[index] is not None])


def check_moved(bases: Mapping[str, Sequence[float | None]]) -> None:
    """Refuse an entry that a schedule would multiply in vain; groups that leave theirs at 0 beside others are right.

    Raises:
        OptimizerError: one that is 0 in every group.
    """
    for name, values in bases.items():
        if not any(values):
            raise OptimizerError(
                f"the schedule multiplies {name}, which is 0 in every parameter group; give the optimizer one above 0, "
                "or leave the entry out of the schedule"
            )


def check_range(name: str, index: int, lowest: float, highest: float) -> None:
    """Refuse what an optimizer cannot work with, before it does.

    Raises:
        OptionError: a momentum or beta that is not in [0, 1) throughout.
    """
    if name in ("momentum", *entries.BETAS) and not (lowest >= 0 and highest < 1):
        raise OptionError(
            f"the schedule takes {name} of parameter group {index} from {lowest:g} to {highest:g}; it must stay "
            "in [0, 1)"
        )


def _own_value(group: dict[str, Any], name: str) -> float:
    """The base of another entry: what it is now, or what it was before a Scheduler wrote what it is now."""
    value = entries.read(group, name)
    if not math.isclose(value, float(group.get(f"scheduled_{name}", math.nan)), rel_tol=1e-6):
        group[f"initial_{name}"] = value
    base: float = group[f"initial_{name}"]
    return base


def _check_rate(index: int, group: Mapping[str, Any]) -> None:
    """The group's `lr` is a number; a text from a configuration file would fail at the first update only."""
    rate = group.get("lr")
    if not entries.is_number(rate):
        found = "no lr" if rate is None else f"the lr {rate!r:.60}, a {type(rate).__name__}"
        raise OptimizerError(f"parameter group {index} has {found}; give it a number such as 0.1")


def _check_base(index: int, rate: float) -> None:
    if not (math.isfinite(rate) and rate >= 0):
        raise OptionError(f"the base rate of parameter group {index} must be a finite number of at least 0, got {rate}")


def _separate(optimizer: Optimizer) -> None:
    """Give each group a rate of its own where torch put one tensor into several, and into the next that is added."""
    seen: set[int] = set()
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            if id(group["lr"]) in seen:
                group["lr"] = group["lr"].clone()
            seen.add(id(group["lr"]))
    default = optimizer.defaults.get("lr")
    if id(default) in seen and isinstance(default, torch.Tensor):
        optimizer.defaults["lr"] = default.clone()


def _is_list(given: object) -> bool:
    return isinstance(given, list | tuple) or getattr(given, "ndim", 0) == 1


def _number(given: Any) -> float:
    """A rate as a float, whatever numeric type it came in."""
    number = plain_number(given)
    if number is None:
        raise OptionError(f"base_lr is a number such as 0.1, or one per parameter group, got {given!r:.60}")
    return number


def _own_rate(index: int, group: Mapping[str, Any]) -> float:
    rate = float(group["lr"])
    base = float(group.get("initial_lr", rate))
    same = math.isclose(rate, base, rel_tol=SAME)
    if same or math.isclose(rate, float(group.get(WRITTEN, math.nan)), rel_tol=1e-6):
        return base
    shown, left = (f"{number:g}" if f"{rate:g}" != f"{base:g}" else repr(number) for number in (rate, base))
    raise OptimizerError(
        f"parameter group {index} has lr {shown}, but an earlier scheduler left initial_lr {left}; "
        f"say which is the base rate: pass base_lr={shown} or base_lr={left}"
    )
