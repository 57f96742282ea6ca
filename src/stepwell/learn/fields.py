"""Reads TOML tables field by field: every error names the file, the item and the field, and says what to type."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import Any, NoReturn, TypeVar, final

from stepwell.errors import ContentError
from stepwell.learn import claims, template
from stepwell.learn.claims import Claim

Named = TypeVar("Named", bound=StrEnum)
Made = TypeVar("Made")


class Needed(Enum):
    """Says that a field has no default."""

    YES = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that texts and claims of an item may use.

    Args:
        parameters: known before the question is shown.
        measured: known after its proof has run.
    """

    parameters: frozenset[str] = frozenset()
    measured: frozenset[str] = frozenset()

    def check(self, names: frozenset[str], *, measured: bool) -> str:
        """What is wrong with the use of these names; an empty text for nothing."""
        known = self.parameters | self.measured if measured else self.parameters
        for name in sorted(names - known):
            if name in self.measured:
                return f"{name!r} is measured, and this text is shown before that; use parameters only"
            near = get_close_matches(name, sorted(known), 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
            return f"the name {name!r} is neither a parameter nor measured; {hint}"
        return ""


@final
@dataclass(slots=True)
class Fields:
    """One table. Every field that is read is ticked off; `close` refuses what is left.

    Args:
        table: as the TOML reader gives it.
        place: what comes before a field's name in errors: `too-high/questions.toml, item 'overshoot'`.
        inside: the path of the table in the item, such as `options[1].`.
        scope: the names that texts and claims may use.
    """

    table: Mapping[str, Any]
    place: str
    inside: str = ""
    scope: Scope = Scope()
    _taken: set[str] = field(default_factory=set)
    _known: set[str] = field(default_factory=set)

    def refuse(self, name: str, words: str) -> NoReturn:
        """Raise the ContentError about a field."""
        raise ContentError(f"{self.place}, field '{self.inside}{name}': {words}")

    def has(self, name: str) -> bool:
        """Whether the field is written; it counts as known from then on."""
        self._known.add(name)
        return name in self.table

    def text(self, name: str, default: str | Needed = Needed.YES) -> str:
        """A text that is not blank."""
        found = self._get(name, default, f'{name} = "..."')
        if not isinstance(found, str) or (not found.strip() and found is not default):
            self.refuse(name, f'expected a text, got {found!r:.60}; type: {name} = "..."')
        return found.strip()

    def code(self, name: str, default: str | Needed = Needed.YES) -> str:
        """A text whose indentation is kept; it ends with a newline."""
        if not self.text(name, default):
            return ""
        return textwrap.dedent(str(self._get(name, default, ""))).strip("\n").rstrip() + "\n"

    def texts(self, name: str, default: tuple[str, ...] | Needed = Needed.YES) -> tuple[str, ...]:
        """A list of texts."""
        found = self._get(name, default, f'{name} = ["...", "..."]')
        if not isinstance(found, list | tuple) or not all(isinstance(part, str) and part.strip() for part in found):
            self.refuse(name, f'expected a list of texts, got {found!r:.60}; type: {name} = ["...", "..."]')
        return tuple(part.strip() for part in found)

    def shown(self, name: str, default: str | Needed = Needed.YES, *, measured: bool = False) -> str:
        """A Markdown text with places for parameters, or for measured values too."""
        return self._template(name, self.text(name, default), measured)

    def program(self, name: str, default: str | Needed = Needed.YES) -> str:
        """Code with places for parameters."""
        return self._template(name, self.code(name, default), False)

    def several(self, name: str, default: tuple[str, ...] | Needed = (), *, measured: bool = False) -> tuple[str, ...]:
        """A list of Markdown texts with places."""
        return tuple(self._template(name, part, measured) for part in self.texts(name, default))

    def claim(self, name: str) -> Claim:
        """An expression that mentions a measured value."""
        found = self.expression(name)
        if not found.names & self.scope.measured:
            known = ", ".join(sorted(self.scope.measured)) or "nothing: the item has no [item.proof]"
            self.refuse(name, f"{found.text!r} mentions nothing that is measured; measured is {known}")
        return found

    def expression(self, name: str) -> Claim:
        """An expression over parameters and measured values."""
        written = self.text(name)
        try:
            found = claims.read(written)
        except ContentError as error:
            self.refuse(name, str(error))
        if wrong := self.scope.check(found.names, measured=True):
            self.refuse(name, wrong)
        return found

    def number(self, name: str, default: float | Needed = Needed.YES, *, least: float = 0.0) -> float:
        """A number of at least `least`."""
        found = self._get(name, default, f"{name} = {least:g}")
        if isinstance(found, bool) or not isinstance(found, int | float) or not found >= least:
            self.refuse(name, f"expected a number of at least {least:g}, got {found!r:.60}")
        return float(found)

    def whole(self, name: str, default: int | Needed = Needed.YES, *, least: int = 0) -> int:
        """A whole number of at least `least`."""
        found = self._get(name, default, f"{name} = {least}")
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            self.refuse(name, f"expected a whole number of at least {least}, got {found!r:.60}")
        return found

    def one_of(self, name: str, kind: type[Named], default: Named | Needed = Needed.YES) -> Named:
        """One of the names of an enumeration."""
        words = [one.value for one in kind]
        found = self._get(name, default, f'{name} = "{words[0]}"')
        if found not in words:
            self.refuse(name, f"expected one of {', '.join(words)}, got {found!r:.60}{_near(found, words)}")
        return kind(found)

    def tables(self, name: str, make: Callable[[Fields], Made], least: int, most: int) -> tuple[Made, ...]:
        """A list of tables, each made into something."""
        found = self._get(name, Needed.YES if least else [], f"[[item.{self.inside}{name}]]")
        if not isinstance(found, list) or not all(isinstance(part, dict) for part in found):
            self.refuse(name, f"expected tables, got {found!r:.60}; begin each with [[item.{self.inside}{name}]]")
        if not least <= len(found) <= most:
            self.refuse(name, f"expected {least} to {most} of them, got {len(found)}")
        made = []
        for number, part in enumerate(found):
            inner = Fields(part, self.place, f"{self.inside}{name}[{number}].", self.scope)
            made.append(make(inner))
            inner.close()
        return tuple(made)

    def under(self, name: str) -> Fields:
        """The fields of the table `name`, which is written."""
        found = self._get(name, Needed.YES, f"[item.{self.inside}{name}]")
        if not isinstance(found, dict):
            self.refuse(name, f"expected a table, got {found!r:.60}; begin it with [item.{self.inside}{name}]")
        return Fields(found, self.place, f"{self.inside}{name}.", self.scope)

    def raw(self, name: str) -> Any:
        """Whatever is written there; None where nothing is."""
        return self._get(name, None, "")

    def close(self) -> None:
        """Refuse a field that nobody has read."""
        for name in sorted(self.table.keys() - self._taken):
            known = sorted(self._known)
            self.refuse(name, f"there is no such field here{_near(name, known)}; known: {', '.join(known)}")

    def _get(self, name: str, default: Any, example: str) -> Any:
        self._taken.add(name)
        self._known.add(name)
        if name in self.table:
            return self.table[name]
        if default is Needed.YES:
            self.refuse(name, f"it is missing; type: {example}")
        return default

    def _template(self, name: str, text: str, measured: bool) -> str:
        try:
            names = template.names(text)
        except ContentError as error:
            self.refuse(name, str(error))
        if wrong := self.scope.check(names, measured=measured):
            self.refuse(name, wrong)
        return text


def _near(word: object, words: Iterable[str]) -> str:
    near = get_close_matches(str(word), sorted(words), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
