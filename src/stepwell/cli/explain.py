"""`stepwell explain`: what the code of a finding means."""

from __future__ import annotations

from typing import Annotated

import typer

from stepwell.errors import OptionError
from stepwell.finding import CATALOGUE


def explain(code: Annotated[str, typer.Argument(metavar="CODE", help="The code of a finding, such as SW101.")]) -> None:
    """Tell what a finding means and what to do about it."""
    entry = CATALOGUE.get(code.upper())
    if entry is None:
        raise OptionError(f"no finding has the code {code!r}; the codes are {', '.join(sorted(CATALOGUE))}")
    typer.echo(f"{code.upper()} ({entry.severity}): {entry.title}\nCure: {entry.cure}")
