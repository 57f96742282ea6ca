"""What a model scores on a set of batches."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from stepwell.errors import TaskError
from stepwell.tasks.task import Batch

Metrics = Callable[[nn.Module, Batch], Mapping[str, tuple[Tensor, int]]]


def evaluate(model: nn.Module, batches: Iterable[Batch], metrics: Metrics, prefix: str) -> dict[str, float]:
    """The mean of every metric over all batches, named `{prefix}_{metric}`; a diverged model gives `nan` or `inf`.

    Runs in eval mode without gradients and leaves every module in the mode that it found it in. Sums are float64.

    Raises:
        TaskError: there is no batch, or `metrics` does not give `{"loss": (sum, count), ...}` with the same names
            for every batch.
    """
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    with _eval_mode(model), torch.no_grad():
        for number, batch in enumerate(batches):
            measured = _checked(metrics(model, batch))
            if number and measured.keys() != sums.keys():
                raise TaskError(
                    f"metrics must give the same names for every batch: {prefix} batch 0 gave {', '.join(sums)}, "
                    f"batch {number} gave {', '.join(measured)}"
                )
            for name, (value, count) in measured.items():
                sums[name] = sums[name] + value if name in sums else value
                counts[name] = counts.get(name, 0) + count
    if not sums:
        raise TaskError(f"{prefix}() gave no batches; a task needs at least one {prefix} batch")
    for name, count in counts.items():
        if count == 0:
            raise TaskError(
                f"metric {name!r} counted nothing over all {prefix} batches; give (sum, count) with count > 0"
            )
    return {f"{prefix}_{name}": float(value) / counts[name] for name, value in sums.items()}


def _checked(measured: object) -> dict[str, tuple[Tensor, int]]:
    """The metrics of one batch with float64 sums."""
    if not isinstance(measured, Mapping) or not measured:
        raise TaskError(f'metrics must give a mapping such as {{"loss": (sum, count)}}, got {_short(measured)}')
    return {_name(name): _pair(name, pair) for name, pair in measured.items()}


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TaskError(f"a metric's name must be a text such as 'loss', got {name!r}")
    return name


def _pair(name: str, pair: Any) -> tuple[Tensor, int]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TaskError(f"metric {name!r} must be a pair (sum, count) over the batch, got {_short(pair)}")
    total, count = pair
    number = isinstance(total, int | float) or (
        isinstance(total, Tensor) and total.ndim == 0 and not total.is_complex()
    )
    if not number:
        raise TaskError(f"metric {name!r}: the sum must be a tensor with a single number, got {_short(total)}")
    return torch.as_tensor(total).detach().double(), _whole(name, count)


def _whole(name: str, count: Any) -> int:
    try:
        whole = operator.index(count)
    except TypeError:
        whole = -1
    if whole < 0:
        raise TaskError(f"metric {name!r}: the count must be a whole number such as len(targets), got {_short(count)}")
    return whole


def _short(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@contextmanager
def _eval_mode(model: nn.Module) -> Iterator[None]:
    # Module by module: a user's frozen batch norm stays frozen, which `model.train()` would undo.
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
