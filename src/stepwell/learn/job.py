"""What a worker is asked to run and what comes of it, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

MEMORY = 1 << 30
"""Bytes that a program may take beyond what the worker itself has."""


class Ending(StrEnum):
    """How a run of programs ended."""

    FINISHED = "finished"  # every seed ran to its end, with or without an exception
    TIMED_OUT = "timed out"
    CRASHED = "crashed"  # the process died, or ended without saying what it measured
    BROKEN = "broken"  # the machinery failed; nothing is known about the program


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a program: how tracebacks call it, and its code."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Job:
    """Parts that run one after the other in one namespace; anew for every seed, which the name `seed` holds.

    Args:
        collect: names whose values come back.
        seconds: of wall time and of CPU time, for all seeds.
        memory: bytes beyond the worker's own.
        file: where the program lies, as an absolute path: `__file__`, and modules beside it can be imported. Empty for
            a program that lies nowhere.
    """

    parts: tuple[Part, ...]
    collect: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    seconds: float = 10.0
    memory: int = MEMORY
    file: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one seed gave.

    Args:
        values: what was collected; a name that was never set is missing.
        stdout: the beginning of what was printed.
        warnings: their texts, without repetitions.
        error: the name of the exception that ended it; empty for none.
        message: the exception's text.
        part: the name of the part that raised.
        line: the line of the part.
        trace: the last lines of the traceback, for the learner.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    stdout: str = ""
    warnings: tuple[str, ...] = ()
    error: str = ""
    message: str = ""
    part: str = ""
    line: int = 0
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a job ended, and the outcomes of the seeds in their order.

    Args:
        words: why it did not finish.
        seconds: of wall time in the worker.
    """

    ending: Ending
    outcomes: tuple[Outcome, ...] = ()
    words: str = ""
    seconds: float = 0.0


class Runner(Protocol):
    """Whatever runs jobs."""

    def run(self, job: Job) -> Ran:
        """What came of the job; failures are endings, not exceptions."""
        ...


class Engine(Runner, Protocol):
    """A runner with something to load."""

    def start(self) -> None:
        """Begin to load it and return at once."""
        ...

    def stop(self) -> None:
        """End at once, also in the middle of a job."""
        ...
