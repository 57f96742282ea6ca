"""Live torch schedulers: what they were made with, their twin, and the same one made anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer, lr_scheduler
from torch.optim.swa_utils import SWALR

from stepwell.drive.lambdas import recognised
from stepwell.errors import ScheduleError
from stepwell.schedule import Schedule, parse, twins
from stepwell.schedule.length import written

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one of torch's classes is read: its arguments from a live one, and its twin from those and total_steps."""

    arguments: Callable[[Any], Arguments]
    twin: Callable[[Arguments, int | None], Schedule]


def twin_of(live: Any, total_steps: int | None) -> Schedule:
    """The twin of a live scheduler.

    Raises:
        ScheduleError: an unknown kind, or one that its twin refuses.
    """
    match live:
        case lr_scheduler.SequentialLR():
            bounds = [0, *live._milestones]
            totals = [None if total_steps is None else max(total_steps - begin, 1) for begin in bounds]
            members = [twin_of(member, total) for member, total in zip(live._schedulers, totals, strict=True)]
            return twins.sequential_lr(members, live._milestones)
        case lr_scheduler.ChainedScheduler():
            return twins.chained_scheduler([twin_of(member, total_steps) for member in live._schedulers])
    kind = _kind(live)
    return kind.twin(kind.arguments(live), total_steps)


def rebuilt(live: Any, optimizer: Optimizer) -> Any:
    """The same scheduler, made anew with the arguments of the live one."""
    match live:
        case lr_scheduler.SequentialLR():
            members = [rebuilt(member, optimizer) for member in live._schedulers]
            return lr_scheduler.SequentialLR(optimizer, members, list(live._milestones))
        case lr_scheduler.ChainedScheduler():
            return lr_scheduler.ChainedScheduler([rebuilt(member, optimizer) for member in live._schedulers])
    return type(live)(optimizer, **_kind(live).arguments(live))


def leaves(live: Any) -> Iterator[Any]:
    """The schedulers without members, in order."""
    if isinstance(live, lr_scheduler.SequentialLR | lr_scheduler.ChainedScheduler):
        for member in live._schedulers:
            yield from leaves(member)
    else:
        yield live


def first_rates(live: Any) -> list[float]:
    """The rates that the optimizer had when the scheduler was made, as far as anything has kept them."""
    first = next(leaves(live))
    if sets_rates(first):
        return [float(group["initial_lr"]) for group in first.optimizer.param_groups]
    return [float(rate) for rate in first.base_lrs]


def bases(live: Any) -> list[float]:
    """The rates that the factors of the twin are relative to."""
    match live:
        case lr_scheduler.OneCycleLR():
            listed: list[Any] = [group["max_lr"] for group in live.optimizer.param_groups]
        case lr_scheduler.CyclicLR():
            listed = live.max_lrs if len(set(live.max_lrs)) > 1 else live.base_lrs
        case _:
            listed = []
    return [float(rate) for rate in listed] if len(set(listed)) > 1 else first_rates(live)


def sets_rates(leaf: Any) -> bool:
    """Whether it replaces the optimizer's rates by its own when it is made."""
    return isinstance(leaf, lr_scheduler.CyclicLR | lr_scheduler.OneCycleLR)


def last_step(live: Any) -> int:
    """How often it was stepped; a ChainedScheduler does not count, but its members do."""
    return int(live.last_epoch if hasattr(live, "last_epoch") else last_step(live._schedulers[0]))


def _kind(live: Any) -> Kind:
    kind = KINDS.get(type(live))
    if kind is None:
        known = ", ".join(sorted(one.__name__ for one in KINDS))
        raise ScheduleError(
            f"{type(live).__name__} is no scheduler that from_torch knows; it reads {known}, SequentialLR, "
            "ChainedScheduler, ReduceLROnPlateau and timm's. For another one write its factors into a table: "
            "twins.lambda_lr(lambda step: ..., total_steps=...)"
        )
    return kind


def _named(*names: str) -> Callable[[Any], Arguments]:
    return lambda live: {name: getattr(live, name) for name in names}


def _of(twin: Callable[..., Schedule]) -> Callable[[Arguments, int | None], Schedule]:
    return lambda arguments, total_steps: twin(**arguments)


def _groups(live: Any, name: str) -> Any:
    """One entry of all groups: one number if they agree."""
    return _one([float(group[name]) for group in live.optimizer.param_groups])


def _one(values: list[Any]) -> Any:
    numbers = [float(value) for value in values]
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _clean(value: float) -> float:
    """What was probably written, from what was computed with it: 0.30000000000000004 was 0.3."""
    return float(f"{value:.12g}")


