"""The generated parts of `docs/migrate.md`; run this file to write them again.

A part stands between `<!-- NAME -->` and `<!-- end NAME -->`; what is outside stays as it is. To add one, write its
function and name it in `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from stepwell import RECIPES, schedule, twins

PAGE = Path(__file__).parents[1] / "docs" / "migrate.md"

TORCH = {
    "StepLR(optimizer, step_size=30)": "step_lr(step_size=30)",
    "MultiStepLR(optimizer, milestones=[30, 60], gamma=0.1)": "multi_step_lr(milestones=[30, 60], gamma=0.1)",
    "ExponentialLR(optimizer, gamma=0.95)": "exponential_lr(gamma=0.95)",
    "ConstantLR(optimizer, factor=0.5, total_iters=40)": "constant_lr(factor=0.5, total_iters=40)",
    "LinearLR(optimizer, start_factor=0.1, total_iters=500)": "linear_lr(start_factor=0.1, total_iters=500)",
    "PolynomialLR(optimizer, total_iters=60, power=2)": "polynomial_lr(total_iters=60, power=2)",
    "CosineAnnealingLR(optimizer, T_max=50, eta_min=1e-3)": "cosine_annealing_lr(T_max=50, eta_min=1e-3)",
    "CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2)": "cosine_annealing_warm_restarts(T_0=10, T_mult=2)",
    'CyclicLR(optimizer, 0.01, 0.1, 2000, mode="triangular2", cycle_momentum=False)': (
        'cyclic_lr(0.01, 0.1, 2000, mode="triangular2", cycle_momentum=False)'
    ),
    "CyclicLR(optimizer, 0.01, 0.1, 2000)": "cyclic_lr(0.01, 0.1, 2000)",
    'CyclicLR(optimizer, 0.01, 0.1, 2000, mode="exp_range", gamma=0.999, cycle_momentum=False)': (
        'cyclic_lr(0.01, 0.1, 2000, mode="exp_range", gamma=0.999, cycle_momentum=False)'
    ),
    "OneCycleLR(optimizer, max_lr=0.1, total_steps=1000)": "one_cycle_lr(max_lr=0.1, total_steps=1000)",
    "LambdaLR(optimizer, lambda step: 0.5 ** step)": "lambda_lr(lambda step: 0.5 ** step, total_steps=5)",
    "MultiplicativeLR(optimizer, lambda step: 0.5)": "multiplicative_lr(lambda step: 0.5, total_steps=5)",
    "SequentialLR(optimizer, [LinearLR(...), StepLR(...)], [500])": (
        "sequential_lr([twins.linear_lr(0.1, 1.0, 500), twins.step_lr(30)], milestones=[500])"
    ),
    "ChainedScheduler([ConstantLR(...), ExponentialLR(...)])": (
        "chained_scheduler([twins.constant_lr(0.1, 5), twins.exponential_lr(0.9)])"
    ),
    "ReduceLROnPlateau(optimizer, factor=0.5, patience=3)": "reduce_lr_on_plateau(factor=0.5, patience=3)",
}
"""Each of torch's calls and its twin."""


def torch_part() -> str:
    """A table: torch's call, the twin, the same as a text."""
    lines = ["| torch | twin | text |", "| --- | --- | --- |"]
    for call, twin in TORCH.items():
        made = eval(f"twins.{twin}", {"twins": twins})  # noqa: S307 - our own lines, above
        text = str(schedule(made))
        lines.append(f"| {_cell(call)} | {_cell(f'twins.{twin}')} | {_cell(text)} |")
    return "\n".join(lines)


