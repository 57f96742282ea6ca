"""The command line: one file per command, each a few lines around a library call."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

import typer

from stepwell.errors import StepwellError

USAGE_ERROR = typer.BadParameter.__mro__[1]  # typer gives it no name, and its package has moved from click into typer
COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "compare": ("stepwell.cli.compare", "compare"),
        "find": ("stepwell.cli.find", "find"),
        "plot": ("stepwell.cli.plot", "plot"),
        "explain": ("stepwell.cli.explain", "explain"),
        "recipes": ("stepwell.cli.recipes", "recipes"),
        "learn": ("stepwell.cli.learn.app", "app"),
        "runs": ("stepwell.cli.runs", "app"),
        "new": ("stepwell.cli.new", "app"),
    }
)
"""Name -> the module of a command and what it is called there, as `--help` lists them."""
KINDS = {"integer": "a whole number", "number": "a number", "float": "a number"}


def main() -> None:
    """Run the command line. What was wrong is one message beginning with `error:`, and exit code 2."""
    try:
        code = _app(sys.argv[1:])(prog_name="stepwell", standalone_mode=False)
    except StepwellError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except typer.Abort:
        typer.echo("\naborted", err=True)  # a question stands in the line above
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _end_on_a_full_disk(error)
    except Exception as error:
        if not isinstance(error, USAGE_ERROR):
            raise
        complaint = _complaint(error)
        if complaint:
            typer.echo(complaint, err=True)
        sys.exit(2)
    if code:  # of a command that ended with `typer.Exit`
        sys.exit(code)


def _end_on_a_full_disk(error: OSError) -> NoReturn:
    from stepwell.cli.around import abandon_stdout

    abandon_stdout()
    what = f" {error.filename!r}" if error.filename else ""
    typer.echo(f"error: cannot write{what} ({error.strerror}); what was recorded before is intact", err=True)
    sys.exit(2)


def _complaint(error: Any) -> str:
    """What was wrong with the words of a command, as our own errors say it; empty where the help was shown instead."""
    message = str(error.format_message())
    if type(error).__name__ == "NoArgsIsHelpError":
        return message
    option, colon, reason = message.rstrip(".").partition(": ")
    typed, likely = _typed(error, reason), getattr(error, "possibilities", None)
    if typed is not None and colon and option.startswith("Invalid value for "):
        kind = next((words for name, words in KINDS.items() if name in reason), "")
        expected = f"expected {kind}" if kind else reason.removeprefix("Value error, ")
        got = "" if repr(typed) in expected else f", got {typed!r}"
        text = f"{option[0].lower()}{option[1:]}: {expected}{got}"
    elif likely and hasattr(error, "option_name"):
        text = f"no such option {error.option_name!r}, did you mean {' or '.join(map(repr, likely))}?"
    else:
        text = f"{message[:1].lower()}{message[1:].rstrip('.')}"
    path = error.ctx.command_path if error.ctx is not None else "stepwell"
    return f"error: {text}; for help, type: {path} --help"


def _typed(error: Any, reason: str) -> str | None:
    """What the user typed for a value of another kind; None where that is not known."""
    details = getattr(error.__cause__, "errors", None)  # of pydantic, which newer typers read values with
    if callable(details):
        found = details()[0].get("input")
        return found if isinstance(found, str) else None
    quoted = re.match(r"'(.*)' is not ", reason)
    return quoted[1] if quoted else None


def _version(asked: bool) -> None:
    if asked:
        from stepwell import __version__

        typer.echo(__version__)
        raise typer.Exit


def _app(words: Sequence[str]) -> typer.Typer:
    """The application for the words of a command line: with every command on it, or only the one that they begin with.

    The files of the others are not imported then, which is a third of the time that a small command takes.
    """
    application = typer.Typer(
        help="A learning-rate workbench for PyTorch.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @application.callback()
    def stepwell(
        version: Annotated[
            bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
        ] = False,
    ) -> None:
        """A learning-rate workbench for PyTorch."""

    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        module, attribute = COMMANDS[name]
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            application.add_typer(found, name=name)
        else:
            application.command(name)(found)
    return application
