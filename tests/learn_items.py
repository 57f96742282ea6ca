"""Items for tests, written as authors write them."""

from __future__ import annotations

from pathlib import Path

from stepwell.learn.course import Item
from stepwell.learn.read import read_items

HEAD = """
[[item]]
id = "it"
type = "{kind}"
level = "beginner"
difficulty = "{difficulty}"
question = "What?"
explanation = "So."
seconds = 30
hints = ["Think.", "Harder."]
steps = ["Done."]
"""

PROGRAM = """
[item.proof]
kind = "program"
measures = ["x"]
code = "x = 3"
"""

OPTIONS = """
[[item.options]]
text = "three"
claim = "x == 3"
why = "It is."
[[item.options]]
text = "four"
claim = "x == 4"
why = "It is {{x}}."
[[item.options]]
text = "more"
claim = "x > 4"
"""

TOPIC = 'title = "T"\nsummary = "S"\nminutes = 5\norder = 1\n'


def head(kind: str, **changed: str) -> str:
    """The common fields; a changed one replaces its line, an empty one removes it."""
    text = HEAD.format(kind=kind, difficulty="easy")
    for name, value in changed.items():
        lines = [line for line in text.splitlines() if not line.startswith(f"{name} =")]
        text = "\n".join([*lines, f"{name} = {value}" if value else "", ""])
    return text


def one(text: str) -> Item:
    """The item of a text."""
    (item,) = read_items(text, "topic/items.toml", "topic")
    return item


def choice(options: str = OPTIONS, proof: str = PROGRAM, **changed: str) -> Item:
    """A choice between three, the first of which is right."""
    return one(head("choice", **changed) + proof + options)


def write_topic(folder: Path, items: str, name: str = "topic", page: str = "Read.") -> Path:
    """A course with one topic."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "topic.toml").write_text(TOPIC)
    (place / "page.md").write_text(page)
    (place / "items.toml").write_text(items)
    return folder
