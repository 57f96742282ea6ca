"""`stepwell learn verify`: run every proof of the course and derive every key."""

from __future__ import annotations

import json as json_format
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepwell.cli.learn.options import CourseOption, read_course

if TYPE_CHECKING:
    from stepwell.learn.verify import Finding

LONGEST_KEY = 60


def verify(
    topics: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC...]", help="Only these.", show_default="all")
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Every set of parameters, instead of six of each item.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes that run proofs side by side.")] = 2,
    json: Annotated[bool, typer.Option("--json", help="Print each finding as a line of strict JSON.")] = False,
    course: CourseOption = None,
) -> None:
    """Run the proof of every item and print the key that comes out. Ends with 1 where an item is refused."""
    from stepwell.cli.around import stopped
    from stepwell.cli.learn.names import topic_ids
    from stepwell.learn import verify as verifying

    content = read_course(course)
    chosen = topic_ids((topic.id for topic in content.topics), topics or ()) or None
    begun = time.monotonic()
    num_proofs = refused = 0
    items = set()
    try:
        for finding in verifying.verify(content, chosen, workers=workers, sets=None if every else verifying.SETS):
            num_proofs += 1
            refused += isinstance(finding, verifying.Problem)
            items.add(finding.item)
            typer.echo(json_format.dumps(_document(finding), ensure_ascii=False) if json else _line(finding))
    except KeyboardInterrupt:
        raise stopped(f"stopped after {num_proofs} proofs, {refused} refused") from None
    seconds = time.monotonic() - begun
    if json:
        totals = {"items": len(items), "proofs": num_proofs, "refused": refused, "seconds": round(seconds, 3)}
        typer.echo(json_format.dumps(totals))
    else:
        typer.echo(f"items and programs: {len(items)}, proofs: {num_proofs}, refused: {refused}, {seconds:.1f} s")
    if refused:
        raise typer.Exit(1)


def _line(finding: Finding) -> str:
    from stepwell.learn.verify import Problem

    if isinstance(finding, Problem):
        return f"REFUSED  {finding}"
    drawn = ", ".join(f"{name}={value}" for name, value in finding.values.items())
    parts = [finding.item, f"({drawn})" if drawn else "", "" if finding.key is None else f"-> {_short(finding.key)}"]
    return f"{finding.seconds:6.2f} s  {' '.join(filter(None, parts))}"


def _short(key: Any) -> str:
    if isinstance(key, float):
        return f"{key:.6g}"
    words = " ".join(str(key).split())
    return words if len(words) <= LONGEST_KEY else f"{words[: LONGEST_KEY - 3]}..."


def _document(finding: Finding) -> dict[str, Any]:
    from stepwell.learn.attempt import strict
    from stepwell.learn.verify import Problem

    known = {"item": finding.item, "values": strict(dict(finding.values)), "seconds": round(finding.seconds, 4)}
    if isinstance(finding, Problem):
        return {**known, "refused": True, "place": finding.place, "words": finding.words}
    return {**known, "refused": False, "key": strict(finding.key)}
