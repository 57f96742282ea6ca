"""Names and calls of recipes, wherever a text is taken."""

from __future__ import annotations

import inspect
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell.errors import ScheduleError
from stepwell.schedule import RECIPES, Horizon, Recipe, parse, schedule
from stepwell.schedule.recipes import call

CALLS = {
    "transformers.cosine_with_min_lr(warmup=500, min_lr_rate=0.1)": "linear 0..1 for 500 @left | cosine 1..0.1",
    "timm.cosine(t_initial=99ep, warmup_t=5ep)": "(linear 0..1 for 5ep @left | cosine 1..0 over 99ep from 5ep) by 1ep",
    "timm.multistep(decay_t=[30ep, 60ep])": "(steps x0.1 at 29ep 59ep) by 1ep",
    "torch.multi_step_lr(milestones=30ep 60ep, gamma=0.5)": "steps x0.5 at 30ep 60ep",
    "torch.multi_step_lr(milestones=(30ep, 60ep))": "steps x0.1 at 30ep 60ep",
    "transformers.linear(num_warmup_steps=0)": "linear 1..0",
    "transformers.linear( warmup = 1e9 tok , )": "linear 0..1 for 1e9tok @left | linear 1..0",
    "transformers.polynomial(warmup=5%, lr_end=1e-7)": "linear 0..1 for 5% @left | linear 1..=1e-7",
    "optax.cosine_decay_schedule(init_value=0.1, decay_steps=1000)": "cosine =0.1..0 over 1000",
    "optax.exponential_decay(transition_steps=100, staircase=true)": "steps x0.95 every 100",
    "optax.exponential_decay(transition_steps=100, staircase=False)": "decay x0.95 per 100",
    "optax.exponential_decay(transition_steps=100, end_value=none)": "decay x0.95 per 100",
    "torchtitan.linear_warmup_stable_decay(warmup_steps=200, decay_ratio=0.2, decay_type=sqrt)": (
        "linear 0..1 for 200 | hold 1 | 1-sqrt 1..0 for 20%"
    ),
    "megatron.wsd(warmup=1e9tok, wsd_decay_steps=5e9tok, lr_wsd_decay_style=minus_sqrt)": (
        "linear 0..1 for 1e9tok @left | hold 1 | 1-sqrt 1..0 for 5e9tok"
    ),
    "deepspeed.warmup_lr(warmup_num_steps=1000)": "hold 0 for 1 | log(999) 0..1 for 999 @left | hold 1",
    "timm.tanh(lb=-1, ub=1)": "tanh(1) 0.8807970779778824..0.11920292202211757 over 100%",
    "warmup-stable-decay(warmup=500, end=0.1)": "linear 0..1 for 500 | hold | 1-sqrt to 0.1 for 20%",
    "cosine(end=0.1)": "cosine 1..0.1",
    "plateau(patience=5, mode=max)": "(hold) * plateau(x0.5, patience 5, max)",
    "plateau()": "(hold) * plateau(x0.5, patience 2)",
}


@pytest.mark.parametrize("text", CALLS)
def test_a_call_is_a_plain_text(text: str) -> None:
    assert schedule(text) == schedule(f"  {text}\n") == parse(CALLS[text])
    assert str(schedule(text)) == CALLS[text]


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_called_and_prints_as_it_is_written(name: str) -> None:
    assert str(schedule(f"{name}()")) == str(schedule(name)) == RECIPES[name].text
    values = schedule(name).resolve(Horizon(300), momentum=0.9)(np.arange(300))
    assert np.all(np.isfinite(values))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_says_what_it_is_and_where_it_comes_from(recipe: Recipe) -> None:
    assert recipe.summary.endswith(".")
    assert recipe.source
    kinds = call.kinds_of(recipe)
    assert kinds.keys() == recipe.parameters.keys()
    for name, default in recipe.parameters.items():
        assert default is not inspect.Parameter.empty
        assert kinds[name].optional == (default is None)


