"""Proofs as data: what is run to find out what is true. Running them is `prove`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from stepwell.errors import ContentError
from stepwell.learn import programs
from stepwell.learn.fields import Fields, Scope
from stepwell.learn.functions import CONSTANTS, FUNCTIONS

PROGRAM_FACTS = frozenset({"stdout", "lines", "warnings", "error", "message"})
"""What every program tells besides its measures: its output as one text and as lines, the texts of its warnings, the
name of the exception that ended it and its message (both empty where there was none)."""

LEAST_SEEDS = 20
PROGRAM_SECONDS = 20.0
TRAINING_SECONDS = 120.0
LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Frame:
    """The run that schedules are laid over. Counts may be templates, so they are texts until they are drawn."""

    total_steps: str
    steps_per_epoch: str = ""
    tokens_per_step: str = ""
    base_lr: str = "1.0"


@dataclass(frozen=True, slots=True)
class ScheduleProof:
    """Schedules laid over the item's horizon; each name is measured as its list of rates.

    Args:
        schedules: name -> the text, a template.
    """

    schedules: Mapping[str, str]

    @property
    def names(self) -> frozenset[str]:
        """What claims may use."""
        return frozenset(self.schedules)


@dataclass(frozen=True, slots=True)
class ProgramProof:
    """A program that leaves its results in named variables.

    Args:
        code: Python, a template.
        measures: the variables.
        seconds: of wall time, at most.
    """

    code: str
    measures: tuple[str, ...]
    seconds: float

    @property
    def names(self) -> frozenset[str]:
        """What claims may use."""
        return frozenset(self.measures) | PROGRAM_FACTS


@dataclass(frozen=True, slots=True)
class TrainingProof:
    """A training run repeated over seeds; each measure is a list with one value per seed.

    Args:
        code: Python, a template; `seed` is set before it begins, and torch is seeded with it.
        measures: the variables.
        model: what is trained, in words.
        optimizer: with what, in words.
        data: on what, in words.
        seeds: how many, from 0.
        margin: by how much at least the true option has to win; claims use it under this name.
        seconds: of wall time for all seeds, at most.
    """

    code: str
    measures: tuple[str, ...]
    model: str
    optimizer: str
    data: str
    seeds: int
    margin: float
    seconds: float

    @property
    def names(self) -> frozenset[str]:
        """What claims may use."""
        return frozenset(self.measures)


Proof: TypeAlias = ScheduleProof | ProgramProof | TrainingProof


def read(item: Fields, parameters: frozenset[str]) -> Proof:
    """The proof of an item's table `proof`."""
    fields = item.under("proof")
    fields.scope = Scope(parameters)
    proof: Proof
    match fields.text("kind"):
        case "schedule":
            proof = _schedule(fields)
            if not item.has("horizon"):
                item.refuse("horizon", "a schedule proof needs it; type: [item.horizon] and total_steps = 100")
        case "program":
            proof = _program(fields)
        case "training":
            proof = _training(fields)
        case other:
            fields.refuse("kind", f"expected schedule, program or training, got {other!r}")
    fields.close()
    field = "proof.schedules" if isinstance(proof, ScheduleProof) else "proof.measures"
    refuse_taken(item, field, proof.names, parameters)
    return proof


def refuse_taken(fields: Fields, field: str, names: Iterable[str], parameters: frozenset[str]) -> None:
    """Refuse the first of these measured names that means something else in claims already."""
    for name in sorted(names):
        if name in parameters:
            fields.refuse(field, f"{name!r} is a parameter already; measure it under another name")
        if name in FUNCTIONS:
            fields.refuse(field, f"{name!r} is a function of claims; measure it as something like {f'num_{name}'!r}")
        if name in CONSTANTS or name in ("margin", "seed"):
            fields.refuse(field, f"{name!r} is a word of claims already; measure it under another name")


def read_frame(item: Fields, parameters: frozenset[str]) -> Frame | None:
    """The run of an item's table `horizon`; None where there is none."""
    if not item.has("horizon"):
        return None
    fields = item.under("horizon")
    fields.scope = Scope(parameters)
    frame = Frame(
        _figure(fields, "total_steps"),
        _figure(fields, "steps_per_epoch", ""),
        _figure(fields, "tokens_per_step", ""),
        _figure(fields, "base_lr", "1.0"),
    )
    fields.close()
    return frame


def _figure(fields: Fields, name: str, default: str | None = None) -> str:
    found = fields.raw(name)
    if found is None and default is not None:
        return default
    if isinstance(found, str):
        return fields.shown(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not found > 0:
        example = f'{name} = 100 or {name} = "{{{{n}}}}"'
        fields.refuse(name, f"expected a positive number or a template, got {found!r}; type: {example}")
    return repr(found)


def _schedule(fields: Fields) -> ScheduleProof:
    inner = fields.under("schedules")
    if not inner.table:
        fields.refuse("schedules", 'it is empty; type: schedules = { rates = "cosine 1..0" }')
    schedules = {name: inner.shown(name) for name in inner.table}
    inner.close()
    return ScheduleProof(MappingProxyType(schedules))


def _program(fields: Fields) -> ProgramProof:
    return ProgramProof(
        _code(fields, "code"),
        _measures(fields, needed=False),
        min(fields.number("seconds", PROGRAM_SECONDS, least=1), LONGEST_SECONDS),
    )


def _training(fields: Fields) -> TrainingProof:
    return TrainingProof(
        _code(fields, "code"),
        _measures(fields, needed=True),
        fields.text("model"),
        fields.text("optimizer"),
        fields.text("data"),
        fields.whole("seeds", LEAST_SEEDS, least=LEAST_SEEDS),
        fields.number("margin"),
        min(fields.number("seconds", TRAINING_SECONDS, least=1), LONGEST_SECONDS),
    )


def _measures(fields: Fields, *, needed: bool) -> tuple[str, ...]:
    found = fields.texts("measures") if needed else fields.texts("measures", ())
    for name in found:
        if not name.isidentifier() or name.startswith("_") or name in PROGRAM_FACTS:
            fields.refuse("measures", f"{name!r} cannot be measured; name variables of the code, such as `final`")
    return found


def _code(fields: Fields, name: str) -> str:
    """Code that was looked at as far as its places allow; the drawn one is looked at again before it runs."""
    code = fields.program(name)
    if "{{" not in code:
        try:
            programs.check(code)
        except ContentError as error:
            fields.refuse(name, str(error))
    return code
