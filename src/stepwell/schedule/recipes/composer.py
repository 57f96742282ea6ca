"""composer: stateless schedulers.

composer's `1dur` is `100%`, `10ep` is `10ep`, `100ba` is `100`. Left out, `t_max` is the run; the warm-up counts into
it. Past `t_max` composer stays at the end, as here. Its `scale_schedule_ratio` stretches a schedule, which shares of
the run do by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.schedule.length import Length, written
from stepwell.schedule.recipes.parts import Span, after, length, lengths, number, phase, poly, share, warmup
from stepwell.schedule.recipes.recipe import Recipe


def step(step_size: Span = "30%", gamma: float = 0.1) -> str:
    """A staircase."""
    return f"steps x{_cut(gamma)} every {length('step_size', step_size)}"


def multi_step(milestones: Sequence[Span] = ("50%", "75%"), gamma: float = 0.1) -> str:
    """Milestones."""
    return f"steps x{_cut(gamma)} at {_places(milestones)}"


def constant(alpha: float = 1.0, t_max: Span | None = None) -> str:
    """A share of the rate until `t_max`, then all of it."""
    level = share("alpha", alpha)
    if t_max is None:
        return "hold" if level == "1" else f"hold {level}"
    return f"hold {level} for {length('t_max', t_max)} | hold 1"


def linear(alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: Span | None = None) -> str:
    """A straight line between two shares."""
    return phase("linear", share("alpha_i", alpha_i), share("alpha_f", alpha_f), over=_clock(t_max))


def exponential(gamma: float = 0.95, decay_period: Span = "1%") -> str:
    """The same ratio at every step, `gamma` per `decay_period`; composer's period is an epoch by default."""
    return f"decay x{_cut(gamma)} per {length('decay_period', decay_period)}"


def cosine_annealing(t_max: Span | None = None, alpha_f: float = 0.0) -> str:
    """Half a cosine to a share of the rate."""
    return phase("cosine", "1", share("alpha_f", alpha_f), over=_clock(t_max))


def cosine_annealing_warm_restarts(t_0: Span = "25%", t_mult: float = 1.0, alpha_f: float = 0.0) -> str:
    """Cosines to a share of the rate that restart at the peak.

    composer cuts the length of every cycle to whole batches; here its end is rounded.
    """
    longer = "" if t_mult == 1 else f" longer x{written(number('t_mult', t_mult, above=True))}"
    return f"repeat ({phase('cosine', '1', share('alpha_f', alpha_f), span=length('t_0', t_0))}){longer}"


def polynomial(power: float = 2.0, t_max: Span | None = None, alpha_f: float = 0.0) -> str:
    """A power of the time that is left, to a share of the rate."""
    return phase(poly(power), "1", share("alpha_f", alpha_f), over=_clock(t_max))


def multi_step_with_warmup(
    t_warmup: Span = "5%", milestones: Sequence[Span] = ("50%", "75%"), gamma: float = 0.1
) -> str:
    """A linear warm-up, then milestones, which count from the start of the run."""
    rise = _rise(t_warmup)
    if not rise.value:
        return multi_step(milestones, gamma)
    return f"{warmup(rise)}steps 1 x{_cut(gamma)} at {_places(milestones)} from {rise}"


def constant_with_warmup(t_warmup: Span = "5%", alpha: float = 1.0) -> str:
    """A linear warm-up, then a share of the rate."""
    level = share("alpha", alpha)
    return f"{warmup(_rise(t_warmup), '0', level)}hold {level}"


def linear_with_warmup(
    t_warmup: Span = "5%", alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: Span | None = None
) -> str:
    """A linear warm-up, then a straight line between two shares."""
    start, end = share("alpha_i", alpha_i), share("alpha_f", alpha_f)
    return warmup(_rise(t_warmup), "0", start) + phase("linear", start, end, over=_rest(t_max, t_warmup))


def cosine_annealing_with_warmup(t_warmup: Span = "5%", t_max: Span | None = None, alpha_f: float = 0.0) -> str:
    """A linear warm-up, then half a cosine to a share of the rate."""
    return warmup(_rise(t_warmup)) + phase("cosine", "1", share("alpha_f", alpha_f), over=_rest(t_max, t_warmup))


def polynomial_with_warmup(
    t_warmup: Span = "5%", power: float = 2.0, t_max: Span | None = None, alpha_f: float = 0.0
) -> str:
    """A linear warm-up, then a power of the time that is left, to a share of the rate."""
    return warmup(_rise(t_warmup)) + phase(poly(power), "1", share("alpha_f", alpha_f), over=_rest(t_max, t_warmup))


def _cut(gamma: float) -> str:
    return written(number("gamma", gamma, above=True))


def _places(milestones: Sequence[Span]) -> str:
    return " ".join(map(str, lengths("milestones", milestones)))


def _clock(t_max: Span | None) -> Length | None:
    return None if t_max is None else length("t_max", t_max)


def _rise(t_warmup: Span) -> Length:
    return length("t_warmup", t_warmup, zero=True)


def _rest(t_max: Span | None, t_warmup: Span) -> Length | None:
    return after("t_max", t_max, "t_warmup", _rise(t_warmup))


FILE = "composer/optim/scheduler.py"
RECIPES = tuple(
    Recipe(f"composer.{make.__name__}", make, f"{name}, {FILE}")
    for make, name in (
        (step, "StepScheduler"),
        (multi_step, "MultiStepScheduler"),
        (constant, "ConstantScheduler"),
        (linear, "LinearScheduler"),
        (exponential, "ExponentialScheduler"),
        (cosine_annealing, "CosineAnnealingScheduler"),
        (cosine_annealing_warm_restarts, "CosineAnnealingWarmRestartsScheduler"),
        (polynomial, "PolynomialScheduler"),
        (multi_step_with_warmup, "MultiStepWithWarmupScheduler"),
        (constant_with_warmup, "ConstantWithWarmupScheduler"),
        (linear_with_warmup, "LinearWithWarmupScheduler"),
        (cosine_annealing_with_warmup, "CosineAnnealingWithWarmupScheduler"),
        (polynomial_with_warmup, "PolynomialWithWarmupScheduler"),
    )
)