@pytest.mark.parametrize(
    ("text", "message", "pointed_at"),
    [
        (
            "transformers.cosin(warmup=5)",
            "unknown recipe 'transformers.cosin'; did you mean 'transformers.cosine'?",
            "transformers.cosin",
        ),
        ("wsd", "or did you mean the recipe 'timm.wsd' or 'megatron.wsd'?", ""),
        ("One Cycle LR", "or did you mean the recipe 'torch.one_cycle_lr'?", ""),
        ("cosine_with_min_lr", "or did you mean the recipe 'transformers.cosine_with_min_lr'?", ""),
        ("cosine_with_min_lr(warmup=5)", "did you mean 'transformers.cosine_with_min_lr'", "cosine_with_min_lr"),
        (
            "get_cosine_schedule_with_warmup(num_warmup_steps=50)",
            "unknown recipe 'get_cosine_schedule_with_warmup'; did you mean 'transformers.cosine'?",
            "get_cosine_schedule_with_warmup",
        ),
        (
            "get_wsd_schedule(optimizer, 500, 2000)",
            "did you mean 'transformers.warmup_stable_decay'?",
            "get_wsd_schedule",
        ),
        ("get_linear_schedule", "did you mean 'transformers.linear'?", "get_linear_schedule"),
        ("get_linear_schedule(warmup=5)", "did you mean 'transformers.linear'?", "get_linear_schedule"),
        ("get_linar_schedule_with_warmup", "did you mean 'transformers.linear' or", "get_linar_schedule_with_warmup"),
        ("OneCycleLR(max_lr=0.1)", "unknown recipe 'OneCycleLR'; did you mean 'torch.one_cycle_lr'?", "OneCycleLR"),
        ("torch.StepLR(step_size=30)", "did you mean 'torch.step_lr'?", "torch.StepLR"),
        ("OneCycleLR", "did you mean 'torch.one_cycle_lr'?", "OneCycleLR"),
        ("CosineDecay(0.1, 1000)", "did you mean 'keras.cosine_decay'?", "CosineDecay"),
        ("lightning.cosine", "unknown recipe 'lightning.cosine'; did you mean", "lightning.cosine"),
        ("foo.bar()", "unknown recipe 'foo.bar'; `stepwell recipes` lists those there are", "foo.bar"),
        ("timm.xxxxxxxx", "unknown recipe 'timm.xxxxxxxx'; there are timm.cosine, timm.poly", "timm.xxxxxxxx"),
        ("transformers.cosine(500)", "are written with their names, NAME=VALUE; it takes num_warmup_steps,", "500"),
        (
            "transformers.cosine(num_warmup=500)",
            "did you mean 'num_warmup_steps'? It takes num_warmup_steps, num_training_steps, num_cycles",
            "num_warmup",
        ),
        ("transformers.cosine(x=500)", "unknown parameter 'x' of transformers.cosine; it takes num_warmup_steps,", "x"),
        ("nanochat.chat_rl(warmup=5)", "unknown parameter 'warmup' of nanochat.chat_rl; it takes none", "warmup"),
        ("transformers.cosine(warmup=fast)", "num_warmup_steps is a length (500, 20%, 5ep), got 'fast'", "fast"),
        ("transformers.cosine(warmup=-5)", "num_warmup_steps is a length (500, 20%, 5ep), got -5", "-5"),
        ("transformers.cosine(warmup=5m)", "unknown unit 'm'", "m"),
        ("transformers.cosine(warmup=)", "num_warmup_steps is a length (500, 20%, 5ep), got ')'", ")"),
        ("transformers.cosine(warmup=none)", "num_warmup_steps is a length (500, 20%, 5ep), got 'none'", "none"),
        ("transformers.cosine(warmup 5)", "expected '=' after 'num_warmup_steps', got '5'", "5"),
        ("transformers.cosine(warmup=5", "to close transformers.cosine(, got the end of the text", ""),
        ("transformers.cosine(warmup=5, num_warmup_steps=6)", "'num_warmup_steps' stands twice", "num_warmup_steps"),
        ("transformers.cosine(warmup=5) | hold", "expected nothing after the recipe, got '|'", "|"),
        ("transformers.cosine * plateau(x0.5)", "the recipe 'transformers.cosine' stands alone", "transformers.cosine"),
        ("linear 0..1 for 5 | timm.cosine", "the recipe 'timm.cosine' stands alone", "timm.cosine"),
        ("transformers.cosine_with_min_lr(min_lr_rate=10%)", "min_lr_rate is a number, got 10%", "10%"),
        ("transformers.cosine_with_min_lr(min_lr_rate=-1)", "min_lr_rate is a number of at least 0, got -1", "-"),
        ("transformers.cosine_with_min_lr(min_lr=1, min_lr_rate=1)", "min_lr and min_lr_rate both say the floor", "1"),
        (
            "transformers.warmup_stable_decay(decay_type=sqrt)",
            "decay_type is linear, cosine or 1-sqrt, got 'sqrt'",
            "sqrt",
        ),
        ("nanochat.base_train(muon=yes)", "muon is true or false, got 'yes'", "yes"),
        ("torch.multi_step_lr(milestones=60 30)", "milestones ascend, but 30 follows 60", "60"),
        ("torch.multi_step_lr(milestones=30 60ep)", "milestones are in one unit, got 30 and 60ep", "30"),
        ("torch.multi_step_lr(milestones=[30, 60)", "expected ']' to close the list", ")"),
        ("optax.cosine_decay_schedule(exponent=1.5)", "exponent is a whole number, got 1.5", "1.5"),
        (
            "optax.piecewise_constant_schedule(scales=0.1)",
            "scales has one factor for each of the 2 boundaries, got 1",
            "0.1",
        ),
        ("timm.step(decay_rate=0)", "decay_rate is a number above 0, got 0", "0"),
        ("timm.cosine(cycle_limit=3)", "cycle_limit above 1 needs t_initial, the length of the first cycle", "3"),
        ("timm.cosine(t_initial=9, cycle_limit=900)", "cycle_limit is a whole number of at most 64, got 900", "900"),
        ("torch.step_lr(step_size=0)", "step_size is longer than 0, got 0", "0"),
        ("torch.one_cycle_lr(total_steps=30ep)", "total_steps is a whole number of updates, or left out", "30"),
        (
            "transformers.linear(warmup=500, num_training_steps=100)",
            "num_warmup_steps is shorter than num_training_steps, got 500 of 100",
            "500",
        ),
        (
            "transformers.linear(warmup=5ep, num_training_steps=100)",
            "are in one unit, got 100 and 5ep; left out, num_training_steps is the rest of the run",
            "100",
        ),
        ("timm.cosine(t_initial=1e308, cycle_mul=1e300, cycle_limit=3)", "no schedule has such numbers", "1e308"),
    ],
)
def test_an_error_points_into_the_call_and_says_what_to_type(text: str, message: str, pointed_at: str) -> None:
    with pytest.raises(ScheduleError) as raised:
        schedule(text)
    lines = str(raised.value).splitlines()
    assert message in " ".join((lines[0], lines[-1]))
    begin = lines[2].index("^")
    assert lines[1][begin:].startswith(pointed_at)


