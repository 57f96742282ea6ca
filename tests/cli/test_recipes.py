from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner, Result

from stepwell.cli.recipes import recipes
from stepwell.errors import OptionError
from stepwell.schedule import RECIPES


def run(*arguments: str) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(recipes)
    return CliRunner().invoke(app, arguments)


def test_every_recipe_has_its_line_with_shape_parameters_text_and_source() -> None:
    lines = [line.split("\t") for line in run().output.splitlines()]
    assert [line[0] for line in lines] == list(RECIPES)
    for name, shape, parameters, text, source in lines:
        assert len(shape) == 12
        assert all(f"{one}=" in parameters for one in RECIPES[name].parameters)
        assert (text, source) == (RECIPES[name].text, RECIPES[name].source)


def names(pattern: str) -> list[str]:
    return [line.split("\t")[0] for line in run(pattern).output.splitlines()]


@pytest.mark.parametrize("pattern", ["timm", "TIMM", "timm.", "timm ", "tim"])
def test_a_library_chooses_its_own(pattern: str) -> None:
    others = {"keras.inverse_time_decay"} if pattern == "tim" else set()  # a word in its name begins so too
    assert {*names(pattern)} - others == {name for name in RECIPES if name.startswith("timm.")}


def test_a_library_is_not_the_beginning_of_another() -> None:
    assert {name.split(".")[0] for name in names("torch")} == {"torch"}
    assert {name.split(".")[0] for name in names("torchti")} == {"torchtitan"}


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("wsd", ["timm.wsd", "megatron.wsd"]),
        ("cosine_with", ["transformers.cosine_with_restarts", "transformers.cosine_with_min_lr"]),
        ("Cosine-With", ["transformers.cosine_with_restarts", "transformers.cosine_with_min_lr"]),
        ("timm.co", ["timm.cosine"]),
        ("titan", None),
        ("osine", None),
    ],
)
def test_the_beginning_of_a_word_chooses(pattern: str, chosen: list[str] | None) -> None:
    if chosen is None:
        assert isinstance(run(pattern).exception, OptionError)
    else:
        assert names(pattern) == chosen


@pytest.mark.parametrize("name", RECIPES)
def test_a_whole_name_tells_all_about_one(name: str) -> None:
    recipe, output = RECIPES[name], run(name).output
    assert output.startswith(f"{name}  ")
    assert recipe.summary in output
    assert recipe.notes in output
    assert f"text    {recipe.text}\nsource  {recipe.source}\n" in output


def test_parameters_are_shown_with_their_default_and_what_they_take() -> None:
    output = run("transformers.cosine").output
    assert "  num_warmup_steps    5%        a length (500, 20%, 5ep)\n" in output
    assert "  num_training_steps  left out  a length (500, 20%, 5ep)\n" in output


def test_a_name_that_there_is_not_is_an_error() -> None:
    raised = run("nothing").exception
    assert isinstance(raised, OptionError)
    assert "begins with 'nothing'; they are those of the house and of torch, timm" in str(raised)
    assert "did you mean 'cosine'" in str(run("cosnie").exception)
    assert "did you mean 'transformers'" in str(run("trasformers").exception)
