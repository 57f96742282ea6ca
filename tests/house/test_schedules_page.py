"""The page about the schedule language: every text on it is read, and every statement is held against the code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell import RECIPES, Horizon, Schedule, parse, schedule
from stepwell.errors import HorizonError, ScheduleError
from stepwell.schedule import text as grammar
from stepwell.schedule.control import KINDS
from stepwell.schedule.control.contract import ControllerContract
from stepwell.schedule.schedule import Entry, Table
from stepwell.schedule.shape import CLOSED, OPEN, inverse_sqrt
from stepwell.schedule.table import Values

PAGE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()
WORDS = re.sub(r"\s+", " ", PAGE)
RUN = Horizon(10_000, 100, 1e6)
BASES = {"base_lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}


def block(after: str) -> list[str]:
    """The lines of the first indented block after these words."""
    lines = PAGE[PAGE.index(after) :].splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("    "))
    last = next((index for index in range(first, len(lines)) if not lines[index].startswith("    ")), len(lines))
    return [line.strip() for line in lines[first:last]]


def table(header: str) -> list[list[str]]:
    """The rows of the table with this first header."""
    lines = PAGE[PAGE.index(f"| {header} |") :].splitlines()
    rows = lines[2 : next((index for index, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def factors(text: str, steps: Any = range(10), horizon: Horizon | None = None, **bases: float) -> list[float]:
    curve = schedule(text).resolve(horizon or Horizon(10, 2), **(bases or BASES))
    values: list[float] = curve(np.asarray(steps)).tolist()
    return values


# What is written as code


@pytest.mark.parametrize("line", block("`str(schedule)` prints it back"))
def test_the_texts_at_the_top_are_schedules_and_print_as_they_stand(line: str) -> None:
    text, remark = re.split(r"\s{2,}", line)
    assert str(parse(text)) == text
    assert remark
    parse(text).resolve(RUN, **BASES)


@pytest.mark.parametrize("line", block("is its text from then on"))
def test_a_recipe_stands_for_the_text_beside_it(line: str) -> None:
    recipe, *text = re.split(r"\s{2,}", line)
    made = schedule(recipe)
    assert not text or made == parse(text[0])
    made.resolve(RUN, **BASES)


def test_the_grammar_is_that_of_the_parser() -> None:
    def compact(lines: list[str]) -> list[str]:
        return re.sub(r"\s+", " ", " ".join(lines)).split(" ")

    documented = (grammar.__doc__ or "").split("\n\n")[1].splitlines()
    page = block("## Grammar")
    assert page[0].startswith("text:")  # recipes are read before the parser is asked
    assert compact(page[1:]) == compact(documented)


def test_every_shape_has_its_row() -> None:
    named = [re.sub(r"\(p\)| .*", "", ticked(row[0])[0]) for row in table("shape")]
    assert set(named) == {*CLOSED, *OPEN, "table(1"}
    for name, row in zip(named, table("shape"), strict=True):
        for source in re.findall(r"arXiv:(\d+\.\d+)", row[2]):
            assert source in (inverse_sqrt.__doc__ or "" if name in OPEN else CLOSED[name].source)


A, B, P = 0.9, 0.2, 3.0
FORMULAS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda u: A + (B - A) * u,
    "cosine": lambda u: B + (A - B) * (1 + np.cos(np.pi * u)) / 2,
    "1-sqrt": lambda u: A + (B - A) * np.sqrt(u),
    "exponential": lambda u: A * (B / A) ** u,
    "poly": lambda u: B + (A - B) * (1 - u) ** P,
    "power": lambda u: A + (B - A) * u**P,
    "log": lambda u: A + (B - A) * np.log(1 + P * u) / np.log(1 + P),
    "tanh": lambda u: A + (B - A) * (1 + np.tanh(P * (2 * u - 1)) / np.tanh(P)) / 2,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_shape_is_what_its_row_says(name: str) -> None:
    power = f"({P:g})" if CLOSED[name].takes_power else ""
    ours = factors(f"{name}{power} {A}..{B}", range(101), Horizon(100))
    np.testing.assert_allclose(ours, FORMULAS[name](np.arange(101) / 100), rtol=1e-12)


OPEN_SHAPES = {
    "hold": "hold 0.5",
    "steps": "steps x0.5 every 2",
    "decay": "decay x0.5 per 2",
    "inverse-sqrt": "inverse-sqrt over 4",
}


def test_open_shapes_are_what_their_rows_say() -> None:
    s = np.arange(10)
    expected = {"hold": 0.5 + 0 * s, "steps": 0.5 ** (s // 2), "decay": 0.5 ** (s / 2)}
    expected["inverse-sqrt"] = 1 / np.sqrt(1 + s / 4)
    for name in OPEN:
        np.testing.assert_allclose(factors(OPEN_SHAPES[name]), expected[name], rtol=1e-12)
        assert schedule(OPEN_SHAPES[name]).resolve(Horizon()).total_steps is None  # no end
    assert factors("steps x0.5 at 2 5") == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25]
    assert factors("table(1 0.5 0.25)") == [1, 0.5, *[0.25] * 8]
    assert schedule("geometric 1..0.1") == schedule("exponential 1..0.1")


@pytest.mark.parametrize("row", table("controller"), ids=lambda row: ticked(row[0])[0])
def test_a_controller_has_the_settings_of_its_row(row: list[str]) -> None:
    kind = KINDS[ticked(row[0])[0].split("(")[0]]
    words = {"max", "rel", "abs"} & set(ticked(row[2]))
    assert set(ticked(row[2])) - words == set(kind.NUMBERS)
    assert schedule(f"hold * {ticked(row[0])[0]}")["lr"].controller == kind()
    for word in words:
        assert word in str(schedule(f"hold * {ticked(row[0])[0][:-1]}, {word})"))


# What is said


def lengths_fill_the_run() -> None:
    assert parse("hold for 33% | hold for 33% | linear to 0").resolve(Horizon(10)).breakpoints() == (0, 3, 7)
    assert parse("hold for 25% | linear to 0").resolve(Horizon(10)).breakpoints() == (0, 3)  # 2.5 goes up
    for text in ("linear 0..1 for 4% | hold", "hold for 5 | hold for 4", "hold for 5 | hold for 6"):
        with pytest.raises(HorizonError):
            parse(text).resolve(Horizon(10))


def phases_from_zero() -> None:
    assert factors("linear 0..1 for 2 | hold")[:3] == [0.5, 1, 1]
    assert factors("linear 0..1 for 2 @left | hold")[:3] == [0, 0.5, 1]
    assert factors("hold 0 for 2 | linear to 1 for 2 | hold")[:5] == [0, 0, 0, 0.5, 1]
    assert factors("linear 1..0 for 2 @right | hold 0.3")[:3] == [0.5, 0, 0.3]


def to_continues() -> None:
    assert factors("steps x0.5 every 2 for 5 | linear to 0 for 5")[5] == 0.25  # the last stair, not the next
    assert factors("decay x0.5 per 1 for 2 | hold")[2] == 0.25  # where it ended
    assert factors("linear to 0")[0] == 1.0
    assert factors("hold 0.5")[0] == 0.5


def absolute_values_are_rates() -> None:
    for base in (0.1, 0.4):
        assert factors("hold =1e-5", base_lr=base)[0] * base == pytest.approx(1e-5)


def units() -> None:
    assert schedule("hold for 200 | linear to 0").resolve(RUN).breakpoints() == (0, 200)
    assert schedule("hold for 20% | linear to 0").resolve(RUN).breakpoints() == (0, 2000)
    assert schedule("hold for 3ep | linear to 0").resolve(RUN).breakpoints() == (0, 300)
    assert schedule("hold for 5e9tok | linear to 0").resolve(RUN).breakpoints() == (0, 5000)
    inside = schedule("(hold for 20% | linear to 0.5) for 50% | linear to 0")  # a share of the run, not of the bracket
    assert inside.resolve(RUN).breakpoints() == (0, 2000, 5000)


def clocks() -> None:
    curve = schedule("cosine 1..0 over 100ep from 5ep").resolve(Horizon(9500, 100))
    assert curve(0) == pytest.approx((1 + np.cos(np.pi * 0.05)) / 2)
    assert curve(9500) == pytest.approx(0)
    held = schedule("linear 0.1..1 over 10").resolve(Horizon())
    assert held(9) < held(10) == held(10_000) == 1.0


def tables() -> None:
    assert factors("table(1 0.5 0.25) over 3ep")[:7] == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]
    parse(f"table({'1 ' * 64})")
    with pytest.raises(ScheduleError, match="at most 64 values"):
        parse(f"table({'1 ' * 65})")
    long = Schedule((Entry("lr", Table(Values.of(np.linspace(1, 0, 100)))),))
    assert re.search(r"\.\.\. 100 values, sha256 [0-9a-f]{12}", str(long))
    assert Schedule.from_json(json.loads(json.dumps(long.to_json()))) == long


def by_epochs() -> None:
    assert factors("linear 1..0 by 1ep") == pytest.approx([1, 1, 0.8, 0.8, 0.6, 0.6, 0.4, 0.4, 0.2, 0.2])
    assert factors("(linear 1..0) by 1ep") == factors("linear 1..0 by 1ep")


def repeats() -> None:
    assert schedule("repeat (cosine 1..0 for 5)").resolve(Horizon(10))(10) == 0
    assert factors("hold 0.5 for 2 | repeat (linear to 0 for 2) for 8")[2:6] == [0.5, 0.25, 0.5, 0.25]
    assert factors("repeat (linear 1..0 for 2) longer x2")[:6] == [1, 0.5, 1, 0.75, 0.5, 0.25]
    assert factors("repeat (linear 1..0.5 for 2) lower x0.5")[:5] == [1, 0.75, 0.75, 0.625, 0.625]
    assert factors("repeat 5 (linear 1..0)") == [1, 0.5] * 5
    assert factors("repeat (linear 1..0 for 4)")[-2:] == [1, 0.75]  # the last one is cut


def algebra() -> None:
    assert factors("0.5 * (linear 1..0)", [4]) == pytest.approx([0.3])
    assert factors("0.5 + (linear 1..0)", [4]) == pytest.approx([1.1])
    assert factors("1 - 0.5 * (linear 1..0)", [4]) == pytest.approx([0.7])
    assert factors("max(linear 1..0, 0.1)", [9, 10]) == pytest.approx([0.1, 0.1])
    assert factors("(linear to 0) * (linear to 0)", [5]) == pytest.approx([0.25])  # each starts from 1
    for text in ("linear 1..0 + hold", "hold | hold * 2"):
        with pytest.raises(ScheduleError):
            parse(text)


def entries() -> None:
    curve = schedule("lr: linear 1..0; momentum: hold 0.5").resolve(Horizon(10))
    assert (curve(5), curve(5, "momentum"), curve.entries) == (0.5, 0.5, ("lr", "momentum"))


def no_end() -> None:
    texts = ["hold", "decay x0.9 per 1", "inverse-sqrt over 9", "table(1 0.5)", "repeat (linear 1..0 for 4)"]
    for text in [*texts, "linear 1..0 over 9", "linear 0..1 for 5 | hold"]:
        assert schedule(text).resolve(Horizon()).total_steps is None
    with pytest.raises(HorizonError, match="pass total_steps="):
        schedule("linear 1..0").resolve(Horizon())


def the_json_form() -> None:
    one = parse("linear 0..1 for 5% | cosine to 0 for 95%")
    document = json.loads(json.dumps(one.to_json(), allow_nan=False))
    assert Schedule.from_json(document) == one
    assert document["version"] == 1
    document["entries"][0]["expression"]["items"][1]["for"] = "5m"
    with pytest.raises(ScheduleError, match=r"^entries\[0\].expression.items\[1\].for: unknown unit 'm'"):
        Schedule.from_json(document)
    for wrong in ({"version": 2}, {"surprise": 1}):
        with pytest.raises(ScheduleError):
            Schedule.from_json({**one.to_json(), **wrong})


def measures() -> None:
    one = schedule("linear 0..1 for 50% | hold").resolve(Horizon(1000))
    other = schedule("linear 0..1 for 50% | hold 0.75").resolve(Horizon(1000))
    assert one.integral() == pytest.approx(float(np.sum(one(np.arange(1000)))))
    assert (one.peak().factor, one.peak().step) == (1.0, 499)
    assert one.breakpoints() == (0, 500)
    assert one.difference(other) == (500, 0.25)
    assert "<svg" in one._repr_svg_()
    assert "<svg" in (schedule("cosine 1..0")._repr_svg_() or "")


def findings_of_every_entry() -> None:
    def found(text: str) -> list[str]:
        return [f"{one.code} {one.place}" for one in schedule(text).resolve(Horizon(1000), **BASES).preflight()]

    assert found("lr: hold; weight_decay: hold 0.5 for 50 | hold 1") == ["SW103 step 50 of weight_decay"]
    assert found("lr: hold; momentum: linear 1..0 for 50% | linear to 1") == []
    assert found("lr: hold; weight_decay: linear 0.1..1") == []


def recipes() -> None:
    libraries = {name.split(".")[0] for name in RECIPES if "." in name}
    said = "torch, timm, transformers, optax, torchtitan, megatron, deepspeed, composer, keras and nanochat"
    assert libraries == set(re.split(r", | and ", said))
    assert schedule("transformers.cosine(warmup=5)") == schedule("transformers.cosine(num_warmup_steps=5)")
    assert schedule("torch.cosine_annealing_lr(eta_min=1e-5)") == parse("cosine 1..=1e-5")
    assert schedule("torch.cosine_annealing_lr(eta_min=none)") == parse("cosine 1..0")
    assert schedule("torch.multi_step_lr(milestones=3 6)") == parse("steps x0.1 at 3 6")


def an_own_controller() -> None:
    assert callable(ControllerContract.controllers)


SAID: dict[str, Callable[[], None]] = {
    "`=1e-5` is an absolute value: the rate itself, whatever the base.": absolute_values_are_rates,
    "`to B` continues from where the phase before ended: a staircase (`steps`) from its last stair, everything else "
    "from its end. The first phase continues from 1. Open shapes may name their start: `hold 0.5`.": to_continues,
    "`200` is updates, `20%` a share of the *run*, `3ep` epochs, `5e9tok` tokens.": units,
    "`cosine 1..0 over 100ep from 5ep`. Past its clock a shape holds its end, so `linear 0.1..1 over 10` is a warm-up "
    "and then stays.": clocks,
    "so `table(1 0.5 0.25) over 3ep` has one value per epoch. A text holds 64 values.": tables,
    "**Boundaries** are the cumulative lengths, rounded half up, so the phases fill the run exactly. A phase that "
    "rounds away, a gap or an overlap is an error": lengths_fill_the_run,
    "A phase *written* from 0 (`0..B`) is read at the right edge of its steps, so that no update is wasted at rate 0; "
    "every other at the left. `@left` and `@right` say otherwise.": phases_from_zero,
    "**`by 1ep`** after a phase or a parenthesis reads it as a staircase in that unit": by_epochs,
    "`longer` stretches its lengths, `lower` scales its height above the cycle's lowest end. `repeat N` with a phase "
    "of no length shares its window among the cycles. The last cycle may be cut; a run that ends with a cycle ends "
    "where the cycle does.": repeats,
    "operands are numbers, `max(...)` and parentheses, each starting from 1.": algebra,
    "`lr: ...; momentum: ...` drives several entries of the parameter groups.": entries,
    "A schedule whose last phase has no end (`hold`, `decay`, `inverse-sqrt`, `table`, `repeat`, a shape with `over`) "
    "needs no `total_steps`.": no_end,
    "An unknown version, key or kind is a `ScheduleError` that names the place: "
    "`entries[0].expression.items[1].for: unknown unit 'm'`.": the_json_form,
    "`curve.integral()` (the sum of the factors, the rate budget of the run), `curve.peak()`, `curve.breakpoints()` "
    "(where phases begin) and `curve.difference(other)` (the largest one and its step).": measures,
    "Every entry is looked at, and named where it is not the rate; momenta and betas may be 0 and come and go, and a "
    "weight decay may rise throughout.": findings_of_every_entry,
    "the others are those of torch, timm, transformers, optax, torchtitan, megatron, deepspeed, composer, keras and "
    "nanochat.": recipes,
    "its tests subclass `stepwell.schedule.control.contract.ControllerContract`": an_own_controller,
}


@pytest.mark.parametrize("words", SAID, ids=lambda words: words[:40])
def test_what_the_page_says_is_so(words: str) -> None:
    assert words in WORDS, "the page says it in other words now"
    SAID[words]()
