from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner, Result

from stepwell.cli.explain import explain
from stepwell.errors import OptionError
from stepwell.finding import CATALOGUE


def run(code: str) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(explain)
    return CliRunner().invoke(app, [code])


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_explained_with_its_cure(code: str) -> None:
    result = run(code.lower())
    assert result.exit_code == 0
    assert result.output.startswith(f"{code} ({CATALOGUE[code].severity}): {CATALOGUE[code].title}")
    assert CATALOGUE[code].cure in result.output


def test_an_unknown_code_lists_those_there_are() -> None:
    raised = run("SW999").exception
    assert isinstance(raised, OptionError)
    assert "no finding has the code 'SW999'; the codes are SW101, SW102" in str(raised)
