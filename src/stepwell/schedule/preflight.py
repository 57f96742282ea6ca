"""What is probably not meant about a schedule and its run: one small function per finding, silent when content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stepwell.finding import Finding
from stepwell.schedule.laid import Combined
from stepwell.schedule.length import Length, round_half_up
from stepwell.schedule.measures import phase_joints, phases
from stepwell.schedule.schedule import Max, Phase, Table
from stepwell.schedule.shape import CLOSED
from stepwell.schedule.spans import Joint, Span

if TYPE_CHECKING:
    from stepwell.schedule.curve import Curve

Array = NDArray[np.float64]
MOST_READ = 1 << 17  # steps that are looked at; of a longer run evenly many, and those around every joint
PER_PHASE = 1000  # the same for one phase

# One-cycle rises for 30% of the run, and no schedule in common use for longer; warm-ups proper take 1% to 10%.
LONGEST_WARMUP = 1 / 3
JUMP = 0.1  # of the larger of the two values
VISIBLE = 0.01  # of the peak: what is smaller changes no run
UNREACHED = 0.05  # of the way down that a phase has not gone
WASTED = 0.05  # of the run: a schedule that is shorter by less, as where last batches are dropped, costs little

FREE = ("momentum", "beta1", "beta2")
"""They may be 0 and fall and rise as they like: an update trains without momentum, and one-cycle lowers it and raises
it again. Only a jump is as bad for them as for a rate."""

RAMPED = (*FREE, "weight_decay")
"""What may rise throughout the run; Megatron and DINO (arXiv:2104.14294) raise the weight decay from first to last."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An entry's factors at the steps that are looked at, and where its phases lie."""

    entry: str
    steps: NDArray[np.int64]
    factors: Array
    peak: float
    total: int
    spans: tuple[Span, ...]
    joints: tuple[Joint, ...]

    @property
    def what(self) -> str:
        """What the entry is called in a sentence."""
        return "rate" if self.entry == "lr" else self.entry


def preflight(curve: Curve) -> list[Finding]:
    """Every finding about a curve, in the order of their codes; none for a run without end."""
    total = curve.total_steps
    if total is None:
        return []
    found: list[Finding] = []
    for entry in curve.entries:
        sample = _sampled(curve, entry, total)
        own = () if entry in FREE else (starts_at_zero, rises_again, dead_phases, dead_stretch)
        checks = (jumps, long_warmup, *own)
        found += [finding for check in checks for finding in check(curve, sample)]
        for each in (floor_not_reached, shadowed, beyond_the_run):
            found += each(curve, entry, sample.spans)
    return sorted(found, key=lambda finding: finding.code)


def starts_at_zero(curve: Curve, sample: Sample) -> Iterator[Finding]:
    """SW102: the first update changes nothing."""
    dead_from_the_start = any(span.first == 0 for span in _dead(curve, sample))
    if curve(0, sample.entry) > 0 or dead_from_the_start:
        return
    moving = int(sample.steps[np.argmax(sample.factors > 0)])
    several = moving > 1
    message = f"updates 0 to {moving - 1} have" if several else "the first update has"
    effect = f" and change{'' if several else 's'} nothing" if sample.entry == "lr" else ""
    place = _place(0, sample.entry)
    yield Finding("SW102", place, f"{message} a {sample.what} of 0{effect}", (("first_moving_step", moving),))


def jumps(curve: Curve, sample: Sample) -> Iterator[Finding]:
    """SW103: the next phase begins elsewhere than the one before ended. Down to a `hold` is a written staircase."""
    for joint in sample.joints:
        low, high = sorted((joint.before, joint.after))
        if high - low <= max(JUMP * high, VISIBLE * sample.peak):
            continue
        if joint.after < joint.before and isinstance(joint.node, Phase) and joint.node.shape == "hold":
            continue
        message = f"the factor jumps from {joint.before:.3g} to {joint.after:.3g} where {str(joint.node)!r} begins"
        evidence = (("before", joint.before), ("after", joint.after))
        yield Finding("SW103", _place(joint.step, sample.entry), message, evidence)


