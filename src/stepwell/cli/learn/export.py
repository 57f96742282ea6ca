"""`stepwell learn export`: everything that was recorded, as JSON or CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stepwell.cli.learn.options import ProgressOption


def export(
    csv: Annotated[bool, typer.Option("--csv/--json", help="A table of the answers, or everything.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Instead of stdout.")] = None,
    progress: ProgressOption = None,
) -> None:
    """Write every recorded answer, those of items that were reset included."""
    from stepwell.cli.around import print_result
    from stepwell.errors import StoreError
    from stepwell.learn.progress import Progress, default_path
    from stepwell.view.write import write_file

    path = default_path() if progress is None else progress
    if not path.exists():
        raise StoreError(f"there is no progress in {path} yet; begin: stepwell learn")
    with Progress.open(path) as opened:
        text = opened.export_csv() if csv else opened.export_json()
    if output is None:
        print_result(lambda: typer.echo(text.rstrip("\n")), None)
        return
    if output.exists() and output.samefile(path):
        from stepwell.errors import OptionError

        raise OptionError(f"{str(output)!r} is the progress file itself; give another file with -o FILE")
    write_file(output, f"{text.rstrip()}\n")
    typer.echo(f"wrote {output}")