PIECES = [*RECIPES, "(", ")", "=", ",", " ", "[", "]", "-", "none", "true", "5ep", "20%", "0", "1e300", "0.5", "warmup"]
PIECES += sorted({name for recipe in RECIPES.values() for name in recipe.parameters})


@given(st.lists(st.sampled_from(PIECES) | st.text(string.printable, max_size=3), max_size=12).map("".join))
@settings(max_examples=300)
def test_nothing_but_a_schedule_error(text: str) -> None:
    try:
        one = schedule(text)
    except ScheduleError:
        return
    assert parse(str(one)) == one


VALUES = [
    "0",
    "1",
    "5",
    "0.5",
    "1e300",
    "1e-300",
    "500",
    "5ep",
    "20%",
    "5tok",
    "true",
    "none",
    "-1",
    "1 2",
    "2% 7%",
    "linear",
    "cosine",
]


@given(st.sampled_from(sorted(RECIPES)), st.data())
@settings(max_examples=400)
def test_any_values_make_a_schedule_or_a_schedule_error(name: str, data: st.DataObject) -> None:
    names = list(RECIPES[name].parameters)
    some = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=4)) if names else []
    given_values = [f"{one}={data.draw(st.sampled_from(VALUES))}" for one in some]
    try:
        one = schedule(f"{name}({', '.join(given_values)})")
        curve = one.resolve(Horizon(1000, 50, 7.0), base_lr=0.1, momentum=0.9, weight_decay=0.1)
    except ScheduleError:
        return
    assert parse(str(one)) == one
    values = curve(np.arange(1000))
    assert np.all(np.isfinite(values))
    assert values.min() >= -1e-9 * max(values.max(), 1.0)
