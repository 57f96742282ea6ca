"""The time that is left, in a prompt: counted down once a second while the learner types."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType, ModuleType

# Save the cursor and go to a column of its row; put it back. Every terminal that is not dumb has known both since the
# VT100, and what stands between is written in one piece, so that nothing that is typed can come between.
_TO_COLUMN = "\x1b7\r\x1b[{}C"
_BACK = "\x1b8"
_ERASE = "\x1b[K"
_SOON = 0.01
"""Seconds after a full second, at which the clock is read: never just before it."""
INTERVAL = 1.0
"""Seconds between two ticks."""


@dataclass(frozen=True, slots=True)
class Countdown:
    """A prompt with a clock in it.

    Args:
        what: what is asked for.
        until: when the time allowed is over, on the clock of `time.monotonic`.
        digits: of the minutes; what takes more stays at the longest time that they can say.
    """

    what: str
    until: float
    digits: int = 1

    @classmethod
    def from_now(cls, what: str, left: float) -> Countdown:
        """The prompt where so many seconds are left; below 0 the time is over by as many."""
        return cls(what, time.monotonic() + left, len(str(int(abs(left)) // 60)))

    @property
    def column(self) -> int:
        """Where the clock begins."""
        return len(self.what) + 2

    def clock(self, now: float) -> str:
        """What is left or over at a time, always as many columns wide.

        Example:
            >>> Countdown("Answer", until=100.0).clock(37.5), Countdown("Answer", until=100.0, digits=2).clock(105.2)
            ('1:03 left', '00:05 over')
        """
        left = self.until - now
        seconds = min(math.ceil(left) if left >= 0 else int(-left), 10**self.digits * 60 - 1)
        return f"{seconds // 60:0{self.digits}d}:{seconds % 60:02d} {'left' if left >= 0 else 'over'}"

    def at(self, now: float) -> str:
        """The prompt at a time."""
        return f"{self.what} ({self.clock(now)}): "


def ticks() -> bool:
    """Whether a prompt of this terminal can be redrawn while it waits: with GNU readline, which knows what is typed.

    Its imitations do not say it before the line is ended. It also lets a signal be handled between two keys, never
    amid one, so that neither the line nor what is printed of it can be caught half done.
    """
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
        and sys.stdout.isatty()
        and "GNU readline" in (getattr(sys.modules.get("readline"), "__doc__", None) or "")
    )


@contextmanager
def ticking(prompt: Countdown) -> Iterator[None]:
    """Redraw the clock of the prompt, and nothing else, once a second while a line is read in the block."""
    import readline

    def tick(_number: int, _frame: FrameType | None) -> None:
        _redraw(prompt, readline)

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, (prompt.until - time.monotonic()) % INTERVAL + _SOON, INTERVAL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        # A tick that was on its way when the line was ended has drawn into the next one.
        sys.stdout.write(_ERASE)
        sys.stdout.flush()


def _redraw(prompt: Countdown, readline: ModuleType) -> None:
    now = time.monotonic()
    line = readline.get_line_buffer()
    with suppress(OSError):  # a terminal that has gone away is for whoever reads the line
        if _fits(prompt.at(now), line, os.get_terminal_size(sys.stdout.fileno()).columns):
            drawn = f"{_TO_COLUMN.format(prompt.column)}{prompt.clock(now)}{_BACK}"
            os.write(sys.stdout.fileno(), drawn.encode("ascii"))


def _fits(prompt: str, line: str, columns: int) -> bool:
    """Whether the prompt and what is typed stand in one row, so that the cursor is in the row of the clock."""
    from rich.cells import cell_len

    return line.isprintable() and len(prompt) + cell_len(line) < columns
