"""Which runs are meant: by the first letters of an id, by task, name or ending."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from stepwell.errors import OptionError
from stepwell.record.facts import RunSummary
from stepwell.record.run import Ending

SHORTEST_ID = 8
NEAREST = 3  # runs that an error names


@dataclass(frozen=True, slots=True)
class Filter:
    """What runs must have in common; None takes any, and a pattern such as `warm*` several.

    Example:
        >>> Filter(task="digits-*").describe()
        "task 'digits-*'"
    """

    task: str | None = None
    name: str | None = None
    ending: Ending | None = None

    def has(self, run: RunSummary) -> bool:
        """Whether a run is one of them."""
        fits = _fits(self.task, run.task) and _fits(self.name, run.name)
        return fits and (self.ending is None or run.outcome.ending is self.ending)

    def describe(self) -> str:
        """What was asked for."""
        asked = {"task": self.task, "name": self.name, "ending": self.ending}
        return " and ".join(f"{what} {str(value)!r}" for what, value in asked.items() if value is not None)

    def instead(self, runs: Sequence[RunSummary]) -> str:
        """What these runs have of what was asked for."""
        there = []
        if self.task is not None:
            there.append(f"known tasks: {_few({run.task for run in runs if run.task})}")
        if self.name is not None:
            there.append(f"known names: {_few({run.name for run in runs})}")
        if self.ending is not None:
            there.append(f"known endings: {_few({run.outcome.ending.value for run in runs})}")
        return "; ".join(there)


def read_ending(text: str) -> Ending:
    """The ending of that name; hyphens may stand for its blanks.

    Raises:
        OptionError: there is none.

    Example:
        >>> read_ending("did-not-learn").value
        'did not learn'
    """
    try:
        return Ending(text.strip().lower().replace("-", " "))
    except ValueError:
        known = ", ".join(ending.value for ending in Ending)
        raise OptionError(f"an ending is one of {known}, got {text!r}") from None


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """For every id as many of its first letters, at least eight, as tell all ids apart.

    Example:
        >>> short_ids(["aaaabbbbcc", "aaaabbbbdd", "b"])
        {'aaaabbbbcc': 'aaaabbbbc', 'aaaabbbbdd': 'aaaabbbbd', 'b': 'b'}
    """
    longest = max(map(len, ids), default=0)
    for length in range(SHORTEST_ID, longest):
        if len({run_id[:length] for run_id in ids}) == len(ids):
            return {run_id: run_id[:length] for run_id in ids}
    return {run_id: run_id for run_id in ids}


def choose(runs: Sequence[RunSummary], text: str, *, where: str) -> str:
    """The id that `text` is, or that it alone begins.

    Args:
        runs: the newest last.
        text: an id, or its first letters.
        where: the command that lists the runs.

    Raises:
        OptionError: no run has it, or several have; the nearest or newest few are named.
    """
    ids = [run.id for run in runs]
    matches = [text] if text in ids else [run_id for run_id in ids if text and run_id.startswith(text)]
    if len(matches) == 1:
        return matches[0]
    names, short = {run.id: run.name for run in runs}, short_ids(ids)
    words = {run_id: f"{short[run_id]} ({names[run_id]})" for run_id in ids}
    if matches:
        raise OptionError(f"the id {text!r} could be {_newest([words[one] for one in matches])}; type more of it")
    called = [words[run.id] for run in runs if run.name == text]
    if called:
        raise OptionError(
            f"{text!r} is a name, and an id is needed, as of {_newest(called)}; "
            f"to see all, type: {where} --name {shlex.quote(text)}"
        )
    near = get_close_matches(text, [run_id[: len(text)] for run_id in ids], n=NEAREST) if text else []
    nearest = [words[run_id] for run_id in ids if run_id[: len(text)] in near][:NEAREST]
    hint = f"the nearest {'is' if len(nearest) == 1 else 'are'} {', '.join(nearest)}; " if nearest else ""
    raise OptionError(f"no run has an id that begins with {text!r}; {hint}to see all, type: {where}")


def _fits(pattern: str | None, text: str | None) -> bool:
    return pattern is None or (text is not None and (text == pattern or fnmatchcase(text, pattern)))


def _few(words: set[str], most: int = 6) -> str:
    listed = sorted(words)
    more = [f"{len(listed) - most} more"] if len(listed) > most else []
    return ", ".join([*listed[:most], *more]) or "not known"


def _newest(words: Sequence[str]) -> str:
    others = len(words) - NEAREST
    shown = ", ".join(words[-NEAREST:])
    return f"{shown} or {others} older" if others > 0 else shown
