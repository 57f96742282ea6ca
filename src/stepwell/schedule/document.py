"""A schedule as a JSON document, and back: strict JSON, nothing lost, also tables that no text holds.

    {"schema": "stepwell.schedule", "version": 1, "entries": [{"name": "lr", "expression": {
        "kind": "sequence", "items": [
            {"kind": "phase", "shape": "linear", "start": 0.0, "end": 1.0, "for": "5%"},
            {"kind": "table", "values": [1.0, 0.5, 0.25]}]}}]}

A node has its kind and what differs from the default. Values are numbers, `"=1e-5"` where they are absolute; lengths
are texts, as in a schedule: `"200"`, `"20%"`, `"3ep"`, `"5e9tok"`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

from stepwell.errors import ScheduleError
from stepwell.schedule import document_leaves as leaves
from stepwell.schedule.control import KINDS, Controller
from stepwell.schedule.length import Length
from stepwell.schedule.schedule import (
    Entry,
    Group,
    Max,
    Negative,
    Phase,
    Product,
    Repeat,
    Schedule,
    Sequence,
    Suffix,
    Sum,
    Table,
    Value,
)
from stepwell.schedule.table import MOST_WRITTEN, Values
from stepwell.schedule.text import parse

SCHEMA = "stepwell.schedule"
VERSION = 1
NODES = {kind.__name__.lower(): kind for kind in (Phase, Table, Sequence, Group, Repeat, Sum, Negative, Product, Max)}
KEYS = {"length": "for", "stair": "by", "offset": "from"}  # as in the text; every other field has its own name
SUFFIX = ("for", "by", "side")


def to_json(schedule: Schedule) -> dict[str, Any]:
    """The schedule as plain data that `json.dumps(..., allow_nan=False)` takes.

    Raises:
        ScheduleError: a controller that is not one of Stepwell's, or parentheses too deep for Python.
    """
    try:
        entries = [_entry_to(entry) for entry in schedule.entries]
    except RecursionError:
        raise ScheduleError("the schedule is nested too deeply for a document") from None
    return {"schema": SCHEMA, "version": VERSION, "entries": entries}


def from_json(document: Mapping[str, Any]) -> Schedule:
    """The schedule that `to_json` wrote.

    Raises:
        ScheduleError: with the place in the document, what was expected there and what was found.
    """
    if not isinstance(document, Mapping):
        raise ScheduleError(f"a schedule as JSON is an object, got {type(document).__name__} {document!r:.60}")
    if document.get("schema") != SCHEMA:
        raise ScheduleError(f"a schedule as JSON has the schema {SCHEMA!r}, got {document.get('schema')!r:.60}")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise ScheduleError(f"version: expected a whole number, got {version!r:.60}")
    if version > VERSION:
        raise ScheduleError(f"the schedule has version {version}, newer than {VERSION}; upgrade stepwell")
    leaves.known_keys(document, ("schema", "version", "entries"), "the document")
    try:
        members = leaves.members(document.get("entries"), "entries")
        schedule = Schedule(tuple(_entry_from(member, place) for member, place in members))
        _check(schedule)
    except RecursionError:
        raise ScheduleError("the document is nested too deeply for a schedule") from None
    return schedule


def _entry_to(entry: Entry) -> dict[str, Any]:
    written = {"name": entry.name, "expression": _node_to(entry.expression)}
    if entry.controller is not None:
        written["controller"] = _controller_to(entry.controller)
    return written


def _controller_to(controller: Controller) -> dict[str, Any]:
    for name, kind in KINDS.items():
        if type(controller) is kind:
            return {"kind": name, **_differing(controller)}
    raise ScheduleError(
        f"{type(controller).__name__} has no JSON form; the controllers with one are {', '.join(KINDS)}"
    )


def _node_to(node: Any) -> Any:
    """A node, a leaf, or several of them."""
    match node:
        case Value():
            return str(node) if node.absolute else node.number
        case Length():
            return str(node)
        case Values():
            return node.array.tolist()
        case tuple():
            return [_node_to(member) for member in node]
        case str() | int() | float():
            return node
    written = {KEYS.get(name, name): _node_to(value) for name, value in _differing(node).items() if name != "suffix"}
    suffix = getattr(node, "suffix", Suffix())
    return {
        "kind": type(node).__name__.lower(),
        **written,
        **{KEYS.get(name, name): _node_to(value) for name, value in _differing(suffix).items()},
    }


def _differing(node: Any) -> dict[str, Any]:
    """The fields of a node that differ from their default."""
    return {field.name: value for field in fields(node) if (value := getattr(node, field.name)) != field.default}


def _entry_from(document: Any, place: str) -> Entry:
    document = leaves.object_at(document, place)
    leaves.known_keys(document, ("name", "expression", "controller"), place)
    name = document.get("name")
    if not (isinstance(name, str) and name.isidentifier()):
        raise ScheduleError(f"{place}.name: expected the name of an entry such as 'lr', got {name!r:.60}")
    expression = _expression(document.get("expression"), f"{place}.expression")
    controller = document.get("controller")
    return Entry(name, expression, None if controller is None else _controller_from(controller, f"{place}.controller"))


def _controller_from(document: Any, place: str) -> Controller:
    document = leaves.object_at(document, place)
    kind = KINDS[leaves.kind(document, KINDS, place)]
    leaves.known_keys(document, ("kind", *(field.name for field in fields(kind))), place)
    words = ("mode", "threshold_mode")
    settings: dict[str, Any] = {
        name: (leaves.word if name in words else leaves.number)(value, f"{place}.{name}")
        for name, value in document.items()
        if name != "kind"
    }
    with leaves.errors_at(place):
        return kind(**settings)


def _expression(document: Any, place: str) -> Any:
    if not isinstance(document, Mapping):
        return leaves.value(document, place)
    kind = leaves.kind(document, NODES, place)
    node = NODES[kind]
    names = {KEYS.get(field.name, field.name): field for field in fields(node) if field.name != "suffix"}
    allowed = (*names, *SUFFIX) if "suffix" in (field.name for field in fields(node)) else tuple(names)
    leaves.known_keys(document, ("kind", *allowed), place)
    missing = [key for key, field in names.items() if field.default is MISSING and key not in document]
    if missing:
        raise ScheduleError(f"{place}: a {kind} needs {' and '.join(map(repr, missing))}")
    read = {key: FIELDS[key](value, f"{place}.{key}") for key, value in document.items() if key != "kind"}
    settings = {field.name: read[key] for key, field in names.items() if key in read}
    with leaves.errors_at(place):
        if len(allowed) > len(names):
            settings["suffix"] = Suffix(read.get("for"), read.get("by"), read.get("side"))
        return node(**settings)


def _expressions(document: Any, place: str) -> tuple[Any, ...]:
    return tuple([_expression(member, at) for member, at in leaves.members(document, place)])


FIELDS: dict[str, Callable[[Any, str], Any]] = {
    "shape": leaves.word,
    "side": leaves.side,
    "power": leaves.number,
    "rate": leaves.number,
    "longer": leaves.number,
    "lower": leaves.number,
    "count": leaves.whole,
    "start": leaves.value,
    "end": leaves.value,
    "at": leaves.lengths,
    "values": leaves.values,
    "body": _expression,
    **dict.fromkeys(("every", "over", "from", "for", "by"), leaves.length),
    **dict.fromkeys(("items", "terms", "factors", "operands"), _expressions),
}


def _check(schedule: Schedule) -> None:
    """A document says what a text can say: the parser judges it, long tables cut short."""
    text = str(Schedule(tuple(replace(entry, expression=_shortened(entry.expression)) for entry in schedule.entries)))
    try:
        parse(text)
    except ScheduleError as error:
        raise ScheduleError(f"the document holds a schedule that cannot be: {error}") from None


def _shortened(node: Any) -> Any:
    """The node with at most as many values in each table as a text holds."""
    match node:
        case Table() if len(node.values) > MOST_WRITTEN:
            return replace(node, values=Values.of(node.values.array[:MOST_WRITTEN]))
        case tuple():
            return tuple([_shortened(member) for member in node])
        case Sequence() | Sum() | Product() | Max():
            name = fields(node)[0].name
            return replace(node, **{name: _shortened(getattr(node, name))})
        case Group() | Repeat() | Negative():
            return replace(node, body=_shortened(node.body))
    return node
