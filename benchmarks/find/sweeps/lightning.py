"""Lightning's `Tuner.lr_find`, from 1e-8 to 1."""

from __future__ import annotations

import math
import tempfile

import lightning
from lightning.pytorch.tuner import Tuner
from torch import Tensor
from torch.optim import Optimizer

from benchmarks.find import tasks
from benchmarks.find.sweeps.loader import loader


class Trained(lightning.LightningModule):  # type: ignore[misc]  # not installed where types are checked
    """A task as Lightning wants it."""

    def __init__(self, work: tasks.Work, optimizer: str) -> None:
        super().__init__()
        self.work, self.optimizer_name, self.lr = work, optimizer, 1e-3
        self.model = work.model

    def training_step(self, batch: tasks.Batch, _: int) -> Tensor:
        """The loss of a batch."""
        return self.work.loss(self.model, batch)

    def configure_optimizers(self) -> Optimizer:
        """The task's optimizer."""
        return tasks.optimizer(self.optimizer_name, self.model.parameters(), self.lr)


def sweep(work: tasks.Work, optimizer: str, order: int, count: int) -> dict[str, float]:
    """What Lightning suggests; `nan` for its None."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        found = Tuner(trainer).lr_find(
            Trained(work, optimizer), train_dataloaders=loader(work, order), num_training=count, update_attr=False
        )
    rate = found.suggestion() if found is not None else None
    return {"lightning": math.nan if rate is None else float(rate)}
