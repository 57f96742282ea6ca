"""What the commands that train have around a library call: a folder to write in, notes, options, a way out."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer
from rich.console import Console

INTERRUPTED = 130  # what a shell expects of a program stopped by Ctrl-C


def read_options(pairs: list[str] | None) -> dict[str, float]:
    """The options of an optimizer, given as NAME=VALUE.

    Raises:
        OptionError: no number after a name.
    """
    from stepwell.errors import OptionError

    options = {}
    for pair in pairs or ():
        name, _, value = pair.partition("=")
        try:
            options[name.strip()] = float(value)
        except ValueError:
            raise OptionError(f"an optimizer option is NAME=VALUE with a number, got {pair!r}") from None
    return options


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Make the folder before anything is trained, so that no work is lost to a wrong path; take it back if empty."""
    from stepwell.errors import OutputError
    from stepwell.view.write import make_folder

    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        make_folder(folder)
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise OutputError(
                f"cannot write into the folder {str(folder)!r} ({(error.strerror or str(error)).lower()}); "
                "give another one with --out"
            ) from error
        yield
    except BaseException:
        with suppress(OSError):  # what is not empty stays, and the error that brought us here is the one to tell
            for place in made:
                place.rmdir()
        raise


@contextmanager
def notes(console: Console) -> Iterator[None]:
    """Warnings of the library become notes of one line."""

    def note(message: Warning | str, *_: object, **__: object) -> None:
        console.print(f"note: {message}", style="yellow", markup=False, soft_wrap=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = note
        yield


def print_result(show: Callable[[], None], report: Path | None) -> None:
    """Print a result to the standard output and flush it, so that a full disk is noticed.

    Raises:
        OutputError: it cannot be written.
    """
    from stepwell.errors import OutputError

    try:
        show()
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; typer ends quietly
        raise
    except OSError as error:
        abandon_stdout()
        where = f"; the report is in {report}" if report else ""
        raise OutputError(f"cannot write to the standard output ({error}){where}") from error


def stopped(words: str) -> typer.Exit:
    """What to raise after Ctrl-C, with one sentence of what was done."""
    typer.echo(words, err=True)
    return typer.Exit(INTERRUPTED)


def abandon_stdout() -> None:
    """Drop what could not be printed, so that Python does not try again when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
