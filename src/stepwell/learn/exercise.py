"""Judges programs and settings by running them: the checks of `fix` and the lab of `tune`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stepwell.errors import ContentError
from stepwell.learn.items.fix import Fix
from stepwell.learn.items.tune import Lab, Setting, program
from stepwell.learn.job import Ending, Job, Outcome, Part, Ran, Runner
from stepwell.learn.template import render
from stepwell.learn.verdict import Graded, Verdict

OWN = "your code"
_NEEDS = "needs"
HEAD = 12
"""Printed lines that are shown from the beginning, and as many from the end."""
WIDEST = 500
"""Characters of a printed line that are shown."""

_ENDINGS = {
    Ending.TIMED_OUT: Verdict.TIMED_OUT,
    Ending.CRASHED: Verdict.CRASHED,
    Ending.BROKEN: Verdict.COULD_NOT_CHECK,
}


def rendered(code: str, names: Mapping[str, Any]) -> str:
    """A program with its parameters put in."""
    return render(code, names, exact=True)


def check(body: Fix, code: str, names: Mapping[str, Any], runner: Runner) -> Graded:
    """How a program fares in the hidden checks, under every seed of theirs.

    Args:
        body: the item with the checks.
        code: the program.
        names: the item's parameters.
        runner: runs it.
    """
    how = body.check
    parts = (
        Part("before", rendered(how.before, names)),
        Part(OWN, code),
        Part(_NEEDS, "\n".join(how.needs)),
        Part("after", rendered(how.after, names)),
    )
    ran = runner.run(Job(parts, how.measures, how.seeds, how.seconds))
    if unfinished := _unfinished(ran):
        return unfinished
    for seed, outcome in zip(how.seeds, ran.outcomes, strict=True):
        graded = _judge(body, outcome, names)
        if graded.verdict is not Verdict.RIGHT:
            return Graded(graded.verdict, 0.0, graded.words, {**graded.evidence, "seed": seed})
    measured = [dict(outcome.values) for outcome in ran.outcomes]
    evidence = {"seeds": list(how.seeds), "measured": measured, "printed": printed(ran.outcomes[0].stdout)}
    return Graded(Verdict.RIGHT, 1.0, f"It passes under {len(how.seeds)} seeds.", evidence)


def train(lab: Lab, setting: Setting, runner: Runner) -> Graded:
    """How a setting fares in the lab: right where it reaches the target under every seed."""
    job = Job((Part("lab", program(lab, setting)),), ("losses", "rates", "reached"), lab.seeds, lab.seconds)
    ran = runner.run(job)
    if unfinished := _unfinished(ran):
        return unfinished
    runs = []
    for seed, outcome in zip(lab.seeds, ran.outcomes, strict=True):
        if outcome.error or "reached" not in outcome.values:
            trace = outcome.trace or outcome.message
            return Graded(Verdict.CRASHED, 0.0, trace, {"seed": seed, "printed": printed(outcome.stdout)})
        runs.append({"seed": seed, **outcome.values})
    reached = [run["reached"] for run in runs]
    hits = sum(loss <= lab.target for loss in reached)  # a NaN is no hit
    worst = max(reached) if all(math.isfinite(loss) for loss in reached) else float("nan")
    words = f"{hits} of {len(runs)} seeds reach {lab.target:g}; the worst comes to {worst:.4g}."
    evidence = {"runs": runs, "target": lab.target}
    right = hits == len(runs)
    return Graded(Verdict.RIGHT if right else Verdict.WRONG, hits / len(runs), words, evidence)


def printed(stdout: str) -> dict[str, Any]:
    """What a program printed, cut in the middle: the lines at its beginning and end, and how many lie between.

    Example:
        >>> printed("loss" + chr(10))
        {'head': ['loss'], 'left_out': 0, 'tail': []}
    """
    lines = [line[:WIDEST] for line in stdout.splitlines()]
    if len(lines) <= 2 * HEAD:
        return {"head": lines, "left_out": 0, "tail": []}
    return {"head": lines[:HEAD], "left_out": len(lines) - 2 * HEAD, "tail": lines[-HEAD:]}


def _unfinished(ran: Ran) -> Graded | None:
    if ran.ending is Ending.FINISHED:
        return None
    return Graded(_ENDINGS[ran.ending], words=ran.words)


def _judge(body: Fix, outcome: Outcome, names: Mapping[str, Any]) -> Graded:
    shown = {"printed": printed(outcome.stdout)}
    if outcome.error and outcome.part == OWN:
        return Graded(Verdict.CRASHED, 0.0, outcome.trace, {**shown, "line": outcome.line})
    if outcome.error and outcome.part == _NEEDS:
        needs = ", ".join(body.check.needs)
        return Graded(Verdict.WRONG, 0.0, f"The program has to leave these names behind: {needs}.", shown)
    if outcome.error:
        return Graded(Verdict.COULD_NOT_CHECK, 0.0, f"the check stopped: {outcome.trace or outcome.message}", shown)
    facts = {
        "stdout": outcome.stdout,
        "lines": outcome.stdout.splitlines(),
        "warnings": list(outcome.warnings),
        "error": "",
        "message": "",
    }
    scope = {**names, **facts, **outcome.values}
    missed: list[str] = []
    for demand in body.check.demands:
        try:
            if not demand.claim.holds(scope):
                missed.append(render(demand.message, scope))
        except ContentError as error:
            if missed:  # what comes after a demand that is missed may rest on it
                break
            return Graded(Verdict.COULD_NOT_CHECK, 0.0, str(error), shown)
    evidence = {**shown, "measured": dict(outcome.values), "warnings": list(outcome.warnings)}
    return Graded(Verdict.WRONG if missed else Verdict.RIGHT, float(not missed), "\n".join(missed), evidence)
