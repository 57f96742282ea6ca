"""How the course writes and reads: Markdown and lines on a terminal, plain text where there is none."""

from __future__ import annotations

import io
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from threading import Timer
from typing import final

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from stepwell.cli.learn.countdown import Countdown, ticking, ticks

WIDEST = 100
"""Columns of text: longer lines are hard to read."""
PATIENCE = 0.25
"""Seconds before it is said what is waited for."""
# The terminal's own ground and colours: the defaults of rich put code on black, which a light terminal shows as bars.
_THEME = Theme({"markdown.code": "bold cyan", "markdown.code_block": "cyan", "markdown.h1": "bold underline"})
CODE_THEME = "ansi_dark"
HANGING = " " * 8
"""Before what is left of a line of code that is wider than the terminal."""
# Code between single marks, how long it may be to stay in one line, and what stands for its spaces meanwhile.
_INLINE = re.compile(r"(?<!`)`[^`]+`(?!`)")
_STAYS = 52
_STUCK = "\ue000"
_FENCED = re.compile(r"^```[^\n`]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a learner reads and types.

    Args:
        console: what is printed to; texts have its width.
        read: gives the line that answers a prompt; EOFError at the end of the input.
        interactive: whether a person types there, so that an editor can be opened and a page waits.
        columns: of the whole terminal, where that is wider than texts should be.
        ticks: whether the clock of a prompt runs while the learner types; otherwise it shows when the prompt came.
    """

    console: Console
    read: Callable[[str], str]
    interactive: bool
    columns: int = 0
    ticks: bool = False

    def ask(self, prompt: str | Countdown) -> str:
        """The line that answers a prompt, without blanks at its ends.

        Raises:
            EOFError: the input is over.
        """
        if isinstance(prompt, str):
            return self.read(prompt).strip()
        with ticking(prompt) if self.ticks else nullcontext():
            return self.read(prompt.at(time.monotonic())).strip()

    def say(self, words: str, style: str = "") -> None:
        """Print words as they are, on as many lines as they need."""
        self.console.print(Text(words, style=style), soft_wrap=not self.console.is_terminal)

    def refuse(self, error: Exception, then: str = ".") -> None:
        """Say what cannot be meant; a text that comes with a mark below it is left as it is."""
        words = str(error)
        self.say(f"{words[:1].upper()}{words[1:]}{'' if chr(10) in words else then}", "yellow")

    def prose(self, markdown: str) -> None:
        """Print Markdown: rendered on a terminal, as it is written elsewhere."""
        if not markdown.strip():
            return
        if not self.console.is_terminal:
            self.say(markdown.strip())
            return
        parts = [(part, bool(number % 2)) for number, part in enumerate(_FENCED.split(markdown.strip()))]
        for number, (part, is_code) in enumerate((part, is_code) for part, is_code in parts if part.strip()):
            if number:
                self.blank()
            if is_code:
                self.code(part)
            else:
                self.console.print(_Rendered(part))

    def numbered(self, texts: Sequence[str], marks: Sequence[str] = ()) -> None:
        """Print Markdown texts, each beside its mark: its number from 1 unless `marks` has others."""
        marks = marks or [str(number) for number in range(1, len(texts) + 1)]
        if not self.console.is_terminal:
            for mark, text in zip(marks, texts, strict=True):
                self.say(f"  {mark}{'.' if mark[-1].isalnum() else ''} {text.strip()}")
            return
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", style="bold", min_width=4)
        table.add_column()
        for mark, text in zip(marks, texts, strict=True):
            table.add_row(mark, _Rendered(text))
        self.console.print(table)

    def code(self, program: str) -> None:
        """Print a program; in colours where there are any. A line is wrapped only where the terminal is narrower."""
        if not self.console.is_terminal:
            self.say(program.rstrip())
            return
        from rich.syntax import Syntax

        with self._whole_width():
            fitting = "\n".join(
                _fitted(line, self.console.width - 4) for line in program.strip("\n").rstrip().split("\n")
            )
            self.console.print(
                Syntax(fitting, "python", theme=CODE_THEME, word_wrap=True, background_color="default", padding=(0, 2))
            )

    def verbatim(self, lines: Sequence[str]) -> None:
        """Print lines of output as they are, set in."""
        with self._whole_width():
            for line in lines:
                self.say(f"  {line}")

    def section(self, title: str) -> None:
        """Print the heading of what follows."""
        self.blank()
        self.say(title, "bold")

    def blank(self) -> None:
        """Print an empty line."""
        self.console.print()

    @contextmanager
    def _whole_width(self) -> Iterator[None]:
        """Print as wide as the terminal is, not as wide as texts are."""
        narrow = self.console.width
        self.console.width = max(narrow, self.columns)
        try:
            yield
        finally:
            self.console.width = narrow

    @contextmanager
    def busy(self, words: str) -> Iterator[None]:
        """Say what is waited for, while it is."""
        if not self.console.is_terminal or self.console.is_dumb_terminal:
            yield
            return
        status = self.console.status(words, spinner="line")
        timer = Timer(PATIENCE, status.start)  # most answers are there sooner
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            status.stop()


def terminal() -> Terminal:
    """The standard input and output."""
    columns = Console().width
    console = plain_console()
    interactive = console.is_terminal and sys.stdin.isatty()
    if interactive:
        with suppress(ImportError):  # where it is missing, lines are read without its editing
            import readline  # noqa: F401 - `input` uses it
    return Terminal(console, _read, interactive, columns, interactive and not console.is_dumb_terminal and ticks())


def plain_console() -> Console:
    """A console on the standard output that does not end at a letter that its encoding lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False, theme=_THEME)
    if console.width > WIDEST:
        console.width = WIDEST
    return console


def _read(prompt: str) -> str:
    line = input(prompt)
    if not sys.stdin.isatty():
        sys.stdout.write("\n")  # nobody's return key has ended the line of the prompt
    return line


def _fitted(line: str, width: int) -> str:
    """A line of code on as many lines as it needs; those after the first are set in further."""
    indent = line[: len(line) - len(line.lstrip())]
    if len(line) <= width or len(indent) > width // 2:
        return line
    return textwrap.fill(
        line.lstrip(), width, initial_indent=indent, subsequent_indent=f"{indent}{HANGING}", break_on_hyphens=False
    )


def _together(code: re.Match[str]) -> str:
    """Short code with its spaces stuck; longer code as it is, which is matched too so that marks pair up."""
    return re.sub(r"\s+", _STUCK, code[0]) if len(code[0]) <= _STAYS else code[0]


@final
@dataclass(frozen=True, slots=True)
class _Rendered:
    """Markdown whose short pieces of code are not broken at their spaces."""

    markdown: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.markdown import Markdown

        whole = _INLINE.sub(_together, self.markdown.strip())
        for segment in console.render(Markdown(whole, code_theme=CODE_THEME), options):
            yield segment._replace(text=segment.text.replace(_STUCK, " "))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)
