"""Write what transformers' and timm's schedulers really give into `peers.json`.

Run it where both are installed: `python tests/drive/golden/make_peers.py`. timm's package needs torchvision, its
schedulers do not, so only these are imported.
"""

from __future__ import annotations

import json
import sys
import types
import warnings
from functools import partial
from importlib import import_module
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import torch

TOTAL, WARMUP, RATE = 60, 12, 0.3

TRANSFORMERS: dict[str, dict[str, Any]] = {
    "constant": {},
    "constant_with_warmup": {},
    "linear": {},
    "cosine": {},
    "cosine_with_restarts": {"num_cycles": 3},
    "polynomial": {"lr_end": 0.003, "power": 2.0},
    "inverse_sqrt": {"timescale": 40},
    "cosine_with_min_lr": {"min_lr_rate": 0.1},
    "cosine_warmup_with_min_lr": {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2},
    "warmup_stable_decay": {"num_decay_steps": 20, "decay_type": "1-sqrt"},
}
TIMM: list[tuple[str, dict[str, Any]]] = [
    ("CosineLRScheduler", {"t_initial": 50}),
    ("CosineLRScheduler", {"t_initial": 50, "lr_min": 1e-5, "warmup_t": 5, "warmup_lr_init": 1e-4}),
    ("CosineLRScheduler", {"t_initial": 50, "warmup_t": 5, "warmup_prefix": True, "t_in_epochs": False}),
    ("CosineLRScheduler", {"t_initial": 10, "cycle_mul": 2.0, "cycle_decay": 0.5, "cycle_limit": 3}),
    ("PolyLRScheduler", {"t_initial": 50, "power": 0.9}),
    ("TanhLRScheduler", {"t_initial": 50}),
    ("StepLRScheduler", {"decay_t": 15, "decay_rate": 0.5, "warmup_t": 3}),
    ("MultiStepLRScheduler", {"decay_t": [20, 40], "decay_rate": 0.1}),
]


def optimizer() -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)


def of_transformers() -> list[dict[str, Any]]:
    from transformers import get_scheduler

    made = []
    for name, settings in TRANSFORMERS.items():
        one = optimizer()
        warmup = 0 if name == "constant" else WARMUP
        scheduler = get_scheduler(
            name, one, num_warmup_steps=warmup, num_training_steps=TOTAL, scheduler_specific_kwargs=settings
        )
        function = scheduler.lr_lambdas[0]
        keywords = function.keywords if isinstance(function, partial) else {}
        inner = function.func if isinstance(function, partial) else function
        rates = []
        for _ in range(TOTAL + 1):
            rates.append(one.param_groups[0]["lr"])
            scheduler.step()
        made.append({"name": name, "function": inner.__name__, "keywords": keywords, "rates": rates})
    return made


def of_timm() -> list[dict[str, Any]]:
    package = types.ModuleType("timm")
    package.__path__ = [str(Path(str(distribution("timm").locate_file("timm"))))]
    sys.modules["timm"] = package
    schedulers = import_module("timm.scheduler")

    made = []
    for name, settings in TIMM:
        one = optimizer()
        scheduler = getattr(schedulers, name)(one, **settings)
        plain = {key: value for key, value in vars(scheduler).items() if isinstance(value, int | float | list | None)}
        rates = [one.param_groups[0]["lr"]]
        for t in range(1, TOTAL + 1):
            scheduler.step(t)
            scheduler.step_update(t)
            rates.append(one.param_groups[0]["lr"])
        made.append({"name": name, "settings": settings, "attributes": plain, "rates": rates})
    return made


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    peers = {
        "rate": RATE,
        "total_steps": TOTAL,
        "versions": {name: version(name) for name in ("torch", "transformers", "timm")},
        "transformers": of_transformers(),
        "timm": of_timm(),
    }
    text = json.dumps(peers)
    Path(__file__).with_name("peers.json").write_text(text + "\n")
