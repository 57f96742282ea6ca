"""Small real tasks for judging learning-rate finders; an update takes a fraction of a millisecond.

They need torch, numpy, scikit-learn and the standard library only, so that the peers' environment can import them too.
A batch is a pair of inputs and targets, the loss `criterion(model(inputs), targets)`: the form that every peer takes.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

Batch: TypeAlias = tuple[Tensor, Tensor]
Criterion: TypeAlias = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Work:
    """One seed's worth of work; the data are the same for every seed.

    Args:
        model: freshly initialised.
        criterion: outputs, targets -> the scalar mean loss.
        train, val: all inputs and targets.
        batch_size: examples per update.
        scoring: training examples on which a rate is judged after its last update.
    """

    model: nn.Module
    criterion: Criterion
    train: Batch
    val: Batch
    batch_size: int
    scoring: Batch

    def batches(self, seed: int) -> Iterator[Batch]:
        """Endless shuffled batches; a last one that is not full is left out."""
        order = torch.Generator().manual_seed(seed)
        inputs, targets = self.train
        while True:
            drawn = torch.randperm(len(inputs), generator=order)
            for chosen in torch.split(drawn, self.batch_size):
                if len(chosen) == self.batch_size:
                    yield inputs[chosen], targets[chosen]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """The training loss of a batch."""
        return self.criterion(model(batch[0]), batch[1])


OPTIMIZERS = ("sgd", "momentum", "adam", "adamw", "rmsprop")


def optimizer(name: str, params: Iterable[nn.Parameter], lr: float) -> Optimizer:
    """The optimizer with torch's defaults, but for the usual momentum; fused where it can be, which only saves time."""
    match name:
        case "sgd":
            return SGD(params, lr=lr, fused=True)
        case "momentum":
            return SGD(params, lr=lr, momentum=0.9, fused=True)
        case "adam":
            return Adam(params, lr=lr, fused=True)
        case "adamw":
            return AdamW(params, lr=lr, fused=True)
        case "rmsprop":
            return RMSprop(params, lr=lr)
    raise ValueError(f"unknown optimizer {name!r}; known: {', '.join(OPTIMIZERS)}")


def _work(
    model: nn.Module, criterion: Criterion, data: tuple[Batch, Batch], batch_size: int, *, judged: int = 512
) -> Work:
    train, val = data
    return Work(model, criterion, train, val, batch_size, (train[0][:judged], train[1][:judged]))


def _split(inputs: Tensor, targets: Tensor, count: int) -> tuple[Batch, Batch]:
    """The first `count` examples of a fixed shuffle, and the rest."""
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))
    first, rest = order[:count], order[count:]
    return (inputs[first], targets[first]), (inputs[rest], targets[rest])


def _standardised(values: np.ndarray) -> Tensor:
    return torch.tensor((values - values.mean(0)) / values.std(0), dtype=torch.float32)


@cache
def _digits() -> tuple[Batch, Batch]:
    images, labels = datasets.load_digits(return_X_y=True)
    return _split(torch.tensor(images / 16.0, dtype=torch.float32), torch.tensor(labels), 1400)


@cache
def _diabetes(*, raw: bool) -> tuple[Batch, Batch]:
    inputs, targets = datasets.load_diabetes(return_X_y=True)
    used = torch.tensor(inputs, dtype=torch.float32) if raw else _standardised(inputs)
    return _split(used, _standardised(targets)[:, None], 342)


@cache
def _cancer() -> tuple[Batch, Batch]:
    """Three hundred training examples; 15% of the labels, of validation too, are wrong."""
    inputs, labels = datasets.load_breast_cancer(return_X_y=True)
    wrong = np.random.default_rng(0).random(len(labels)) < 0.15
    noisy = torch.tensor(np.where(wrong, 1 - labels, labels))
    return _split(_standardised(inputs), noisy, 300)


@cache
def _wine() -> tuple[Batch, Batch]:
    inputs, kinds = datasets.load_wine(return_X_y=True)
    return _split(_standardised(inputs), torch.tensor(kinds), 140)


@cache
def _source(length: int) -> tuple[Batch, Batch]:
    """Windows of characters of the standard library, and the same moved on by one; 64 symbols."""
    library = Path(os.__file__).parent
    text = "".join((library / f"{name}.py").read_text("utf-8") for name in ("argparse", "ast", "tarfile", "typing"))
    common = {symbol: number for number, (symbol, _) in enumerate(Counter(text).most_common(63), start=1)}
    codes = torch.tensor([common.get(symbol, 0) for symbol in text])
    count = (len(codes) - 1) // length
    inputs = codes[: count * length].view(count, length)
    targets = codes[1 : count * length + 1].view(count, length)
    return _split(inputs, targets, count - 500)


