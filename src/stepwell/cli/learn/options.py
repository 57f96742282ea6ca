"""What the commands of the course share: their options, the course, the progress file and the worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from stepwell.learn.attempt import Attempt
    from stepwell.learn.course import Course
    from stepwell.learn.outline import Outline
    from stepwell.learn.worker import Worker

ProgressOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--progress", metavar="PATH", help="The progress file.", show_default="in the folder of your data"),
]
CourseOption: TypeAlias = Annotated[
    Path | None, typer.Option("--course", metavar="FOLDER", help="Another course.", show_default="the built-in one")
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print strict JSON.")]


def read_course(folder: Path | None) -> Course:
    """The whole course: the built-in one, or that in a folder.

    Raises:
        ContentError: something in it cannot be read.
    """
    from stepwell.learn import read

    return read.read_course() if folder is None else read.read_course(folder)


def read_outline(folder: Path | None) -> tuple[Outline, ...]:
    """The topics alone, in milliseconds.

    Raises:
        ContentError: a topic cannot be read.
    """
    from stepwell.learn.outline import outline

    return outline() if folder is None else outline(folder)


def recorded(path: Path | None, *, ever: bool = False) -> list[Attempt]:
    """The answers so far; none where there is no progress file yet, and none is made for looking.

    Args:
        path: the progress file; the default one if None.
        ever: whether answers to items that were reset since are among them.

    Raises:
        StoreError: there is something at the path that cannot be read.
    """
    from stepwell.learn.progress import Progress, default_path

    path = default_path() if path is None else path
    if not path.exists():
        return []
    with Progress.open(path) as progress:
        return progress.attempts(ever=ever)


@contextmanager
def worker_of_ones_own() -> Iterator[Worker]:
    """A worker that is not started yet, and is ended at once."""
    from stepwell.learn.worker import Worker

    worker = Worker()
    try:
        yield worker
    finally:
        worker.stop()  # not `close`: a proof that still runs is for nobody now


@contextmanager
def warm_worker() -> Iterator[Worker]:
    """The same, which begins to load torch at once."""
    with worker_of_ones_own() as worker:
        worker.start()
        yield worker
