"""The rates that other libraries really give, as golden values for the recipes.

python -m venv golden && golden/bin/pip install torch==2.13.0 transformers==5.23.0 optax==0.2.8 keras==3.15.1
golden/bin/pip install --no-deps timm==1.0.31
JAX_ENABLE_X64=1 KERAS_BACKEND=torch golden/bin/python tests/schedule/golden/make_recipes.py \\
    > tests/schedule/golden/recipes.json

timm's package needs torchvision, its schedulers do not, so only these are imported. A case is a recipe, the base rate,
the steps that are compared and the library's rates there. optax computes in float64 only where it is told to.
"""

from __future__ import annotations

import json
import sys
import types
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

TOTAL, RATE, PER_EPOCH = 120, 0.3, 4
STEPS = [*range(14), 23, 24, 25, *range(29, TOTAL, 9)]
"""The beginning, two joints, and evenly many; no step twice."""

TRANSFORMERS: list[tuple[str, dict[str, Any]]] = [
    ("constant", {}),
    ("constant_with_warmup", {"num_warmup_steps": 12}),
    ("linear", {"num_warmup_steps": 12, "num_training_steps": 120}),
    ("linear", {"num_warmup_steps": 0, "num_training_steps": 120}),
    ("cosine", {"num_warmup_steps": 12, "num_training_steps": 120}),
    ("cosine", {"num_warmup_steps": 12, "num_training_steps": 120, "num_cycles": 1.5}),
    ("cosine_with_restarts", {"num_warmup_steps": 12, "num_training_steps": 120, "num_cycles": 4}),
    ("cosine_with_restarts", {"num_warmup_steps": 11, "num_training_steps": 120, "num_cycles": 3}),
    ("polynomial", {"num_warmup_steps": 12, "num_training_steps": 120, "lr_end": 0.003, "power": 2.0}),
    ("inverse_sqrt", {"num_warmup_steps": 12}),
    ("inverse_sqrt", {"num_warmup_steps": 12, "timescale": 40}),
    ("cosine_with_min_lr", {"num_warmup_steps": 12, "num_training_steps": 120, "min_lr_rate": 0.1}),
    ("cosine_with_min_lr", {"num_warmup_steps": 12, "num_training_steps": 120, "min_lr": 0.02}),
    ("cosine_warmup_with_min_lr", {"num_warmup_steps": 12, "num_training_steps": 120, "min_lr_rate": 0.1}),
    (
        "cosine_warmup_with_min_lr",
        {"num_warmup_steps": 12, "num_training_steps": 120, "min_lr": 0.02, "warmup_lr_rate": 0.2},
    ),
    ("warmup_stable_decay", {"num_warmup_steps": 12, "num_training_steps": 120, "num_decay_steps": 24}),
    (
        "warmup_stable_decay",
        {
            "num_warmup_steps": 12,
            "num_stable_steps": 50,
            "num_decay_steps": 30,
            "warmup_type": "1-sqrt",
            "decay_type": "1-sqrt",
            "min_lr_ratio": 0.1,
        },
    ),
    (
        "warmup_stable_decay",
        {
            "num_warmup_steps": 12,
            "num_stable_steps": 50,
            "num_decay_steps": 30,
            "warmup_type": "cosine",
            "decay_type": "linear",
        },
    ),
]
TIMM: list[tuple[str, str, dict[str, Any]]] = [
    ("cosine", "CosineLRScheduler", {"t_initial": 120}),
    ("cosine", "CosineLRScheduler", {"t_initial": 100, "lr_min": 0.01, "warmup_t": 12, "warmup_lr_init": 0.001}),
    ("cosine", "CosineLRScheduler", {"t_initial": 90, "warmup_t": 12, "warmup_prefix": True}),
    (
        "cosine",
        "CosineLRScheduler",
        {"t_initial": 20, "cycle_mul": 2.0, "cycle_decay": 0.5, "cycle_limit": 2, "lr_min": 0.01},
    ),
    ("cosine", "CosineLRScheduler", {"t_initial": 30, "cycle_decay": 0.5, "cycle_limit": 4, "warmup_t": 5}),
    ("poly", "PolyLRScheduler", {"t_initial": 110, "power": 0.9, "lr_min": 0.01, "warmup_t": 12}),
    ("poly", "PolyLRScheduler", {"t_initial": 110}),
    ("tanh", "TanhLRScheduler", {"t_initial": 120}),
    ("tanh", "TanhLRScheduler", {"t_initial": 120, "lb": -3.0, "ub": 4.0, "warmup_t": 12}),
    ("tanh", "TanhLRScheduler", {"t_initial": 108, "warmup_t": 12, "warmup_prefix": True, "warmup_lr_init": 0.001}),
    ("step", "StepLRScheduler", {"decay_t": 25, "decay_rate": 0.5, "warmup_t": 12}),
    ("step", "StepLRScheduler", {"decay_t": 25, "decay_rate": 0.5, "warmup_t": 12, "warmup_prefix": False}),
    ("multistep", "MultiStepLRScheduler", {"decay_t": [30, 60, 90], "decay_rate": 0.1}),
    ("multistep", "MultiStepLRScheduler", {"decay_t": [30, 60], "decay_rate": 0.1, "warmup_t": 12}),
    ("wsd", "WSDLRScheduler", {"t_initial": 108, "decay_t": 24, "lr_min": 0.01, "warmup_t": 12}),
    ("wsd", "WSDLRScheduler", {"t_initial": 108, "decay_t": 24, "decay_fn": "power", "decay_power": 2.0}),
]
TIMM_EPOCHS: list[tuple[str, str, dict[str, Any]]] = [
    ("cosine", "CosineLRScheduler", {"t_initial": 30, "lr_min": 0.01, "warmup_t": 5, "warmup_lr_init": 0.001}),
    ("multistep", "MultiStepLRScheduler", {"decay_t": [10, 20], "decay_rate": 0.1, "warmup_t": 3}),
]
"""The same in epochs."""
OPTAX: list[tuple[str, dict[str, Any]]] = [
    ("constant_schedule", {"value": 0.2}),
    (
        "polynomial_schedule",
        {"init_value": 0.3, "end_value": 0.03, "power": 2.0, "transition_steps": 80, "transition_begin": 24},
    ),
    ("linear_schedule", {"init_value": 0.3, "end_value": 0.0, "transition_steps": 120}),
    ("piecewise_constant_schedule", {"init_value": 0.3, "boundaries": [24, 60], "scales": [0.5, 0.1]}),
    (
        "piecewise_interpolate_schedule",
        {"interpolate_type": "cosine", "init_value": 0.3, "boundaries": [24, 60], "scales": [0.5, 0.1]},
    ),
    ("exponential_decay", {"init_value": 0.3, "transition_steps": 10, "decay_rate": 0.7, "transition_begin": 12}),
    (
        "exponential_decay",
        {"init_value": 0.3, "transition_steps": 10, "decay_rate": 0.7, "staircase": True, "end_value": 0.05},
    ),
    ("cosine_decay_schedule", {"init_value": 0.3, "decay_steps": 100, "alpha": 0.1}),
    ("cosine_decay_schedule", {"init_value": 0.3, "decay_steps": 100, "alpha": 0.1, "exponent": 2}),
    ("linear_onecycle_schedule", {"transition_steps": 120, "peak_value": 0.3}),
    ("cosine_onecycle_schedule", {"transition_steps": 117, "peak_value": 0.3, "pct_start": 0.21}),
    ("warmup_constant_schedule", {"init_value": 0.01, "peak_value": 0.3, "warmup_steps": 12}),
    (
        "warmup_cosine_decay_schedule",
        {"init_value": 0.0, "peak_value": 0.3, "warmup_steps": 12, "decay_steps": 120, "end_value": 0.03},
    ),
    (
        "warmup_cosine_decay_schedule",
        {
            "init_value": 0.0,
            "peak_value": 0.3,
            "warmup_steps": 12,
            "decay_steps": 120,
            "end_value": 0.03,
            "exponent": 3,
        },
    ),
    (
        "warmup_exponential_decay_schedule",
        {
            "init_value": 0.0,
            "peak_value": 0.3,
            "warmup_steps": 12,
            "transition_steps": 10,
            "decay_rate": 0.7,
            "transition_begin": 12,
            "end_value": 0.02,
        },
    ),
    (
        "sgdr_schedule",
        {"decay_steps": [24, 36, 60], "warmup_steps": 4, "init_value": 0.01, "peak_value": 0.3, "end_value": 0.0},
    ),
]
KERAS: list[tuple[str, str, dict[str, Any]]] = [
    ("exponential_decay", "ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.7}),
    ("exponential_decay", "ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.7, "staircase": True}),
    ("piecewise_constant_decay", "PiecewiseConstantDecay", {"boundaries": [24, 60], "values": [0.3, 0.2, 0.01]}),
    ("polynomial_decay", "PolynomialDecay", {"decay_steps": 100, "end_learning_rate": 0.03, "power": 2.0}),
    ("inverse_time_decay", "InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.5}),
    ("inverse_time_decay", "InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.5, "staircase": True}),
    ("cosine_decay", "CosineDecay", {"decay_steps": 100, "alpha": 0.1}),
    (
        "cosine_decay",
        "CosineDecay",
        {"initial_learning_rate": 0.01, "decay_steps": 100, "alpha": 0.1, "warmup_target": 0.3, "warmup_steps": 12},
    ),
    (
        "cosine_decay_restarts",
        "CosineDecayRestarts",
        {"first_decay_steps": 20, "t_mul": 1.0, "m_mul": 0.8, "alpha": 0.1},
    ),
    ("cosine_decay_restarts", "CosineDecayRestarts", {"first_decay_steps": 20, "m_mul": 0.8}),
]


def optimizer() -> Any:
    import torch

    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)


def case(name: str, settings: dict[str, Any], rates: list[float], unit: str = "") -> dict[str, Any]:
    """A call of a recipe and the rates at `STEPS`; `unit` stands after what are lengths."""
    spans = ("t_initial", "warmup_t", "decay_t") if unit else ()
    arguments = ", ".join(f"{key}={_written(value, unit if key in spans else '')}" for key, value in settings.items())
    return {"recipe": f"{name}({arguments})", "rates": [rates[step] for step in STEPS]}


def _written(value: Any, unit: str) -> str:
    if isinstance(value, list):
        return " ".join(_written(one, unit) for one in value)
    return str(value).lower() if isinstance(value, bool) else f"{value}{unit}"


def of_transformers() -> list[dict[str, Any]]:
    from transformers import get_scheduler

    made = []
    for name, settings in TRANSFORMERS:
        own = {key: value for key, value in settings.items() if key not in ("num_warmup_steps", "num_training_steps")}
        one = optimizer()
        scheduler = get_scheduler(
            name,
            one,
            settings.get("num_warmup_steps"),
            settings.get("num_training_steps"),
            scheduler_specific_kwargs=own,
        )
        rates = []
        for _ in range(TOTAL):
            rates.append(one.param_groups[0]["lr"])
            scheduler.step()
        made.append(case(f"transformers.{name}", settings, rates))
    return made


def of_timm() -> list[dict[str, Any]]:
    package = types.ModuleType("timm")
    package.__path__ = [str(Path(str(distribution("timm").locate_file("timm"))))]
    sys.modules["timm"] = package
    schedulers = import_module("timm.scheduler")
    modules = {"WSDLRScheduler": import_module("timm.scheduler.wsd_lr")}

    def run(name: str, kind: str, settings: dict[str, Any], epochs: bool) -> dict[str, Any]:
        one = optimizer()
        scheduler = getattr(modules.get(kind, schedulers), kind)(one, **settings, t_in_epochs=epochs)
        rates = [one.param_groups[0]["lr"]]
        for step in range(1, TOTAL):
            if epochs:
                scheduler.step(step // PER_EPOCH)
            else:
                scheduler.step_update(step)
            rates.append(one.param_groups[0]["lr"])
        return case(f"timm.{name}", settings, rates, "ep" if epochs else "")

    return [run(*one, False) for one in TIMM] + [run(*one, True) for one in TIMM_EPOCHS]


def of_optax() -> list[dict[str, Any]]:
    import optax

    made = []
    for name, settings in OPTAX:
        own = dict(settings)
        if "boundaries" in own:
            own["boundaries_and_scales"] = dict(zip(own.pop("boundaries"), own.pop("scales"), strict=True))
        if name == "sgdr_schedule":
            cycles = own.pop("decay_steps")
            own = {"cosine_kwargs": [{**own, "decay_steps": cycle} for cycle in cycles]}
        function: Callable[[int], Any] = getattr(optax, name)(**own)
        made.append(case(f"optax.{name}", settings, [float(function(step)) for step in range(TOTAL)]))
    return made


def of_keras() -> list[dict[str, Any]]:
    import keras

    made = []
    for name, kind, settings in KERAS:
        own = dict(settings) if kind == "PiecewiseConstantDecay" else {"initial_learning_rate": RATE, **settings}
        function = getattr(keras.optimizers.schedules, kind)(**own)
        made.append(case(f"keras.{name}", settings, [float(function(step)) for step in range(TOTAL)]))
    return made


def main() -> None:
    """Write every case as JSON."""
    warnings.simplefilter("ignore")
    names = ("torch", "transformers", "timm", "optax", "jax", "keras")
    made = {
        "versions": {name: version(name) for name in names},
        "total_steps": TOTAL,
        "steps_per_epoch": PER_EPOCH,
        "base_lr": RATE,
        "steps": STEPS,
        "transformers": of_transformers(),
        "timm": of_timm(),
        "optax": of_optax(),
        "keras": of_keras(),
    }
    json.dump(made, sys.stdout, indent=None)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