def _cyclic(live: Any) -> Arguments:
    up = _clean(live.total_size * live.step_ratio)
    arguments = {
        "base_lr": _one(live.base_lrs),
        "max_lr": _one(live.max_lrs),
        "step_size_up": up,
        "step_size_down": _clean(live.total_size - up),
        "mode": live.mode,
        "gamma": live.gamma,
        "scale_fn": live._scale_fn_custom,
        "scale_mode": live.scale_mode,
        "cycle_momentum": live.cycle_momentum,
    }
    if live.cycle_momentum:
        arguments |= {"base_momentum": _one(live.base_momentums), "max_momentum": _one(live.max_momentums)}
    return arguments


def _cyclic_twin(arguments: Arguments, total_steps: int | None) -> Schedule:
    return twins.cyclic_lr(**arguments, total_steps=total_steps)


def _one_cycle(live: Any) -> Arguments:
    group, phases = live.optimizer.param_groups[0], live._schedule_phases
    arguments = {
        "max_lr": _groups(live, "max_lr"),
        "total_steps": live.total_steps,
        "pct_start": _clean((phases[0]["end_step"] + 1) / live.total_steps),
        "anneal_strategy": live._anneal_func_type,
        "cycle_momentum": live.cycle_momentum,
        "div_factor": _clean(group["max_lr"] / group["initial_lr"]),
        "final_div_factor": _clean(group["initial_lr"] / group["min_lr"]),
        "three_phase": len(phases) == 3,
    }
    if live.cycle_momentum:
        momenta = {name: _groups(live, name) for name in ("base_momentum", "max_momentum")}
        arguments |= momenta
    return arguments


def _functions(live: Any) -> Arguments:
    return {"lr_lambda": list(live.lr_lambdas)}


def _lambda_twin(arguments: Arguments, total_steps: int | None) -> Schedule:
    """The text of a function of transformers, else a table."""
    total, known = recognised(arguments["lr_lambda"][0], total_steps)
    table = twins.lambda_lr(arguments["lr_lambda"], _table_steps(total))
    return table if known is None else known


def _multiplicative_twin(arguments: Arguments, total_steps: int | None) -> Schedule:
    return twins.multiplicative_lr(arguments["lr_lambda"], _table_steps(total_steps))


def _table_steps(total_steps: int | None) -> int:
    if total_steps is None:
        raise ScheduleError("a function of the step becomes a table with one value per step")
    return total_steps


def _swa(live: Any) -> Arguments:
    return {
        "swa_lr": _groups(live, "swa_lr"),
        "anneal_epochs": live.anneal_epochs,
        "anneal_strategy": live._anneal_strategy,
    }


def _swa_twin(arguments: Arguments, total_steps: int | None) -> Schedule:
    if isinstance(arguments["swa_lr"], list):
        raise ScheduleError("the rates of SWALR differ between parameter groups; make one Scheduler per group")
    end = f"={written(arguments['swa_lr'])}"
    shape = "cosine" if arguments["anneal_strategy"] == "cos" else "linear"
    epochs = arguments["anneal_epochs"]
    return parse(f"{shape} 1..{end} over {epochs}" if epochs else f"hold {end}")


KINDS: dict[type, Kind] = {
    lr_scheduler.StepLR: Kind(_named("step_size", "gamma"), _of(twins.step_lr)),
    lr_scheduler.MultiStepLR: Kind(
        lambda live: {"milestones": sorted(Counter(live.milestones).elements()), "gamma": live.gamma},
        _of(twins.multi_step_lr),
    ),
    lr_scheduler.ExponentialLR: Kind(_named("gamma"), _of(twins.exponential_lr)),
    lr_scheduler.ConstantLR: Kind(_named("factor", "total_iters"), _of(twins.constant_lr)),
    lr_scheduler.LinearLR: Kind(_named("start_factor", "end_factor", "total_iters"), _of(twins.linear_lr)),
    lr_scheduler.PolynomialLR: Kind(_named("total_iters", "power"), _of(twins.polynomial_lr)),
    lr_scheduler.CosineAnnealingLR: Kind(_named("T_max", "eta_min"), _of(twins.cosine_annealing_lr)),
    lr_scheduler.CosineAnnealingWarmRestarts: Kind(
        _named("T_0", "T_mult", "eta_min"), _of(twins.cosine_annealing_warm_restarts)
    ),
    lr_scheduler.CyclicLR: Kind(_cyclic, _cyclic_twin),
    lr_scheduler.OneCycleLR: Kind(_one_cycle, _of(twins.one_cycle_lr)),
    lr_scheduler.LambdaLR: Kind(_functions, _lambda_twin),
    lr_scheduler.MultiplicativeLR: Kind(_functions, _multiplicative_twin),
    SWALR: Kind(_swa, _swa_twin),
}
