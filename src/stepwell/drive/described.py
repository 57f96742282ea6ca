"""What a recorder was told about its run, looked at before the first update."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.optim import Optimizer

from stepwell.errors import OptimizerError, OptionError
from stepwell.record.store import Store
from stepwell.schedule import Horizon
from stepwell.schedule import schedule as read_schedule
from stepwell.schedule.length import plain_number, whole_number

TEXTS = {"id": "run_id", "name": "name", "optimizer": "optimizer_name", "task": "task"}
"""The facts that are texts, and the argument that gives each."""


def checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a run as a store keeps them: numbers are plain, the schedule is its text.

    Args:
        facts: a value for each of `Run`'s fields from `schedule` on, `id` and `name`.

    Raises:
        OptionError: one that is not of its kind.
        ScheduleError: a schedule that cannot be read.
    """
    for fact, argument in TEXTS.items():
        given = facts[fact]
        if not isinstance(given, str) and not (given is None and fact == "task"):
            wanted = {"name": "run", "optimizer": "sgd"}.get(fact, str(given))
            raise OptionError(f"{argument} is a text, got {given!r:.60}; type: {argument}={wanted!r:.60}")
    schedule, horizon, settings = facts["schedule"], facts["horizon"], facts["settings"]
    if schedule is not None:
        read = read_schedule(schedule)  # a controller alone is a schedule too, and its text alone is none
        schedule = schedule if isinstance(schedule, str) else str(read)
    if not isinstance(horizon, Horizon | None):
        raise OptionError(
            f"horizon is a Horizon, got {horizon!r:.60}; type: horizon=Horizon({whole_number(horizon) or 1000})"
        )
    if not isinstance(settings, Mapping | None):
        raise OptionError(f"settings are values by name, as in settings={{'threads': 1}}, got {settings!r:.60}")
    return {
        **facts,
        "schedule": schedule,
        "base_lr": _base(facts["base_lr"]),
        "seed": _seed(facts["seed"]),
        "settings": dict(settings or {}),
    }


def own_rate(optimizer: Optimizer) -> float:
    """The base rate of the first parameter group, where a scheduler left it or as it is.

    Raises:
        OptimizerError: it is not a number.
    """
    group = optimizer.param_groups[0]
    given = group.get("initial_lr", group.get("lr"))
    rate = plain_number(given)
    if rate is None:
        raise OptimizerError(f"parameter group 0 has the lr {given!r:.60}; give it a number such as 0.1")
    return rate


def check_store(store: object) -> None:
    """A store that is open, or none.

    Raises:
        OptionError: anything else, as the path of one.
    """
    if isinstance(store, str | Path):
        raise OptionError(f"store is an open Store, got {str(store)!r}; type: store=Store.open({str(store)!r})")
    if not isinstance(store, Store | None):
        raise OptionError(f"store is an open Store, got {store!r:.60}; type: store=Store.open('runs.sqlite')")


def _base(given: object) -> float | None:
    if given is None:
        return None
    rate = plain_number(given)
    if rate is None or not (math.isfinite(rate) and rate >= 0):
        raise OptionError(f"base_lr is a finite number of at least 0 such as 0.1, got {given!r:.60}")
    return rate


def _seed(given: object) -> int | None:
    seed = whole_number(given)
    if seed is None and given is not None:
        raise OptionError(f"seed is a whole number such as 0, got {given!r:.60}")
    return seed
