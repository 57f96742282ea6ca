"""Runs the proof of an item: from what it says to run, to what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stepwell.errors import ContentError, StepwellError
from stepwell.learn import programs
from stepwell.learn.claims import Claim
from stepwell.learn.course import Item
from stepwell.learn.instance import Instance
from stepwell.learn.job import Ending, Job, Outcome, Part, Ran, Runner
from stepwell.learn.laying import rates
from stepwell.learn.proof import ProgramProof, ScheduleProof, TrainingProof
from stepwell.learn.template import render


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known once the proof has run.

    Args:
        names: parameters and measured values.
        measured: the measured values alone.
        seconds: how long it took.
    """

    names: Mapping[str, Any]
    measured: Mapping[str, Any]
    seconds: float = 0.0


def prove(shown: Instance, runner: Runner) -> Truth:
    """What the proof of an item measures for the parameters that were drawn. An item without proof measures nothing.

    Raises:
        ContentError: the proof could not be run, crashed, or did not measure what it should.
    """
    names = shown.names
    match shown.item.proof:
        case None:
            return Truth(names, {})
        case ScheduleProof(schedules=schedules):
            measured, seconds = _schedules(schedules, shown), 0.0
        case ProgramProof() as proof:
            ran = _run(proof.code, proof.measures, (0,), proof.seconds, shown, runner)
            measured, seconds = _program(ran.outcomes[0], proof, shown.item), ran.seconds
        case TrainingProof() as proof:
            ran = _run(proof.code, proof.measures, tuple(range(proof.seeds)), proof.seconds, shown, runner)
            measured, seconds = _training(ran.outcomes, proof), ran.seconds
    return Truth({**names, **measured}, measured, seconds)


def claims(item: Item) -> Iterable[Claim]:
    """Every claim of an item over what its proof measures."""
    yield from item.body.claims()
    yield from item.facts
    yield from (series.values for series in (*item.show, *item.reveal))


def _schedules(schedules: Mapping[str, str], shown: Instance) -> dict[str, Any]:
    if shown.item.frame is None:
        raise ContentError("a schedule proof needs a horizon; type: [item.horizon]")
    measured = {}
    for name, template in schedules.items():
        text = render(template, shown.names, exact=True)
        try:
            measured[name] = rates(text, shown.item.frame, shown.names)
        except StepwellError as error:
            raise ContentError(f"the schedule {name!r} of the proof: {error}") from error
    return measured


def _run(
    code: str, measures: tuple[str, ...], seeds: tuple[int, ...], seconds: float, shown: Instance, runner: Runner
) -> Ran:
    drawn = render(code, shown.names, exact=True)
    programs.check(drawn)
    ran = runner.run(Job((Part("proof", drawn),), measures, seeds, seconds))
    if ran.ending is not Ending.FINISHED:
        raise ContentError(f"the proof {ran.ending.value}: {ran.words}")
    return ran


def _program(outcome: Outcome, proof: ProgramProof, item: Item) -> dict[str, Any]:
    expected = {"error", "message"} & frozenset[str]().union(*(claim.names for claim in claims(item)))
    if outcome.error and not expected:
        raise _crash(outcome)
    missing = [name for name in proof.measures if name not in outcome.values]
    if missing and not outcome.error:
        raise ContentError(f"the proof never sets {missing[0]!r}, which it should measure; assign to it")
    return {
        **outcome.values,
        "stdout": outcome.stdout,
        "lines": outcome.stdout.splitlines(),
        "warnings": list(outcome.warnings),
        "error": outcome.error,
        "message": outcome.message,
    }


def _training(outcomes: tuple[Outcome, ...], proof: TrainingProof) -> dict[str, Any]:
    for seed, outcome in enumerate(outcomes):
        if outcome.error:
            raise _crash(outcome, f" under seed {seed}")
        for name in proof.measures:
            if name not in outcome.values:
                raise ContentError(f"the proof never sets {name!r}, which it should measure; assign to it")
    return {name: [outcome.values[name] for outcome in outcomes] for name in proof.measures}


def _crash(outcome: Outcome, where: str = "") -> ContentError:
    return ContentError(
        f"the proof crashed{where} at line {outcome.line}: {outcome.error}: {outcome.message}; mend it, or claim "
        'something about `error`, such as error == "ValueError"'
    )
