"""Live schedulers that listen to a metric, of torch, transformers and timm, read into controllers."""

from __future__ import annotations

from typing import Any

from torch.optim import lr_scheduler

from stepwell.errors import ScheduleError
from stepwell.schedule import Controller, Greedy, Schedule, twins
from stepwell.schedule.feedback import holding
from stepwell.schedule.twins.arguments import ratio_of


def read(scheduler: Any) -> Schedule | None:
    """The schedule `hold` with the scheduler's controller; None if it listens to nothing.

    Raises:
        ScheduleError: settings that no controller has: limits in another ratio to the rate in each group, a warm-up
            before timm's plateau.
    """
    if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
        return holding(_plateau(scheduler))
    match type(scheduler).__name__:
        case "GreedyLR":  # of transformers, which need not be installed
            return holding(_greedy(scheduler))
        case "PlateauLRScheduler":  # of timm
            return holding(_plateau_of_timm(scheduler))
    return None


def _plateau(scheduler: Any) -> Controller:
    return twins.reduce_lr_on_plateau(
        mode=scheduler.mode,
        factor=scheduler.factor,
        patience=scheduler.patience,
        threshold=scheduler.threshold,
        threshold_mode=scheduler.threshold_mode,
        cooldown=scheduler.cooldown,
        min_lr=[float(rate) for rate in scheduler.min_lrs],
        eps=scheduler.eps,
        base_lr=[float(group.get("initial_lr", group["lr"])) for group in scheduler.optimizer.param_groups],
    )


def _greedy(scheduler: Any) -> Controller:
    base = [float(rate) for rate in scheduler._init_lrs]
    return Greedy(
        cut=scheduler.factor,
        patience=scheduler.patience,
        threshold=scheduler.threshold,
        threshold_mode=scheduler.threshold_mode,
        cooldown=scheduler.cooldown,
        warmup=scheduler.warmup,
        floor=ratio_of("min_lr and the optimizer's rates", scheduler.min_lrs, base),
        ceiling=ratio_of("max_lr and the optimizer's rates", scheduler.max_lrs, base),
        window=scheduler.window_size if scheduler.smooth else 1,
        reset=scheduler.reset_start_original,
        mode=scheduler.mode,
    )


def _plateau_of_timm(scheduler: Any) -> Controller:
    if scheduler.warmup_t or scheduler.noise_range_t is not None:
        raise ScheduleError(
            "timm's plateau counts no metrics in its warm-up and may add noise, which no controller does; write "
            f"'(linear {'0' if not scheduler.warmup_lr_init else f'={scheduler.warmup_lr_init:g}'}..1 for "
            f"{scheduler.warmup_t}ep | hold) * plateau(...)' and observe metrics after the warm-up only"
        )
    return _plateau(scheduler.lr_scheduler)
