"""Strategies side by side: plan, race, decide. Importing this room does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from stepwell.compare.ledger import Status
    from stepwell.engines.engine import Engine
    from stepwell.record.comparison import Comparison
    from stepwell.record.trial import TaskRef


def compare(  # noqa: PLR0913 -- the whole experiment in one call; all but two by keyword
    task: str | TaskRef,
    strategies: Mapping[str, str] | Sequence[str] = (),
    *,
    only: str | Sequence[str] = (),
    optimizer: str = "momentum",
    options: Mapping[str, float] | None = None,
    budget: str = "20ep",
    lr: str | float | Sequence[float] = "auto",
    seeds: int = 8,
    alpha: float = 0.05,
    margin: float = 0.0,
    engine: str | Engine = "processes",
    store: str | Path | None = None,
    watch: Callable[[Status], None] | None = None,
) -> Comparison:
    """Train learning-rate strategies side by side, each at its own best rate, and say which may be best.

    The rate of every strategy is looked for with complete miniatures of its schedule, the shortest first, then at full
    length, on tuning seeds; then it is judged on seeds that tuning never saw, on a test split that no choice used.

    Args:
        task: a built-in task (`digits-cnn`), `path/to/file.py:function` or `module:function`.
        strategies: added to the default ones: a mapping of names to schedule texts, or `NAME=TEXT` each.
        only: the names of those to compare (or one name), instead of all.
        optimizer: `sgd`, `momentum`, `nesterov`, `adam`, `adamw` or `rmsprop`.
        options: of the optimizer, such as `{"weight_decay": 5e-4}`.
        budget: of every judged run: epochs (`20ep`) or updates (`600`).
        lr: `auto` looks for it where it suits the optimizer; of a list every rate is raced; one rate is used untuned.
        seeds: how many judging seeds, at least 3; 8 or more for a sharp answer.
        alpha: the chance that any of several equal strategies is called worse.
        margin: differences of the test metric up to this are not called worse.
        engine: `processes` (as many as the machine has cores), `inline`, or an Engine.
        store: the file of a run store. What it holds is not trained again, and an interrupted comparison goes on.
        watch: hears how far the comparison is.

    Returns:
        The comparison as plain data; `stepwell.view` draws and reports it.

    Raises:
        TaskError, ScheduleError, HorizonError, OptimizerError, OptionError: what is wrong with the arguments.
        StoreError: the store cannot be used.
    """
    from stepwell.compare.terms import Request, run

    names = (only,) if isinstance(only, str) else tuple(only)
    request = Request(task, strategies, names, optimizer, dict(options or {}), budget, lr, seeds, alpha, margin)
    return run(request, engine=engine, store=store, watch=watch)


__all__: list[str] = ["compare"]
