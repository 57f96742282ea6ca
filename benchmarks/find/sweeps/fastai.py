"""fastai's `Learner.lr_find`, from 1e-7 to 10."""

from __future__ import annotations

from functools import partial

from fastai.callback.schedule import minimum, slide, steep, valley
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import OptimWrapper

from benchmarks.find import tasks
from benchmarks.find.sweeps.loader import loader

RULES = (valley, steep, minimum, slide)


def sweep(work: tasks.Work, optimizer: str, order: int, count: int) -> dict[str, float]:
    """What fastai's four rules suggest; `valley` is its default."""
    batches = loader(work, order)
    opened = partial(OptimWrapper, opt=partial(tasks.optimizer, optimizer))
    learner = Learner(DataLoaders(batches, batches), work.model, loss_func=work.criterion, opt_func=opened)
    with learner.no_bar():
        found = learner.lr_find(num_it=count, show_plot=False, suggest_funcs=RULES)
    return {f"fastai {name}": float(rate) for name, rate in found._asdict().items()}