def floor_not_reached(curve: Curve, entry: str, spans: tuple[Span, ...]) -> Iterator[Finding]:
    """SW104: the last phase falls towards an end that the run does not reach."""
    for span in spans:
        node = span.node
        if span.stop != curve.total_steps or not (isinstance(node, Phase) and node.shape in CLOSED):
            continue
        begin, last = span.laid.end_at(span.first - span.behind), span.hands_on
        end = span.laid.end_at(1e15)  # long after its clock has run out
        if last - end > UNREACHED * (begin - end) > 0:
            message = f"{str(node)!r} ends at a factor of {last:.3g}, on its way to {end:.3g}"
            yield Finding("SW104", _place(span.stop, entry), message, (("last", last), ("written_end", end)))


def rises_again(curve: Curve, sample: Sample) -> Iterator[Finding]:
    """SW105: after the warm-up and a fall the rate rises; not in a repeat, a table, or as a jump (SW103)."""
    factors = sample.factors
    falls = np.flatnonzero(np.diff(factors) < 0)
    if not falls.size:
        return
    after = factors[falls[0] :]
    rise = after - np.minimum.accumulate(after)
    top = int(rise.argmax())
    if rise[top] <= JUMP * sample.peak or rise[top - 1] <= rise[top] / 2:
        return
    bottom = int(after[: top + 1].argmin())
    low, high = (int(sample.steps[falls[0] + index]) for index in (bottom, top))
    if any(
        (span.repeated or isinstance(span.node, Table)) and span.first <= high and span.stop > low
        for span in sample.spans
    ):
        return
    message = f"the factor is down at {after[bottom]:.3g} and rises to {after[top]:.3g} by step {high}"
    evidence = (("low", float(after[bottom])), ("high", float(after[top])), ("high_step", high))
    yield Finding("SW105", _place(low, sample.entry), message, evidence)


def dead_phases(curve: Curve, sample: Sample) -> Iterator[Finding]:
    """SW106: the rate is 0 throughout a phase."""
    for span in _dead(curve, sample):
        count = span.stop - span.first
        message = (
            f"{str(span.node)!r} has a {sample.what} of 0 in all of its {count} updates, "
            f"{count / sample.total:.0%} of the run"
        )
        yield Finding("SW106", _place(span.first, sample.entry), message, (("steps", count),))


def dead_stretch(curve: Curve, sample: Sample) -> Iterator[Finding]:
    """SW106: the rate is 0 for long within a phase, as after its clock has run out; at the start that is SW102."""
    steps, zero = sample.steps, sample.factors == 0
    for span in _dead(curve, sample):
        zero &= (steps < span.first) | (steps >= span.stop)
    edges = np.flatnonzero(np.diff(zero, prepend=False, append=False))
    begins, lasts = steps[edges[::2]], steps[edges[1::2] - 1]
    counts = np.where(begins > 0, lasts - begins + 1, 0)
    if not counts.size or counts.max() <= max(WASTED * sample.total, 1):
        return
    longest = int(counts.argmax())
    first, last, count = int(begins[longest]), int(lasts[longest]), int(counts[longest])
    message = f"the {sample.what} is 0 in the {count} updates {first} to {last}, {count / sample.total:.0%} of the run"
    yield Finding("SW106", _place(first, sample.entry), message, (("steps", count),))


def shadowed(curve: Curve, entry: str, spans: tuple[Span, ...]) -> Iterator[Finding]:
    """SW107: an operand of `max(...)` that is nowhere above the others."""
    for span in spans:
        node, laid = span.node, span.laid
        if span.later_cycle or not (isinstance(node, Max) and isinstance(laid, Combined)):
            continue
        steps = _within(span) - span.behind
        operands = [operand.at_many(steps) for operand in laid.operands]
        for index, (operand, values) in enumerate(zip(node.operands, operands, strict=True)):
            others = np.max(operands[:index] + operands[index + 1 :], axis=0)
            if np.all(values <= others):
                message = f"{str(operand)!r} is at most {values.max():.3g}, and the rest never below {others.min():.3g}"
                evidence = (("largest", float(values.max())), ("rest_smallest", float(others.min())))
                yield Finding("SW107", _place(span.first, entry), message, evidence)
                break


