"""The rates that fastai, Lightning, torch-lr-finder and ignite suggest for given losses, as golden values.

python -m venv golden && golden/bin/pip install torch==2.13.0 fastai==2.8.12 lightning==2.6.6 torch-lr-finder==0.2.2 \\
    pytorch-ignite==0.5.5 scikit-learn==1.9.1
golden/bin/python tests/find/golden/make_rules.py > tests/find/golden/rules.json

Every package runs its whole finder, with its defaults, on a model whose loss is told: update number `i` costs
`losses[i]`, whatever the rate. So its own smoothing, stopping, trimming and rule are all in the answer. Its rates are
written down too; ours are given the same.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Answers = tuple[list[float], dict[str, float | None]]
PACKAGES = ("fastai", "lightning", "torch-lr-finder", "pytorch-ignite", "torch")


def curves() -> dict[str, list[float]]:
    """The raw losses of sweeps of many kinds; four digits after the point, except in one that was recorded."""
    noise = np.random.default_rng(4)
    u = np.linspace(0.0, 1.0, 101)
    falls = 2.3 - 1.9 / (1 + np.exp(-14 * (u - 0.6)))
    bowl = falls + np.exp(30 * (u - 0.93))
    blows = np.where(u < 0.86, falls, falls + 10.0 ** (40 * np.clip(u - 0.86, 0.0, None)))
    breaks = np.where(np.arange(101) < 88, bowl, np.nan)
    early = np.where(np.arange(101) < 40, falls, np.inf)
    found = {
        "smooth": bowl,
        "falling to the end": falls,
        "noisy": bowl + 0.25 * noise.normal(size=101),
        "very noisy": 2.3 + 0.4 * noise.normal(size=101),
        "explodes": blows + 0.1 * noise.normal(size=101),
        "nan at 88": breaks + 0.05 * noise.normal(size=101),
        "nan for one update": np.where(np.arange(101) == 60, np.nan, bowl),
        "infinite at 40": early + 0.05 * noise.normal(size=101),
        "steps": np.round(bowl * 2) / 2 + 0.001 * np.arange(101),
        "rises from the start": 0.7 + u + 0.05 * noise.normal(size=101),
        "below zero": bowl - 2.0,
        "nearly constant": 2.3026 + 0.0005 * noise.normal(size=101),
        "short": bowl[::3] + 0.1 * noise.normal(size=34),
        "very short": bowl[::8],
        "long": np.interp(np.linspace(0, 1, 301), u, bowl) + 0.3 * noise.normal(size=301),
    }
    return {name: [round(float(loss), 4) for loss in losses] for name, losses in found.items()} | {
        "recorded": recorded()
    }


def recorded() -> list[float]:
    """A real sweep from 1e-7 to 10: a small network on handwritten digits, plain SGD with momentum."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    digits = load_digits()
    inputs, targets = torch.tensor(digits.data / 16.0, dtype=torch.float32), torch.tensor(digits.target)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    stepper = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    losses = []
    for rate in np.geomspace(1e-7, 10.0, 101):
        rows = torch.randint(len(inputs), (32,))
        loss = nn.functional.cross_entropy(model(inputs[rows]), targets[rows])
        losses.append(loss.item())
        stepper.zero_grad()
        torch.autograd.backward(loss)
        stepper.param_groups[0]["lr"] = float(rate)
        stepper.step()
    return losses


def told(losses: list[float]) -> Iterator[Tensor]:
    """The losses as tensors that can be differentiated and change nothing."""
    for loss in losses:
        yield torch.tensor(loss, requires_grad=True) * 1.0


def batches(count: int) -> Any:
    """A loader of as many batches."""
    from torch.utils.data import DataLoader, TensorDataset

    return DataLoader(TensorDataset(torch.zeros(count, 1), torch.zeros(count, 1)), batch_size=1)