WARM = "num_warmup_steps=500"
WHOLE = f"{WARM}, num_training_steps=10000"
TRANSFORMERS = {
    'get_scheduler("constant", ...)': "constant",
    'get_scheduler("constant_with_warmup", ..., 500)': f"constant_with_warmup({WARM})",
    'get_scheduler("linear", ..., 500, 10_000)': f"linear({WHOLE})",
    'get_scheduler("cosine", ..., 500, 10_000)': f"cosine({WHOLE})",
    'get_scheduler("cosine_with_restarts", ..., {"num_cycles": 2})': f"cosine_with_restarts({WHOLE}, num_cycles=2)",
    'get_scheduler("polynomial", ..., {"power": 2.0})': f"polynomial({WHOLE}, lr_end=1e-7, power=2)",
    'get_scheduler("inverse_sqrt", ..., 500)': f"inverse_sqrt({WARM})",
    'get_scheduler("cosine_with_min_lr", ..., {"min_lr_rate": 0.1})': f"cosine_with_min_lr({WHOLE}, min_lr_rate=0.1)",
    'get_scheduler("cosine_warmup_with_min_lr", ..., {"min_lr": 1e-5})': (
        f"cosine_warmup_with_min_lr({WHOLE}, min_lr=1e-5)"
    ),
    'get_scheduler("warmup_stable_decay", ..., {"num_decay_steps": 2000})': (
        f"warmup_stable_decay({WHOLE}, num_decay_steps=2000)"
    ),
    'get_scheduler("reduce_lr_on_plateau", ..., {"patience": 3})': "reduce_lr_on_plateau(patience=3)",
    'get_scheduler("greedy", ..., {"patience": 3})': "greedy(patience=3)",
}
"""Each of transformers' calls and its recipe."""

TIMM = {
    "CosineLRScheduler(optimizer, t_initial=100, warmup_t=5)": "cosine(t_initial=100ep, warmup_t=5ep)",
    "CosineLRScheduler(optimizer, t_initial=95, lr_min=1e-5, warmup_t=5, warmup_prefix=True)": (
        "cosine(t_initial=95ep, lr_min=1e-5, warmup_t=5ep, warmup_prefix=true)"
    ),
    "CosineLRScheduler(optimizer, t_initial=9000, t_in_epochs=False)": "cosine(t_initial=9000)",
    "PolyLRScheduler(optimizer, t_initial=100)": "poly(t_initial=100ep)",
    "TanhLRScheduler(optimizer, t_initial=100)": "tanh(t_initial=100ep)",
    "StepLRScheduler(optimizer, decay_t=30, decay_rate=0.1, warmup_t=5)": (
        "step(decay_t=30ep, decay_rate=0.1, warmup_t=5ep)"
    ),
    "MultiStepLRScheduler(optimizer, decay_t=[30, 60], decay_rate=0.1)": "multistep(decay_t=30ep 60ep, decay_rate=0.1)",
    "WSDLRScheduler(optimizer, t_initial=95, decay_t=20, warmup_t=5)": (
        "wsd(t_initial=95ep, decay_t=20ep, warmup_t=5ep)"
    ),
    "PlateauLRScheduler(optimizer, patience_t=3, warmup_t=5)": "plateau(patience_t=3, warmup_t=5ep)",
}
"""Each of timm's calls and its recipe."""


def recipes_part(library: str, calls: Mapping[str, str]) -> str:
    """A table: the library's call, the recipe, the same as a text."""
    lines = [f"| {library} | recipe | text |", "| --- | --- | --- |"]
    for call, recipe in calls.items():
        name = f"{library}.{recipe}"
        assert name.split("(")[0] in RECIPES
        original = RECIPES[name.split("(")[0]].original
        called = _cell(call) if original in call else f"{_cell(call)} or {_cell(original)}"
        lines.append(f"| {called} | {_cell(name)} | {_cell(str(schedule(name)))} |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {
    "torch": torch_part,
    "transformers": partial(recipes_part, "transformers", TRANSFORMERS),
    "timm": partial(recipes_part, "timm", TIMM),
}


def written(page: str) -> str:
    """The page with its parts made anew."""
    for name, part in PARTS.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}\n{part()}\n\n{end}{after}"
    return page


def _cell(code: str) -> str:
    return "`" + code.replace("|", "\\|") + "`"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
