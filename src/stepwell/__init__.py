"""Stepwell: a learning-rate workbench for PyTorch.

    import stepwell

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = stepwell.Scheduler(optimizer, "linear 0..1 for 5% | cosine to 0", total_steps=10_000)

    comparison = stepwell.compare("digits-cnn")
    found = stepwell.find_lr(model, optimizer, loss=loss, data=loader, schedule="cosine 1..0", total_steps=10_000)

Importing it does not import torch; whatever needs torch is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stepwell.compare import compare
from stepwell.errors import StepwellError
from stepwell.finding import Finding, Severity
from stepwell.record.comparison import Comparison
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.suggestion import LrSuggestion, Verdict
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import RECIPES, Curve, Greedy, Horizon, Plateau, Schedule, parse, schedule, twins

if TYPE_CHECKING:
    from stepwell.drive.from_torch import from_torch
    from stepwell.drive.recorder import Recorder
    from stepwell.drive.scheduler import Scheduler
    from stepwell.find.how import How
    from stepwell.find.search import find_lr
    from stepwell.record.store import Store
    from stepwell.tasks.task import Task, Workload
    from stepwell.tasks.train import train

__version__ = "0.1.0"

_LAZY = {
    "Recorder": "stepwell.drive.recorder",
    "Scheduler": "stepwell.drive.scheduler",
    "from_torch": "stepwell.drive.from_torch",
    "How": "stepwell.find.how",
    "find_lr": "stepwell.find.search",
    "Store": "stepwell.record.store",
    "Task": "stepwell.tasks.task",
    "Workload": "stepwell.tasks.task",
    "train": "stepwell.tasks.train",
}

__all__ = [
    # schedules
    "RECIPES",
    "Curve",
    "Greedy",
    "Horizon",
    "Plateau",
    "Schedule",
    "parse",
    "schedule",
    "twins",
    # at work
    "Recorder",
    "Scheduler",
    "from_torch",
    # records
    "Comparison",
    "Ending",
    "Finding",
    "LrSuggestion",
    "Outcome",
    "Run",
    "Severity",
    "Store",
    "Strategy",
    "TaskRef",
    "Trial",
    "Verdict",
    # work
    "How",
    "Task",
    "Workload",
    "compare",
    "find_lr",
    "train",
    # errors
    "StepwellError",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'stepwell' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
