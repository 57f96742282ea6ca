"""The rows of a recorder: readings taken around every update of an optimizer, and the columns they become."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from torch.optim import Optimizer

from stepwell.drive.readings import Reading, gradient_norm, numbers, rate
from stepwell.record.columns import join, num_rows, rows_where
from stepwell.record.run import Columns


@final
class Rows:
    """One row per update that an optimizer really made: its number, the rates that it used, its loss.

    Readings wait as they are, and become columns when `collect` is called; only that waits for a GPU.

    Args:
        optimizer: it is listened to until `release`.
        norm_every: read the norm of all gradients too, at every so many updates from the first on; 0 is never.
    """

    def __init__(self, optimizer: Optimizer, *, norm_every: int) -> None:
        self._norm_every = norm_every
        # One entry per update since the last `collect`; `_losses` may be shorter than `_rates` until a loss is told.
        self._ahead: list[Reading] = []
        self._ahead_norm: Reading = np.nan
        self._rates: list[list[Reading]] = []
        self._norms: list[Reading] = []
        self._skipped: list[Reading] = []
        self._losses: list[Reading] = []
        self._parts: list[Columns] = []
        self.collected = 0
        """How many rows are columns already."""
        self._hooks = (
            optimizer.register_step_pre_hook(self._before_update),
            optimizer.register_step_post_hook(self._after_update),
        )

    def __len__(self) -> int:
        if any(self._skipped):
            self.collect()
        return self.collected + len(self._rates)

    @property
    def without_loss(self) -> int:
        """The latest updates whose loss was not told."""
        return len(self._rates) - len(self._losses)

    def add_loss(self, loss: Reading) -> int:
        """Give the latest update its loss, and the others without one `nan`; how many losses wait now."""
        missing = self.without_loss
        if missing > 1:
            self._losses.extend([np.nan] * (missing - 1))
        self._losses.append(loss)
        return len(self._losses)

    def collect(self) -> None:
        """Turn the readings since the last time into columns; this is where a GPU is waited for."""
        if not self._rates:
            return
        losses = self._losses + [np.nan] * self.without_loss
        columns = {"loss": numbers(losses)}
        for group in range(max(len(rates) for rates in self._rates)):
            readings = [rates[group] if group < len(rates) else np.nan for rates in self._rates]
            columns["lr" if group == 0 else f"lr.{group}"] = numbers(readings)
        if self._norm_every:
            columns["grad_norm"] = numbers(self._norms)
        columns = rows_where(columns, numbers(self._skipped) == 0.0)
        made = num_rows(columns)
        self._parts.append({"step": np.arange(self.collected, self.collected + made, dtype=np.float64)} | columns)
        self.collected += made
        self._rates, self._norms, self._skipped, self._losses = [], [], [], []

    def columns(self) -> Columns:
        """All rows that were collected."""
        return join(self._parts)

    def since(self, row: int) -> Columns:
        """Those from this row on."""
        parts: list[Columns] = []
        behind = self.collected
        for part in reversed(self._parts):
            if behind <= row:
                break
            parts.insert(0, part)
            behind -= num_rows(part)
        return {name: column[row - behind :] for name, column in join(parts).items()}

    def take(self, columns: Columns) -> None:
        """Let these be all rows, as of a run that is read from its store."""
        self._parts = [columns] if columns else []
        self.collected = num_rows(columns)

    def release(self) -> None:
        """Stop listening to the optimizer; the rows stay."""
        for hook in self._hooks:
            hook.remove()

    def _before_update(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._ahead = [rate(group["lr"]) for group in optimizer.param_groups]
        if self._norm_every:
            # Counted by rows, so that a run that goes on from a checkpoint reads at the same updates.
            due = (self.collected + len(self._rates)) % self._norm_every == 0
            closure = args[1] if len(args) > 1 else kwargs.get("closure")
            self._ahead_norm = gradient_norm(optimizer) if due and closure is None else np.nan

    def _after_update(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._rates.append(self._ahead)
        # A fused optimizer under a GradScaler is stepped always and told on the device whether to skip.
        self._skipped.append(getattr(optimizer, "found_inf", 0.0))
        if self._norm_every:
            self._norms.append(self._ahead_norm)
