"""What is to be trained: plain data, so that any engine can ship it and a resume can recognise it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stepwell.schedule.length import Horizon


@dataclass(frozen=True, slots=True)
class TaskRef:
    """A task by name, and the source it had when it was named.

    `name` is a built-in task (`digits-cnn`), `path/to/file.py:function` or `module:function`.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    source_hash: str = ""


@dataclass(frozen=True, slots=True)
class Strategy:
    """A schedule in text form with the optimizer it drives. The rate itself belongs to the `Trial`."""

    name: str
    schedule: str
    optimizer: str = "momentum"
    options: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """One training run that is wanted: task, strategy, base rate, seed and budget.

    `environment` says where it is to run (versions, device) and makes runs of different places different trials, each
    kept under its own key. Left empty, a stored run is taken wherever it was made.
    """

    task: TaskRef
    strategy: Strategy
    base_lr: float
    seed: int
    budget: Horizon
    environment: str = ""

    def key(self) -> str:
        """A digest of everything that decides the result (the strategy's name does not); equal keys, same run."""
        content = asdict(self)
        del content["strategy"]["name"]
        if not self.environment:
            del content["environment"]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]
