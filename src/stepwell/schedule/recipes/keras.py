"""keras: `keras.optimizers.schedules`.

keras computes in float32. Its `initial_learning_rate` and other rates are absolute; left out, the base rate and shares
of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.recipes.parts import (
    NOTHING,
    Span,
    length,
    lengths,
    less,
    number,
    phase,
    poly,
    rate,
    share,
    warmup,
)
from stepwell.schedule.recipes.recipe import Recipe


def exponential_decay(
    initial_learning_rate: float | None = None,
    decay_steps: Span = "1%",
    decay_rate: float = 0.95,
    staircase: bool = False,
) -> str:
    """The same ratio at every step, smoothly or as a staircase."""
    cut, span = written(number("decay_rate", decay_rate, above=True)), length("decay_steps", decay_steps)
    start = "" if initial_learning_rate is None else f" {rate('initial_learning_rate', initial_learning_rate)}"
    return f"steps{start} x{cut} every {span}" if staircase else f"decay{start} x{cut} per {span}"


def piecewise_constant_decay(boundaries: Sequence[Span] = ("50%", "75%"), values: Sequence[float] | None = None) -> str:
    """A rate for every stretch between boundaries, and one after the last.

    keras changes the rate one update after the boundary, as here where boundaries are updates; other units change it at
    the boundary. Left out, every value is a tenth of the one before.
    """
    places = lengths("boundaries", boundaries)
    if values is not None and len(values) != len(places) + 1:
        raise ScheduleError(f"values has one rate more than there are boundaries, {len(places) + 1}, got {len(values)}")
    if values is None:
        levels = [written(10.0**-k) for k in range(len(places) + 1)]
    else:
        levels = [rate("values", value) for value in values]
    if places[0].unit is Unit.STEPS:
        places = [Length(place.value + 1) for place in places]
    texts, begin = [], NOTHING
    for place, level in zip(places, levels, strict=False):
        texts.append(f"hold {level} for {less('boundaries', place, 'boundaries', begin)}")
        begin = place
    return " | ".join([*texts, f"hold {levels[-1]}"])


def polynomial_decay(
    initial_learning_rate: float | None = None,
    decay_steps: Span | None = None,
    end_learning_rate: float | None = None,
    power: float = 1.0,
) -> str:
    """A power of the time that is left, to a rate; 0 where it is left out, and keras takes 0.0001.

    keras's `cycle=True` stretches the whole decay with every cycle, which no short text says.
    """
    start, end = rate("initial_learning_rate", initial_learning_rate, "1"), rate("end_learning_rate", end_learning_rate)
    over = None if decay_steps is None else length("decay_steps", decay_steps)
    return phase(poly(power), start, end, over=over)


def inverse_time_decay(
    initial_learning_rate: float | None = None,
    decay_steps: Span = "10%",
    decay_rate: float = 0.5,
    staircase: bool = False,
) -> str:
    """One over the step, smoothly or as a staircase: the square of one over its root."""
    span = length("decay_steps", decay_steps)
    root = f"(inverse-sqrt 1 over {Length(span.value / number('decay_rate', decay_rate, above=True), span.unit)})"
    start = "" if initial_learning_rate is None else f"{rate('initial_learning_rate', initial_learning_rate)} * "
    text = f"{start}{root} * {root}"
    return f"({text}) by {span}" if staircase else text


def cosine_decay(
    initial_learning_rate: float | None = None,
    decay_steps: Span | None = None,
    alpha: float = 0.0,
    warmup_target: float | None = None,
    warmup_steps: Span = 0,
) -> str:
    """Half a cosine to the share `alpha`, after a linear warm-up if there is one.

    `decay_steps` begins after the warm-up. With `warmup_steps` the warm-up goes from `initial_learning_rate`, 0 where
    it is left out, to `warmup_target`, the base rate where it is left out; keras skips a warm-up without target.
    """
    rise = length("warmup_steps", warmup_steps, zero=True)
    top = warmup_target if rise.value else initial_learning_rate
    over = None if decay_steps is None else length("decay_steps", decay_steps)
    low = share("alpha", alpha) if top is None else rate("alpha", top * number("alpha", alpha))
    peak = rate("initial_learning_rate", top, "1")
    begin = warmup(rise, rate("initial_learning_rate", initial_learning_rate), peak)
    return begin + phase("cosine", peak, low, over=over)


def cosine_decay_restarts(
    initial_learning_rate: float | None = None,
    first_decay_steps: Span = "15%",
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
) -> str:
    """Cosines to the share `alpha` that restart, each `t_mul` longer and `m_mul` lower than the one before.

    `m_mul` is at most 1. keras finds the cycle by a logarithm in float32 and misses some restarts by an update.
    """
    top = rate("initial_learning_rate", initial_learning_rate, "1")
    low = share("alpha", alpha)
    if initial_learning_rate is not None:
        low = rate("alpha", initial_learning_rate * number("alpha", alpha))
    words = ("longer", number("t_mul", t_mul, above=True)), ("lower", number("m_mul", m_mul, most=1.0, above=True))
    suffix = "".join(f" {word} x{written(value)}" for word, value in words if value != 1)
    return f"repeat ({phase('cosine', top, low, span=length('first_decay_steps', first_decay_steps))}){suffix}"


FILE = "keras/src/optimizers/schedules/learning_rate_schedule.py"
SGDR = "Loshchilov and Hutter 2017, arXiv:1608.03983"
RECIPES = (
    Recipe("keras.exponential_decay", exponential_decay, f"ExponentialDecay, {FILE}"),
    Recipe("keras.piecewise_constant_decay", piecewise_constant_decay, f"PiecewiseConstantDecay, {FILE}"),
    Recipe("keras.polynomial_decay", polynomial_decay, f"PolynomialDecay, {FILE}"),
    Recipe("keras.inverse_time_decay", inverse_time_decay, f"InverseTimeDecay, {FILE}"),
    Recipe("keras.cosine_decay", cosine_decay, f"CosineDecay, {FILE}; {SGDR}"),
    Recipe("keras.cosine_decay_restarts", cosine_decay_restarts, f"CosineDecayRestarts, {FILE}; {SGDR}"),
)
