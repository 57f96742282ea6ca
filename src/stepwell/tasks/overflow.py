"""Where the numbers of a training run are no longer finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn


def lost_weights(model: nn.Module) -> str | None:
    """The name of the first parameter that holds a number which is not finite."""
    parameters = dict(model.named_parameters())
    finite = torch.stack([parameter.isfinite().all() for parameter in parameters.values()])
    return (
        None if finite.all() else next(name for name, good in zip(parameters, finite.tolist(), strict=True) if not good)
    )


def overflows(model: nn.Module, again: Callable[[], object]) -> bool:
    """Whether a part of the model puts out a number that is not finite when what raised is done again."""
    seen = False

    def look(_module: nn.Module, _inputs: object, outputs: object) -> None:
        nonlocal seen
        seen = seen or not all(bool(tensor.isfinite().all()) for tensor in _tensors(outputs))

    hooks = [module.register_forward_hook(look) for module in model.modules()]
    try:
        with torch.no_grad(), suppress(Exception):  # it raised before, and it will again
            again()
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _tensors(outputs: Any) -> Iterator[Tensor]:
    match outputs:
        case Tensor():
            yield outputs
        case Mapping():
            yield from _tensors(list(outputs.values()))
        case list() | tuple():
            for output in outputs:
                yield from _tensors(output)