def _over_symbols(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


class _Transformer(nn.Module):
    """One causal block with learned positions, normalised before each part."""

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.symbols = nn.Embedding(64, width)
        self.positions = nn.Parameter(0.02 * torch.randn(length, width))
        self.before, self.between, self.after = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.read = nn.Linear(width, 64)

    def forward(self, codes: Tensor) -> Tensor:
        x = self.symbols(codes) + self.positions
        query, key, value = self.mixed(self.before(x)).unflatten(-1, (3, 2, -1)).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.joined(seen.transpose(1, 2).flatten(2))
        x = x + self.narrow(functional.gelu(self.wide(self.between(x))))
        logits: Tensor = self.read(self.after(x))
        return logits


class _Residual(nn.Module):
    """What the layers make of the normalised input, added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.layers(x)
        return added


class _Recurrent(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.symbols = nn.Embedding(64, width)
        self.memory = nn.RNN(width, width, batch_first=True)
        self.read = nn.Linear(width, 64)

    def forward(self, codes: Tensor) -> Tensor:
        logits: Tensor = self.read(self.memory(self.symbols(codes))[0])
        return logits


def digits_mlp() -> Work:
    """Digits, one hidden layer."""
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    return _work(model, functional.cross_entropy, _digits(), 32)


def digits_cnn() -> Work:
    """Digits, two convolutions with batch normalisation."""
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 10),
    )
    return _work(model, functional.cross_entropy, _digits(), 32)


def diabetes_mlp() -> Work:
    """Regression on 342 patients."""
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    return _work(model, functional.mse_loss, _diabetes(raw=False), 32)


def cancer_noisy() -> Work:
    """Few examples with wrong labels, small batches: a noisy loss that can be learnt by heart."""
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2))
    return _work(model, functional.cross_entropy, _cancer(), 16)


def source_transformer() -> Work:
    """The next character of Python's own source, one transformer block."""
    return _work(_Transformer(24, 12), _over_symbols, _source(12), 16)


def digits_autoencoder() -> Work:
    """Digits through six numbers and back."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ELU(), nn.Linear(32, 6), nn.Linear(6, 32), nn.ELU(), nn.Linear(32, 64))
    (train, _), (val, _) = _digits()
    return _work(model, functional.mse_loss, ((train, train), (val, val)), 32)


def deep_tanh() -> Work:
    """Digits through eight saturating layers, without normalisation or short cuts."""
    widths = [64, *[24] * 8]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        linear = nn.Linear(before, after)
        nn.init.xavier_uniform_(linear.weight)
        layers += [linear, nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(24, 10))
    return _work(model, functional.cross_entropy, _digits(), 32)


def diabetes_linear() -> Work:
    """Linear regression on columns as they come (standard deviation 0.05) beside a bias: badly conditioned, convex."""
    return _work(nn.Linear(10, 1), functional.mse_loss, _diabetes(raw=True), 32)


def source_recurrent() -> Work:
    """The next character of Python's own source, by recurrence."""
    return _work(_Recurrent(24), _over_symbols, _source(8), 16)


def wine_normalised() -> Work:
    """Three kinds of wine by 13 measurements, two hidden layers with batch normalisation."""
    hidden = [nn.Sequential(nn.Linear(before, 24), nn.BatchNorm1d(24), nn.ReLU()) for before in (13, 24)]
    return _work(nn.Sequential(*hidden, nn.Linear(24, 3)), functional.cross_entropy, _wine(), 16)


def digits_residual() -> Work:
    """Digits, four residual blocks with layer normalisation."""
    model = nn.Sequential(nn.Linear(64, 32), *[_Residual(32) for _ in range(4)], nn.LayerNorm(32), nn.Linear(32, 10))
    return _work(model, functional.cross_entropy, _digits(), 32)


def source_pairs() -> Work:
    """The next character of Python's own source from the one before alone, by one hidden layer."""
    model = nn.Sequential(nn.Embedding(64, 16), nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 64))
    return _work(model, _over_symbols, _source(8), 16)


DESIGN = (digits_mlp, digits_cnn, diabetes_mlp, cancer_noisy, source_transformer, digits_autoencoder, deep_tanh)
# Not looked at while a finder was being designed; the last three were made after it was.
HELD_OUT = (diabetes_linear, source_recurrent, wine_normalised, digits_residual, source_pairs)
TASKS: Mapping[str, Callable[[], Work]] = MappingProxyType({each.__name__: each for each in (*DESIGN, *HELD_OUT)})


def make(task: str, seed: int) -> Work:
    """The work of a task, its model initialised from the seed; torch's own random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TASKS[task]()


@cache
def fingerprint(task: str) -> str:
    """A short hash of the source of everything in this file that the task is made of, and of torch's version."""
    here = {name: value for name, value in globals().items() if getattr(value, "__module__", "") == __name__}
    wanted, texts = [TASKS[task].__name__, "Work", "optimizer"], {}
    while wanted:
        name = wanted.pop()
        if name in texts or name not in here:
            continue
        texts[name] = inspect.getsource(here[name])
        wanted += [other for other in here if other in texts[name]]
    whole = "\n".join(texts[name] for name in sorted(texts)) + torch.__version__
    return hashlib.sha256(whole.encode()).hexdigest()[:12]