def fastai(losses: list[float]) -> Answers:
    """`Learner.lr_find`."""
    from fastai.callback.schedule import minimum, slide, steep, valley
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    def optimizer(parameters: Any, **options: Any) -> Any:
        return OptimWrapper(parameters, opt=torch.optim.SGD)

    def learner() -> Any:
        loader, stream = batches(len(losses) - 1), told(losses)
        data, folder = DataLoaders(loader, loader), tempfile.mkdtemp()
        made = Learner(data, nn.Linear(1, 1), loss_func=lambda *_: next(stream), opt_func=optimizer, path=folder)
        return made.remove_cb(made.progress) if hasattr(made, "progress") else made

    answers: dict[str, float | None] = {}
    rates: list[float] = []
    for rule in (valley, steep, minimum, slide):  # one at a time: where one fails, the others still answer
        finder = learner()
        suggest = partial(finder.lr_find, num_it=len(losses) - 1, show_plot=False, suggest_funcs=rule)
        answers[f"fastai.{rule.__name__}"] = given(suggest)
        rates = [float(rate) for rate in finder.recorder.lrs]
    return rates, answers


def lightning(losses: list[float]) -> Answers:
    """`Tuner.lr_find`."""
    import lightning as package
    from lightning.pytorch.tuner import Tuner

    class Told(package.LightningModule):  # type: ignore[misc]  # not installed where types are checked
        def __init__(self) -> None:
            super().__init__()
            self.model, self.stream, self.lr = nn.Linear(1, 1), told(losses), 1e-3

        def training_step(self, batch: Any, _: int) -> Tensor:
            return next(self.stream)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.model.parameters(), lr=self.lr)

    with tempfile.TemporaryDirectory() as folder:
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = package.Trainer(
            accelerator="cpu", devices=1, default_root_dir=folder, enable_model_summary=False, **quiet
        )
        count = len(losses) - 1
        found = Tuner(trainer).lr_find(Told(), train_dataloaders=batches(count), num_training=count, update_attr=False)
    return [float(rate) for rate in found.results["lr"]], {"lightning": given(found.suggestion)}


def torch_lr_finder(losses: list[float]) -> Answers:
    """`LRFinder.range_test` from 1e-7, and `plot`."""
    import matplotlib.pyplot as plt
    from torch_lr_finder import LRFinder

    model, stream = nn.Linear(1, 1), told(losses)
    finder = LRFinder(model, torch.optim.SGD(model.parameters(), lr=1e-7), lambda *_: next(stream))
    count = len(losses) - 1
    finder.range_test(batches(count), end_lr=10, num_iter=count)
    axes = plt.subplots()[1]
    answer = given(lambda: finder.plot(ax=axes, suggest_lr=True)[1])
    return [float(rate) for rate in finder.history["lr"]], {"torch-lr-finder": answer}


def ignite(losses: list[float]) -> Answers:
    """`FastaiLRFinder` from 1e-7; it makes one update more than it is told."""
    from ignite.engine import Engine
    from ignite.handlers import FastaiLRFinder

    model, stream = nn.Linear(1, 1), told(losses)
    stepper, finder, count = torch.optim.SGD(model.parameters(), lr=1e-7), FastaiLRFinder(), len(losses) - 1

    def update(*_: Any) -> float:
        stepper.step()
        return next(stream).item()

    saved = {"model": model, "optimizer": stepper}
    with finder.attach(Engine(update), saved, num_iter=count, start_lr=1e-7) as trainer:
        trainer.run(batches(count))
    return [float(rate) for rate in finder.get_results()["lr"]], {"ignite": given(finder.lr_suggestion)}


def given(suggest: Callable[[], Any]) -> float | None:
    """The suggestion, or the only one of several; None where the package has none or fails."""
    try:
        rate = suggest()
        rate = rate[0] if isinstance(rate, tuple) else rate
    except (ArithmeticError, LookupError, RuntimeError, ValueError):
        return None
    return None if rate is None or not math.isfinite(rate) else float(rate)


def main() -> None:
    """Print the golden values."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    os.environ["MPLBACKEND"] = "Agg"
    torch.set_num_threads(1)
    rates: dict[str, list[float]] = {}
    cases = []
    for name, losses in curves().items():
        case: dict[str, Any] = {"name": name, "losses": losses, "updates": {}, "answers": {}}
        for package in (fastai, lightning, torch_lr_finder, ignite):
            with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                used, answers = package(losses)
            key = f"{package.__name__} {len(losses) - 1}"
            longest = max(rates.get(key, []), used, key=len)
            assert longest[: len(used)] == used, key  # a sweep that was stopped has the first of the same rates
            rates[key] = longest
            case["updates"][package.__name__] = len(used)
            case["answers"] |= answers
        cases.append(case)
    made = {package: version(package) for package in PACKAGES}
    text = json.dumps({"versions": made, "rates": rates, "cases": cases})
    sys.stdout.write(text.replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
