"""Reads the course from its folders: TOML items and Markdown pages, strictly. No torch."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from stepwell.errors import ContentError
from stepwell.learn import files, page, parameters, proof
from stepwell.learn.course import Course, Item, QuickCheck, Series, Topic
from stepwell.learn.fields import Fields, Scope
from stepwell.learn.items.body import Body
from stepwell.learn.items.types import KEYED, TYPES
from stepwell.learn.levels import Difficulty, Level
from stepwell.learn.modes import Mode

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HINTED = frozenset({Mode.PRACTICE, Mode.CHALLENGE, Mode.FIX, Mode.DESIGN, Mode.TUNE})


def read_course(folder: Path = files.CONTENT) -> Course:
    """The course in a folder: one topic per folder below it.

    Raises:
        ContentError: something cannot be read; the message names the file, the item and the field.
    """
    topics = [read_topic(path) for path in files.folders(folder)]
    known = {topic.id for topic in topics}
    for topic in topics:
        for name in topic.prerequisites:
            if name not in known or name == topic.id:
                raise ContentError(
                    f"{topic.id}/topic.toml, field 'prerequisites': there is no other topic {name!r}; "
                    f"topics: {', '.join(sorted(known))}"
                )
    in_order = tuple(sorted(topics, key=lambda topic: (topic.order, topic.id)))
    return Course(in_order, None if folder == files.CONTENT else folder)


def read_topic(folder: Path) -> Topic:
    """The topic in a folder with `topic.toml`, its page and any number of TOML files with items.

    Raises:
        ContentError: something cannot be read; the message names the file, the item and the field.
    """
    if not _NAME.fullmatch(folder.name):
        raise ContentError(f"a topic's folder has a name such as `too-high`, got {folder.name!r}; rename the folder")
    place = f"{folder.name}/topic.toml"
    fields = Fields(files.table(folder / "topic.toml", place), place)
    name = fields.text("page", "page.md")
    topic = Topic(
        folder.name,
        fields.text("title"),
        fields.text("summary"),
        fields.whole("minutes", least=1),
        fields.whole("order"),
        fields.texts("prerequisites", ()),
        page.read(files.text(folder / name, f"{folder.name}/{name}"), f"{folder.name}/{name}"),
        _items(folder),
    )
    fields.close()
    return topic


def read_items(text: str, place: str, topic: str) -> tuple[Item, ...]:
    """The items of a TOML text.

    Args:
        text: with any number of `[[item]]` tables.
        place: what errors call the file.
        topic: the id of the topic, which begins the ids of its items.

    Raises:
        ContentError: the message names the file, the item and the field.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContentError(f"{place} is not TOML: {error}") from error
    tables = found.get("item")
    if found.keys() != {"item"} or not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise ContentError(f"{place}: expected items only; begin each with [[item]]")
    return tuple(_item(table, f"{place}, item {number + 1}", place, topic) for number, table in enumerate(tables))


def _items(folder: Path) -> tuple[Item, ...]:
    items: list[Item] = []
    for path in sorted(folder.glob("*.toml")):
        if path.name != "topic.toml":
            place = f"{folder.name}/{path.name}"
            items.extend(read_items(files.text(path, place), place, folder.name))
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise ContentError(f"{item.place}, item {item.id!r}, field 'id': it is there twice; choose another")
        seen.add(item.id)
    return tuple(items)


def _item(table: dict[str, Any], place: str, file: str, topic: str) -> Item:
    fields = Fields(table, place)
    name = fields.text("id")
    if not _NAME.fullmatch(name):
        fields.refuse("id", f"expected small letters, digits and hyphens, such as `rate-too-high`, got {name!r}")
    fields.place = f"{file}, item {name!r}"
    drawn = parameters.read(fields)
    known = drawn.names
    evidence = proof.read(fields, known) if fields.has("proof") else None
    measured = evidence.names if evidence else frozenset()
    if isinstance(evidence, proof.TrainingProof):
        known |= {"margin"}
    fields.scope = Scope(known, measured)
    frame = proof.read_frame(fields, drawn.names)
    body = _body(fields, evidence)
    item = Item(
        id=f"{topic}/{name}",
        topic=topic,
        level=fields.one_of("level", Level),
        difficulty=fields.one_of("difficulty", Difficulty),
        question=fields.shown("question"),
        body=body,
        proof=evidence,
        frame=frame,
        parameters=drawn,
        hints=fields.several("hints"),
        steps=fields.several("steps", measured=True),
        check=_check(fields),
        mistakes=fields.several("mistakes", measured=True),
        explanation=fields.shown("explanation", measured=True),
        facts=tuple(Fields({"facts": text}, fields.place, "", fields.scope).claim("facts") for text in _facts(fields)),
        show=fields.tables("show", _series, 0, 4),
        reveal=fields.tables("reveal", _series, 0, 4),
        seconds=fields.whole("seconds", least=5),
        attempts=fields.whole("attempts", body.attempts),
        modes=_modes(fields, body),
        place=file,
    )
    fields.close()
    _check_help(fields, item)
    return item


def _body(fields: Fields, evidence: proof.Proof | None) -> Body:
    kind = fields.text("type")
    if kind not in TYPES:
        fields.refuse("type", f"expected one of {', '.join(TYPES)}, got {kind!r}")
    if evidence is None and issubclass(TYPES[kind], KEYED):
        fields.refuse("proof", f"a {kind} item is graded and needs a proof; type: [item.proof]")
    return TYPES[kind].read(fields)


def _facts(fields: Fields) -> tuple[str, ...]:
    return fields.texts("facts", ())


def _check(item: Fields) -> QuickCheck | None:
    if not item.has("check"):
        return None
    if isinstance(item.raw("check"), str):
        item.refuse("check", 'a quick check needs its answer; type: check = { question = "...", answer = "..." }')
    fields = item.under("check")
    check = QuickCheck(fields.shown("question", measured=True), fields.shown("answer", measured=True))
    fields.close()
    return check


def _series(fields: Fields) -> Series:
    return Series(fields.shown("label"), fields.claim("values"))


def _modes(fields: Fields, body: Body) -> frozenset[Mode]:
    if not fields.has("modes"):
        return body.default_modes
    modes: set[Mode] = set()
    for word in fields.texts("modes"):
        if word not in {mode.value for mode in body.modes}:
            fields.refuse("modes", f"a {body.kind} item appears in {', '.join(sorted(body.modes))}, got {word!r}")
        modes.add(Mode(word))
    return frozenset(modes)


def _check_help(fields: Fields, item: Item) -> None:
    """Hints and a worked solution are there wherever a mode offers them."""
    if item.modes & _HINTED and not item.hints:
        fields.refuse("hints", f'the modes {", ".join(sorted(item.modes & _HINTED))} offer one; type: hints = ["..."]')
    if Mode.PRACTICE in item.modes and not item.steps:
        fields.refuse("steps", 'practice shows a worked solution; type: steps = ["...", "..."]')
