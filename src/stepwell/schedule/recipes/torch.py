"""torch: its schedulers with lengths in any unit.

`stepwell.twins` has the same under torch's own calls, exact past their ends too. torch counts calls of `step()`: where
that is once per epoch, give lengths in epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.recipes.parts import Span, length, lengths, number, percent, phase, poly, rate, share
from stepwell.schedule.recipes.recipe import Recipe


def step_lr(step_size: Span = "30%", gamma: float = 0.1) -> str:
    """A staircase."""
    return f"steps x{_cut(gamma)} every {length('step_size', step_size)}"


def multi_step_lr(milestones: Sequence[Span] = ("50%", "75%"), gamma: float = 0.1) -> str:
    """Milestones."""
    return f"steps x{_cut(gamma)} at {' '.join(map(str, lengths('milestones', milestones)))}"


def exponential_lr(gamma: float = 0.95, per: Span = "1%") -> str:
    """The same ratio at every step.

    torch's `gamma` counts per call of `step()`: `per=1` where it is called at every update. `per=1ep` falls smoothly;
    called once per epoch, torch falls with a stair, which is `decay x0.95 per 1ep by 1ep`.
    """
    return f"decay x{_cut(gamma)} per {length('per', per)}"


def constant_lr(factor: float = 1 / 3, total_iters: Span = "5%") -> str:
    """A share of the rate at first, then all of it at once."""
    return f"hold {share('factor', factor)} for {length('total_iters', total_iters)} | hold 1"


def linear_lr(start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: Span = "5%") -> str:
    """A straight line between two shares, then the second."""
    ends = share("start_factor", start_factor), share("end_factor", end_factor)
    return phase("linear", *ends, over=length("total_iters", total_iters))


def polynomial_lr(total_iters: Span | None = None, power: float = 1.0) -> str:
    """A power of the time that is left, to 0."""
    shape = poly(power)
    return phase(shape, "1", "0", over=None if total_iters is None else length("total_iters", total_iters))


def cosine_annealing_lr(T_max: Span | None = None, eta_min: float | None = None) -> str:  # noqa: N803 - torch's name
    """Half a cosine to the rate `eta_min`.

    Past `T_max` torch rises again; here the rate stays.
    """
    return phase("cosine", "1", rate("eta_min", eta_min), over=None if T_max is None else length("T_max", T_max))


def cosine_annealing_warm_restarts(
    T_0: Span = "25%",  # noqa: N803 - torch's name
    T_mult: int = 1,  # noqa: N803 - torch's name
    eta_min: float | None = None,
) -> str:
    """Cosines to the rate `eta_min` that restart at the peak."""
    longer = number("T_mult", T_mult, least=1.0)
    suffix = "" if longer == 1 else f" longer x{written(longer)}"
    return f"repeat ({phase('cosine', '1', rate('eta_min', eta_min), span=length('T_0', T_0))}){suffix}"


def cyclic_lr(  # noqa: PLR0913 - the library's own parameters
    base_lr: float | None = None,
    max_lr: float | None = None,
    step_size_up: Span = "12.5%",
    step_size_down: Span | None = None,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: float = 1.0,
    cycle_momentum: bool = True,
    base_momentum: float = 0.8,
    max_momentum: float = 0.9,
) -> str:
    """Triangles between two rates, and of momentum the other way.

    Left out, `max_lr` is the base rate and `base_lr` a tenth of `max_lr`. `triangular2` halves the height with every
    cycle, `exp_range` multiplies it by `gamma` at every update.
    """
    up = length("step_size_up", step_size_up)
    down = up if step_size_down is None else length("step_size_down", step_size_down)
    high = rate("max_lr", max_lr, "1")
    low = rate("base_lr", base_lr, "0.1" if max_lr is None else rate("max_lr", max_lr / 10))
    rates = _triangles(low, high, up, down, mode, gamma)
    if not cycle_momentum:
        return rates
    top, bottom = rate("max_momentum", max_momentum), rate("base_momentum", base_momentum)
    if mode == "triangular":
        return f"lr: {rates}; momentum: {_triangles(top, bottom, up, down, mode, gamma)}"
    wave = _scaled_wave(up, down, mode, gamma)
    depth = rate("max_momentum", float(Fraction(repr(max_momentum)) - Fraction(repr(base_momentum))))
    return f"lr: {rates}; momentum: {top} - {depth} * {wave}"


def one_cycle_lr(  # noqa: PLR0913 - the library's own parameters
    max_lr: float | None = None,
    total_steps: Span | None = None,
    pct_start: float = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    cycle_momentum: bool = True,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> str:
    """Up to the peak, down far below the start; momentum the other way.

    With `total_steps` in updates it is torch's to the last digit. Otherwise the phases are shares of the run: the peak
    comes one update later than torch's, and the end after the last update, a difference of at most 6 / total_steps.
    Past its last step torch rises again; here the schedule is over.
    """
    if total_steps is not None:
        total = length("total_steps", total_steps)
        if total.unit is not Unit.STEPS or total.value != int(total.value):
            raise ScheduleError(f"total_steps is a whole number of updates, or left out for the run; got {total}")
        from stepwell.schedule import twins  # which read recipes themselves

        # For rates that differ by group the twin's text is relative to them, which is what is wanted here.
        peak: float | list[float] = [1.0, 2.0] if max_lr is None else max_lr
        made = twins.one_cycle_lr(
            peak,
            int(total.value),
            pct_start=pct_start,
            anneal_strategy=anneal_strategy,
            cycle_momentum=cycle_momentum,
            base_momentum=base_momentum,
            max_momentum=max_momentum,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
            three_phase=three_phase,
        )
        return str(made)
    shape = "cosine" if anneal_strategy == "cos" else "linear"
    rise = percent("pct_start", pct_start)
    div, final = (
        number(name, value, above=True)
        for name, value in (("div_factor", div_factor), ("final_div_factor", final_div_factor))
    )
    peak_rate = 1.0 if max_lr is None else max_lr
    rates = [_level(peak_rate / div, max_lr), _level(peak_rate, max_lr), _level(peak_rate / div / final, max_lr)]
    fall = f" | {shape} to {rates[0]} for {rise}" if three_phase else ""
    text = f"{shape} {rates[0]}..{rates[1]} for {rise}{fall} | {shape} to {rates[2]}"
    if not cycle_momentum:
        return text
    top, bottom = rate("max_momentum", max_momentum), rate("base_momentum", base_momentum)
    back = f"{shape} to {top} for {rise} | hold" if three_phase else f"{shape} to {top}"
    return f"lr: {text}; momentum: {shape} {top}..{bottom} for {rise} | {back}"


def swalr(
    swa_lr: float | None = None, anneal_epochs: Span = "50%", anneal_strategy: Literal["cos", "linear"] = "cos"
) -> str:
    """From the rate to the one of stochastic weight averaging, which stays; a twentieth where `swa_lr` is left out.

    With `anneal_epochs` in epochs it is read once per epoch, as torch does.
    """
    span = length("anneal_epochs", anneal_epochs)
    shape = "cosine" if anneal_strategy == "cos" else "linear"
    text = phase(shape, "1", rate("swa_lr", swa_lr, "0.05"), over=span)
    return f"{text} by 1ep" if span.unit is Unit.EPOCHS else text


def reduce_lr_on_plateau(
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
) -> str:
    """Cut the rate when the metric stalls.

    `min_lr` and `eps` are factors here: add `floor 0.01` or `least 1e-7` to the text.
    """
    from stepwell.schedule import twins  # which read recipes themselves

    return f"(hold) * {twins.reduce_lr_on_plateau(mode, factor, patience, threshold, threshold_mode, cooldown)}"


def _cut(gamma: float) -> str:
    return written(number("gamma", gamma, above=True))


def _level(value: float, given: float | None) -> str:
    """A rate where the peak was given as one, else a share of the base rate."""
    return share("max_lr", value) if given is None else rate("max_lr", value)


def _triangles(low: str, high: str, up: Length, down: Length, mode: str, gamma: float) -> str:
    if mode == "exp_range" and gamma != 1:
        wave = _scaled_wave(up, down, mode, gamma)
        if low == "0":
            return f"{high} * {wave}"
        if low.startswith("=") == high.startswith("="):
            height = Fraction(high.lstrip("=")) - Fraction(low.lstrip("="))
            sign, mark = "-" if height < 0 else "+", "=" if low.startswith("=") else ""
            return f"{low} {sign} {mark}{written(float(abs(height)))} * {wave}"
        return f"{low} - {low} * {wave} + {high} * {wave}"
    lower = " lower x0.5" if mode == "triangular2" else ""
    return f"repeat ({phase('linear', low, high, span=up)} | linear to {low} for {down}){lower}"


def _scaled_wave(up: Length, down: Length, mode: str, gamma: float) -> str:
    """Triangles from 0 to 1 whose height shrinks, as a factor."""
    lower = " lower x0.5" if mode == "triangular2" else ""
    wave = f"(repeat ({phase('linear', '0', '1', span=up)} | linear to 0 for {down}){lower})"
    return f"{wave} * (decay x{_cut(gamma)} per 1)" if mode == "exp_range" and gamma != 1 else wave


FILE = "torch/optim/lr_scheduler.py"
RECIPES = (
    Recipe("torch.step_lr", step_lr, f"StepLR, {FILE}"),
    Recipe("torch.multi_step_lr", multi_step_lr, f"MultiStepLR, {FILE}"),
    Recipe("torch.exponential_lr", exponential_lr, f"ExponentialLR, {FILE}"),
    Recipe("torch.constant_lr", constant_lr, f"ConstantLR, {FILE}"),
    Recipe("torch.linear_lr", linear_lr, f"LinearLR, {FILE}"),
    Recipe("torch.polynomial_lr", polynomial_lr, f"PolynomialLR, {FILE}"),
    Recipe(
        "torch.cosine_annealing_lr",
        cosine_annealing_lr,
        f"CosineAnnealingLR, {FILE}; Loshchilov and Hutter 2017, arXiv:1608.03983",
    ),
    Recipe(
        "torch.cosine_annealing_warm_restarts",
        cosine_annealing_warm_restarts,
        f"CosineAnnealingWarmRestarts, {FILE}; Loshchilov and Hutter 2017, arXiv:1608.03983",
    ),
    Recipe("torch.cyclic_lr", cyclic_lr, f"CyclicLR, {FILE}; Smith 2017, arXiv:1506.01186"),
    Recipe("torch.one_cycle_lr", one_cycle_lr, f"OneCycleLR, {FILE}; Smith and Topin 2018, arXiv:1708.07120"),
    Recipe("torch.swalr", swalr, "SWALR, torch/optim/swa_utils.py; Izmailov et al. 2018, arXiv:1803.05407"),
    Recipe("torch.reduce_lr_on_plateau", reduce_lr_on_plateau, f"ReduceLROnPlateau, {FILE}"),
)