def long_warmup(curve: Curve, sample: Sample) -> Iterator[Finding]:
    """SW108: the rate rises from the start for more than a third of the run, or all of it."""
    if sample.entry in RAMPED:
        return
    factors, first = sample.factors, sample.spans[0]
    top = int(np.argmax(factors >= sample.peak * (1 - 1e-6)))
    rises = factors[0] < (1 - JUMP) * sample.peak and bool(np.all(np.diff(factors[: top + 1]) >= 0))
    steps = int(sample.steps[top])
    if not rises or steps <= LONGEST_WARMUP * sample.total or first.repeated or isinstance(first.node, Table):
        return
    share = steps / sample.total
    whole = steps >= sample.total - 1
    until = "for the whole run" if whole else f"until step {steps}, {share:.0%} of the run"
    evidence = (("peak_step", steps), ("share", share))
    yield Finding("SW108", _place(0, sample.entry), f"the {sample.what} rises {until}", evidence)


def beyond_the_run(curve: Curve, entry: str, spans: tuple[Span, ...]) -> Iterator[Finding]:
    """SW109: stairs or measured values that lie after the end of their phase."""
    for span in spans:
        if span.later_cycle or not isinstance(span.node, Phase | Table):
            continue
        length = span.stop - span.first
        needed = _farthest(curve, span.node)
        if needed is None or needed <= length:
            continue
        message = f"{str(span.node)!r} goes on until its step {needed}, and the phase has {length}"
        yield Finding("SW109", _place(span.first, entry), message, (("needed", needed), ("steps", length)))


def _farthest(curve: Curve, node: Phase | Table) -> int | None:
    """How many steps a phase needs before its last stair or measured value is used; None where it has none."""

    def steps(length: Length | None) -> int:
        return 0 if length is None else round_half_up(length.in_steps(curve.horizon))

    if isinstance(node, Table):
        over = len(node.values) if node.over is None else steps(node.over)
        return over - over // len(node.values) - steps(node.offset)  # the last value may be that after the last update
    if node.shape != "steps":
        return None
    last = max(map(steps, node.at)) if node.at else steps(node.every)
    return last + 1 - steps(node.offset)


def _sampled(curve: Curve, entry: str, total: int) -> Sample:
    spans, joints = tuple(phases(curve, entry)), tuple(phase_joints(curve, entry))
    if total <= MOST_READ:
        steps = np.arange(total)
    else:
        begins = np.array(sorted({span.first for span in spans}))[:MOST_READ]
        around = np.concatenate([np.linspace(0, total - 1, MOST_READ).astype(np.int64), begins, begins - 1])
        steps = np.unique(around.clip(0, total - 1))
    factors = curve(steps, entry)
    return Sample(entry, steps, factors, float(factors.max()), total, spans, joints)


def _dead(curve: Curve, sample: Sample) -> list[Span]:
    """The phases whose every update has a rate of 0, each stretch of the run once."""
    dead: dict[tuple[int, int], Span] = {}
    for span in sample.spans:
        if not span.later_cycle and not curve(_within(span).astype(np.int64), sample.entry).any():
            dead.setdefault((span.first, span.stop), span)
    return list(dead.values())


def _within(span: Span) -> Array:
    """Updates of a phase, its first and last among them."""
    return np.unique(np.linspace(span.first, span.stop - 1, min(span.stop - span.first, PER_PHASE)).round())


def _place(step: int, entry: str) -> str:
    return f"step {step}" if entry == "lr" else f"step {step} of {entry}"
