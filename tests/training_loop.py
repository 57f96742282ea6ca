"""A small training loop with everything that has a state, and a picture of that state, for tests that nothing moved."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

Batch = Any


class Net(nn.Module):
    """Dropout, batch norm, and a buffer that no state dict shows, replaced at every forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.3))
        self.head = nn.Linear(8, 3)
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros(8), persistent=False)
        self.calls = 0
        self.recent: list[float] = []

    def forward(self, inputs: Tensor) -> Tensor:
        hidden: Tensor = self.body(inputs)
        self.seen = 0.9 * self.seen + hidden.detach().mean(0)
        self.calls += 1
        self.recent.append(float(hidden.detach().mean()))
        out: Tensor = self.head(hidden)
        return out


def loss(model: nn.Module, batch: Batch) -> Tensor:
    inputs, targets = batch
    return nn.functional.cross_entropy(model(inputs), targets)


def data(size: int = 64, seed: int = 1) -> TensorDataset:
    inputs = torch.randn(size, 4, generator=torch.Generator().manual_seed(seed))
    return TensorDataset(inputs, (inputs[:, 0] > 0).long() + (inputs[:, 1] > 0.5).long())


def groups(model: Net) -> list[dict[str, Any]]:
    return [{"params": model.body.parameters(), "lr": 0.02}, {"params": model.head.parameters(), "lr": 0.1}]


OPTIMIZERS: dict[str, Callable[[Any], Optimizer]] = {
    "momentum": lambda params: torch.optim.SGD(params, lr=0.02, momentum=0.9, nesterov=True),
    "adam": lambda params: torch.optim.Adam(params, lr=0.02),
    "fused adamw": lambda params: torch.optim.AdamW(params, lr=torch.tensor(0.02), fused=True),
    "rmsprop": lambda params: torch.optim.RMSprop(params, lr=0.02, momentum=0.5, centered=True),
}


@dataclass
class Loop:
    """A user's loop; `train` makes updates as users write them."""

    model: Net
    optimizer: Optimizer
    loader: DataLoader[Any]
    scheduler: Any = None
    scaler: Any = None
    moves: bool = True  # whether the loop must call scheduler.step()
    others: list[Any] = field(default_factory=list)

    def train(self, num_steps: int) -> None:
        for _, batch in zip(range(num_steps), self.loader, strict=False):
            self.update(batch)

    def update(self, batch: Batch) -> None:
        self.optimizer.zero_grad()
        value = loss(self.model, batch)
        if self.scaler is None:
            value.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        else:
            self.scaler.scale(value).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
        if self.scheduler is not None and self.moves:
            self.scheduler.step()


def new_loop(optimizer: str = "momentum", *, steps: int = 0, scaled: bool = False, seed: int = 0) -> Loop:
    torch.manual_seed(seed)
    model = Net()
    own_order = torch.Generator().manual_seed(seed + 1)
    loader = DataLoader(
        data(),
        batch_size=8,
        sampler=RandomSampler(data(), generator=torch.Generator().manual_seed(seed + 2)),
        generator=own_order,
    )
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0, growth_interval=2) if scaled else None
    loop = Loop(model, OPTIMIZERS[optimizer](groups(model)), loader, scaler=scaler)
    loop.train(steps)
    return loop


def picture(loop: Loop) -> dict[str, Any]:
    """Everything that training changes: contents as copies, and which object holds them."""
    model, optimizer = loop.model, loop.optimizer
    return {
        "parameters": {name: (*_held(p), p.requires_grad, _held(p.grad)) for name, p in model.named_parameters()},
        "buffers": {name: _held(buffer) for name, buffer in model.named_buffers()},
        "modes": [module.training for module in model.modules()],
        "own": (model.calls, id(model.recent), list(model.recent)),
        "groups": [(id(group), {key: _described(value) for key, value in group.items()}) for group in _groups(loop)],
        "state": [(id(p), {key: _described(one) for key, one in state.items()}) for p, state in _state(optimizer)],
        "attributes": sorted(vars(optimizer)),
        "called": getattr(optimizer, "_opt_called", None),
        "hooks": [list(hooks.items()) for hooks in (_pre(optimizer), _post(optimizer))],
        "scheduler": None if loop.scheduler is None else _described(_own(loop.scheduler)),
        "scaler": None if loop.scaler is None else _described(vars(loop.scaler)),
        "others": [_described(_own(other)) for other in loop.others],
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state(legacy=False),
        "python": random.getstate(),
        "order": [_generator(loop.loader.generator), _generator(loop.loader.sampler.generator)],  # type: ignore[attr-defined]  # RandomSampler
    }


def _groups(loop: Loop) -> list[dict[str, Any]]:
    return loop.optimizer.param_groups


def _state(optimizer: Optimizer) -> list[tuple[Tensor, dict[str, Any]]]:
    return list(optimizer.state.items())


def _pre(optimizer: Optimizer) -> dict[int, Any]:
    return optimizer._optimizer_step_pre_hooks


def _post(optimizer: Optimizer) -> dict[int, Any]:
    return optimizer._optimizer_step_post_hooks


def _own(thing: object) -> dict[str, Any]:
    return {name: value for name, value in vars(thing).items() if name != "optimizer"}


def _held(tensor: Tensor | None) -> tuple[Any, ...]:
    return () if tensor is None else (id(tensor), tensor.data_ptr(), tensor.detach().clone())


def _generator(generator: torch.Generator) -> Tensor:
    return generator.get_state()


def _described(value: Any) -> Any:
    """Plain data as it is, tensors with their identity, other objects by their identity alone."""
    match value:
        case Tensor():
            return _held(value)
        case dict():
            return {str(key): _described(one) for key, one in value.items()}
        case list() | tuple():
            return [type(value).__name__, *(_described(one) for one in value)]
        case int() | float() | str() | None:
            return value
        case _:
            return id(value)
