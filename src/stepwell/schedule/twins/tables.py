"""LambdaLR and MultiplicativeLR: a function of the step, asked at every step and written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, chain
from operator import mul
from typing import Any, TypeAlias

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length
from stepwell.schedule.schedule import Entry, Schedule, Suffix, Table
from stepwell.schedule.table import Values
from stepwell.schedule.twins.arguments import count, number

Function: TypeAlias = Callable[[int], float]


def lambda_lr(lr_lambda: Function | Sequence[Function], total_steps: int) -> Schedule:
    """The schedule of torch's LambdaLR over `total_steps` steps: a table of the function's values.

    Several functions, one per parameter group, are taken if they agree.

    Raises:
        ScheduleError: a function whose value is negative or not finite; functions that differ.

    Example:
        >>> lambda_lr(lambda step: 1 / (1 + step), total_steps=3)
        schedule('table(1 0.5 0.3333333333333333 0.25) for 3')
    """
    return _scheduled(lr_lambda, total_steps, lambda function, steps: map(function, steps))


def multiplicative_lr(lr_lambda: Function | Sequence[Function], total_steps: int) -> Schedule:
    """The schedule of torch's MultiplicativeLR over `total_steps` steps: a table of the products of its values.

    The function is first asked at step 1, as in torch. As a later member of SequentialLR torch's goes on from the rate
    before it; this one begins at the base rate, as every other does.

    Raises:
        ScheduleError: a product that is negative or not finite; functions that differ.

    Example:
        >>> multiplicative_lr(lambda step: 0.5, total_steps=3)
        schedule('table(1 0.5 0.25 0.125) for 3')
    """
    return _scheduled(
        lr_lambda, total_steps, lambda function, steps: accumulate(chain([1.0], map(function, steps[1:])), mul)
    )


def table_of(name: str, function: Function, total_steps: object) -> Table:
    """The values of a function at every step of the run and after its last, as a table that lasts as long."""
    total = count("total_steps", total_steps, instead=f"{name} becomes a table with one value per step")
    return _table(map(function, range(total + 1)), total)


def _scheduled(
    lr_lambda: Function | Sequence[Function],
    total_steps: int,
    values: Callable[[Function, range], Any],
) -> Schedule:
    total = count("total_steps", total_steps, instead="the function becomes a table with one value per step")
    functions = lr_lambda if isinstance(lr_lambda, Sequence) else [lr_lambda]
    if not functions or not all(map(callable, functions)):
        raise ScheduleError(f"lr_lambda is a function of the step, or one per parameter group; got {lr_lambda!r:.60}")
    tables = [_table(values(function, range(total + 1)), total) for function in functions]
    for index, one in enumerate(tables):
        if one != tables[0]:
            raise ScheduleError(
                f"the functions of parameter groups 0 and {index} differ, and one schedule multiplies all groups "
                "alike; make one Scheduler per group"
            )
    return Schedule((Entry("lr", tables[0]),))


def _table(values: Any, total: int) -> Table:
    numbers = [number(f"a function's value at step {step}", value, least=0.0) for step, value in enumerate(values)]
    return Table(Values.of(numbers), suffix=Suffix(length=Length(float(total))))
