"""What other libraries take silently, or fail on in the middle of a run: refused here before the run, in every form.

The texts of the language have their errors in `test_text.py`, the twins theirs in `test_twins_refused.py`, documents
theirs in `test_document.py`. Here are the mistakes themselves, each in all the forms in which it can be made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stepwell import Horizon, parse, schedule, twins
from stepwell.errors import HorizonError, OptionError, ScheduleError
from stepwell.schedule import Length
from stepwell.schedule.schedule import (
    Entry,
    Group,
    Max,
    Phase,
    Product,
    Repeat,
    Schedule,
    Sequence,
    Suffix,
    Table,
    Value,
)
from stepwell.schedule.table import Values

Make = Callable[[], Any]
RUN = Horizon(100, 10)
HOLD = Phase("hold")


def wrong(value: Any) -> Any:
    """The wrong input itself, past the type checker."""
    return value


def laid(text: str) -> Any:
    return schedule(text).resolve(RUN)


def phase(shape: str, **settings: Any) -> Phase:
    return Phase(shape, **settings)


def line(**settings: Any) -> Phase:
    return Phase("linear", start=Value(0.0), end=Value(1.0), **settings)


REFUSED: dict[str, list[tuple[Make, str]]] = {
    "a warm-up of no length: pytorch#193682, pytorch#194712, DeepSpeed#1497": [
        (lambda: parse("linear 0..1 for 0 | hold"), "must be longer than 0; leave out what shall take no step"),
        (lambda: parse("linear 0..1 for 0% | hold"), "must be longer than 0"),
        (lambda: parse("linear 0..1 over 0"), "what follows 'over' must be longer than 0"),
        (lambda: schedule("torch.linear_lr(total_iters=0)"), "total_iters is longer than 0, got 0"),
        (lambda: schedule("torch.constant_lr(total_iters=0)"), "total_iters is longer than 0, got 0"),
        (lambda: schedule("deepspeed.warmup_lr(warmup_num_steps=0)"), "warmup_num_steps is longer than 0, got 0"),
        (lambda: twins.linear_lr(total_iters=0), "at least 1, got 0; leave the scheduler away for no warm-up"),
        (lambda: line(suffix=Suffix(length=Length(0.0))), "what follows 'for' must be longer than 0"),
        (lambda: line(over=Length(0.0)), "what follows 'over' must be longer than 0"),
    ],
    "a warm-up that rounds to no step: OLMo-core#655": [
        (lambda: laid("linear 0..1 for 0.1% | hold"), "rounds to no step at all .* make it longer or leave it out"),
        (lambda: laid("linear 0..1 for 0.04ep | hold"), "rounds to no step at all"),
        (lambda: laid("warmup-stable-decay(warmup=0.1%)"), "rounds to no step at all"),
    ],
    "T_max=0, step_size=0, a decay of no length: torchtitan#1010": [
        (lambda: parse("cosine 1..0 over 0"), "must be longer than 0"),
        (lambda: parse("steps x0.1 every 0"), "the length of a stair must be longer than 0"),
        (lambda: parse("decay x0.9 per 0"), "what decay counts per must be longer than 0"),
        (lambda: schedule("torch.cosine_annealing_lr(T_max=0)"), "T_max is longer than 0, got 0"),
        (lambda: schedule("keras.exponential_decay(decay_steps=0)"), "decay_steps is longer than 0, got 0"),
        (lambda: schedule("optax.cosine_decay_schedule(decay_steps=0)"), "decay_steps is longer than 0, got 0"),
        (lambda: schedule("composer.cosine_annealing(t_max=0)"), "t_max is longer than 0, got 0"),
        (lambda: twins.cosine_annealing_lr(0), "T_max is a whole number of steps of at least 1, got 0"),
        (lambda: phase("steps", rate=0.5, every=Length(0.0)), "what follows 'every' must be longer than 0"),
        (lambda: phase("decay", rate=0.5, every=Length(0.0)), "what follows 'per' must be longer than 0"),
    ],
    "a warm-up that takes the whole run or more": [
        (lambda: laid("linear 0..1 for 100 | hold"), "fill 100 of 100 steps, so nothing is left for 'hold'; shorten"),
        (lambda: laid("linear 0..1 for 150% | cosine to 0"), "fill 150 of 100 steps, so nothing is left for 'cosine"),
        (
            lambda: schedule("transformers.polynomial(warmup=100, num_training_steps=100)"),
            "num_warmup_steps is shorter than num_training_steps, got 100 of 100",
        ),
        (lambda: laid("torch.one_cycle_lr(pct_start=1)"), "so nothing is left for 'cosine to 4e-6'"),
    ],
    "boundaries out of order or twice: pytorch's MultiStepLR takes both": [
        (lambda: parse("steps x0.1 at 60 30"), "the places of 'steps' must ascend, but 30 follows 60"),
        (lambda: parse("steps x0.1 at 30 30"), "the places of 'steps' must ascend, but 30 follows 30"),
        (lambda: laid("steps x0.1 at 1ep 5"), "must ascend, but 5 is step 5, not after 10"),
        (lambda: schedule("torch.multi_step_lr(milestones=60 30)"), "milestones ascend, but 30 follows 60"),
        (lambda: schedule("torch.multi_step_lr(milestones=30 30)"), "milestones ascend, but 30 follows 30"),
        (lambda: schedule("timm.multistep(decay_t=60 30)"), "decay_t ascend, but 30 follows 60"),
        (lambda: schedule("keras.piecewise_constant_decay(boundaries=60 30)"), "boundaries ascend, but 30 follows 60"),
        (
            lambda: schedule("optax.piecewise_constant_schedule(boundaries=60 30, scales=0.1 0.1)"),
            "boundaries ascend, but 30 follows 60",
        ),
        (lambda: twins.multi_step_lr([60, 30]), r"must ascend, but 30 follows 60; pass \[30, 60\]"),
        (lambda: twins.sequential_lr(["hold"] * 3, [6, 6]), "must ascend, but 6 follows 6; sort them"),
        (lambda: phase("steps", rate=0.5, at=(Length(6.0), Length(3.0))), "must ascend, but 3 follows 6"),
    ],
    "steps in fractions where whole ones are counted": [
        (lambda: twins.step_lr(wrong(2.5)), "step_size is a whole number of steps of at least 1, got 2.5"),
        (lambda: twins.multi_step_lr([wrong(2.5)]), "a milestone is a whole number of steps of at least 1, got 2.5"),
        (lambda: twins.sequential_lr(["hold", "hold"], [wrong(2.5)]), "a milestone is a whole number"),
        (lambda: twins.cosine_annealing_warm_restarts(10, wrong(1.5)), "write 'longer x1.5' in the text"),
        (lambda: schedule("torch.one_cycle_lr(total_steps=10.5)"), "total_steps is a whole number of updates"),
        (lambda: Horizon(wrong(10.5)), "total_steps must be a positive whole number, got 10.5"),
        (lambda: laid("hold")(1.5), "whole numbers"),
        (lambda: Repeat(HOLD, wrong(1.5)), "at least 1 cycle, a whole number, got 1.5"),
        (lambda: twins.reduce_lr_on_plateau(patience=wrong(2.5)), "patience is a whole number of checks, got 2.5"),
    ],
    "rates and lengths that are texts": [
        (lambda: schedule("torch.cyclic_lr(max_lr=fast)"), "max_lr is a number, got 'fast'"),
        (lambda: twins.one_cycle_lr(wrong("0.1"), 10), "max_lr is a finite number, got '0.1'"),
        (lambda: twins.cyclic_lr(wrong("0.1"), 0.2), "base_lr is a finite number, got '0.1'"),
        (lambda: twins.exponential_lr(wrong("0.9")), "gamma is a finite number, got '0.9'"),
        (lambda: twins.cosine_annealing_lr(wrong("50")), "T_max is a whole number of steps of at least 1, got '50'"),
        (lambda: twins.multi_step_lr(wrong("30 60")), r"milestones is a list such as \[30, 60\], got '30 60'"),
        (lambda: twins.sequential_lr(wrong("hold"), []), "schedulers is a list such as"),
        (lambda: twins.lambda_lr(lambda step: wrong("0.5"), 3), "value at step 0 is a finite number, got '0.5'"),
        (lambda: twins.reduce_lr_on_plateau(factor=wrong("0.1")), "factor between 0 and 1, got '0.1'"),
        (lambda: twins.reduce_lr_on_plateau(patience=wrong("3")), "whole number of checks, got '3'"),
        (lambda: Value(wrong("0.1")), "a factor must be a finite number of at least 0, got '0.1'"),
        (lambda: Length(wrong("5")), "a length is a finite number of at least 0, .* got '5'"),
        (lambda: Horizon(wrong("100")), "total_steps must be a positive whole number, got '100'"),
    ],
    "a multiplier or a rate below 0": [
        (lambda: parse("steps x-0.1 every 5"), "a multiplier must be above 0 and finite, got x-0.1"),
        (lambda: parse("decay x-0.9 per 1"), "a multiplier must be above 0 and finite, got x-0.9"),
        (lambda: parse("decay x0 per 1"), "a multiplier must be above 0 and finite, got x0"),
        (lambda: parse("cosine 1..-0.1"), "nothing in a schedule is below 0"),
        (lambda: schedule("torch.step_lr(gamma=-0.1)"), "gamma is a number above 0, got -0.1"),
        (lambda: schedule("optax.exponential_decay(decay_rate=-1)"), "decay_rate is a number above 0, got -1"),
        (lambda: schedule("torch.reduce_lr_on_plateau(factor=-1)"), "factor between 0 and 1, got x-1"),
        (lambda: twins.step_lr(5, -0.1), "gamma is a number of at least 0, got -0.1"),
        (lambda: twins.one_cycle_lr(-0.1, 10), "max_lr is a number of at least 0, got -0.1"),
        (lambda: phase("decay", rate=-0.5, every=Length(1.0)), "must be above 0, got -0.5"),
        (lambda: phase("steps", rate=float("nan"), every=Length(1.0)), "must be above 0, got nan"),
        (lambda: Value(-0.1), "a factor must be a finite number of at least 0, got -0.1"),
        (lambda: Length(-5.0), "a length is a finite number of at least 0"),
        (lambda: laid("0.1 - (linear 0..1)"), "falls below 0: it is -0.9 at step 99"),
    ],
    "a run longer than the schedule, at the curve: pytorch#38170, GrowSP#11": [
        (lambda: laid("cosine 1..0")(101), "step 101 is outside the run, which has steps 0 to 100"),
        (lambda: laid("cosine 1..0")(-1), "step -1 is outside the run"),
        (lambda: laid("cosine 1..0")(np.array([0, 101])), "outside the run"),
        (lambda: twins.one_cycle_lr(0.1, 10).resolve(Horizon(), base_lr=0.1, momentum=0.9)(11), "has steps 0 to 10"),
    ],
    "a schedule shorter than the run: particulate#22 repeated its cosine eight times": [
        (lambda: laid("linear 0..1 for 5 | cosine to 0 for 60"), "fill 65 of 100 steps; leave the length of one phase"),
        (lambda: laid("cosine 1..0 for 50"), r"fills 50 of 100 steps; add a phase such as `\| hold`"),
    ],
    "an unknown word, told at once: Megatron stops in the middle of a run": [
        (lambda: schedule("megatron.wsd(lr_wsd_decay_style=cos)"), "is exponential, linear, cosine or minus_sqrt"),
        (lambda: twins.one_cycle_lr(0.1, 10, anneal_strategy=wrong("exp")), "anneal_strategy is 'cos' or 'linear'"),
        (lambda: twins.cyclic_lr(0.1, 0.2, scale_mode=wrong("x")), "scale_mode is 'cycle' or 'iterations', got 'x'"),
        (lambda: twins.reduce_lr_on_plateau(mode=wrong("low")), "mode is min or max, got 'low'"),
        (lambda: phase("hold", suffix=Suffix(side=wrong("top"))), "at its left or right, got 'top'"),
    ],
    "one-cycle without room for a phase: pytorch#180187": [
        (lambda: schedule("torch.one_cycle_lr(total_steps=10, pct_start=0.1)"), "pass pct_start=0.0 for none, or 0.2"),
        (lambda: twins.one_cycle_lr(0.1, 10, div_factor=0.0), "div_factor and final_div_factor divide the rate"),
    ],
}
CASES = [(mistake, make, message) for mistake, cases in REFUSED.items() for make, message in cases]


@pytest.mark.parametrize(("mistake", "make", "message"), CASES, ids=[f"{m} {i}" for i, (m, _, _) in enumerate(CASES)])
def test_it_is_refused_before_the_run_with_what_to_do(mistake: str, make: Make, message: str) -> None:
    with pytest.raises((ScheduleError, OptionError), match=message):
        make()


PARTS: list[tuple[Make, str]] = [
    (lambda: line(suffix=Suffix(length=wrong(5))), "what follows 'for' is a length such as Length"),
    (lambda: Phase("linear", start=wrong(0.0), end=wrong(1.0)), r"are values such as Value\(0.1\), got 0.0"),
    (lambda: Phase("linear"), "'linear' needs end value"),
    (lambda: phase("hold", end=Value(1.0)), "'hold' has no end value"),
    (lambda: phase("poly", start=Value(1.0), end=Value(0.0)), r"'poly' needs its power, as in 'poly\(2\)'"),
    (lambda: phase("poly", power=-1.0, end=Value(0.0)), "the power of 'poly' must be above 0, got -1.0"),
    (lambda: line(power=2.0), "'linear' has no power"),
    (lambda: line(rate=0.5), "'linear' has no multiplier and no stairs"),
    (lambda: phase("steps", every=Length(3.0)), "what 'steps' multiplies by must be above 0, got None"),
    (lambda: phase("steps", rate=0.5), "'steps' multiplies 'every' a length, or 'at' places"),
    (lambda: phase("steps", rate=0.5, every=Length(3.0), at=(Length(3.0),)), "'every' a length, or 'at' places; got"),
    (lambda: phase("decay", rate=0.5, at=(Length(3.0),)), "'decay' multiplies 'per' a length"),
    (lambda: phase("inverse-sqrt"), "needs its clock: 'inverse-sqrt over 4000'"),
    (lambda: phase("hold", over=Length(3.0)), "has no clock to stretch"),
    (lambda: phase("hold", offset=Length(3.0)), "'hold' has no clock; leave `from` away"),
    (lambda: Table(wrong([1.0, 0.5])), r"a table is made of Values.of\(\[1, 0.5\]\)"),
    (lambda: Table(Values.of([1.0]), over=Length(0.0)), "what follows 'over' must be longer than 0"),
    (lambda: Sequence((HOLD, wrong("hold"))), "made of nodes such as Phase.'hold'., or parsed from a text; got 'hold'"),
    (lambda: Product((HOLD, wrong(0.5))), "made of nodes such as"),
    (lambda: Group(wrong("hold"), Suffix()), "made of nodes such as"),
    (lambda: Max((HOLD,)), "max compares at least two operands, got 1"),
    (lambda: Repeat(HOLD, 2, longer=wrong("2")), "longer needs a factor above 0, got x2"),
    (lambda: Entry("", HOLD), "an entry has the name that the parameter groups have"),
    (lambda: Entry("lr", wrong("hold")), "made of nodes such as"),
    (lambda: Schedule(wrong(Entry("lr", HOLD))), "a schedule is a tuple of entries"),
    (lambda: schedule(wrong(lambda step: 1.0)), r"twins.lambda_lr\(function, total_steps\) makes one of a function"),
]


@pytest.mark.parametrize(("make", "message"), PARTS, ids=[message for _, message in PARTS])
def test_a_schedule_built_in_python_is_judged_like_a_text(make: Make, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        make()


def test_numbers_of_any_kind_are_numbers() -> None:
    built = Sequence(
        (line(suffix=Suffix(length=Length(wrong(np.int64(5))))), Phase("hold", start=Value(wrong(np.float32(0.5)))))
    )
    assert Schedule((Entry("lr", built),)) == parse("linear 0..1 for 5 | hold 0.5")


def test_a_length_that_torch_ignores_is_read() -> None:
    """timm fails with a math domain error for cycle_mul below 1; torch takes step_size=2.5 and falls at 5 and 10."""
    shrinking = schedule("timm.cosine(t_initial=40, cycle_mul=0.5, cycle_limit=2)").resolve(Horizon(60))
    assert shrinking(40) == 1.0
    halves = schedule("steps x0.1 every 2.5").resolve(Horizon(10))
    np.testing.assert_allclose(halves(np.arange(6)), [1, 1, 1, 0.1, 0.1, 0.01])


def test_a_group_of_phases_is_no_shorter_than_its_window() -> None:
    with pytest.raises(HorizonError, match="'hold for 30' fills 30 of 100 steps"):
        laid("(hold for 30) * 2")
