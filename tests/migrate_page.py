"""The generated parts of `docs/migrate.md`; run this file to write them again.

A part stands between `<!-- NAME -->` and `<!-- end NAME -->`; what is outside stays as it is. To add one, write its
function and name it in `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stepwell import twins

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
        text = f"(hold) * {made}" if twin.startswith("reduce") else str(made)
        lines.append(f"| {_cell(call)} | {_cell(f'twins.{twin}')} | {_cell(text)} |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {"torch": torch_part}


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
