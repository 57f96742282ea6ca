"""What a recipe is: a small function from parameters to a text, and where it comes from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stepwell.schedule.length import written


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named schedule.

    Args:
        name: as it is written in a text, `transformers.cosine`.
        make: gives the text; every parameter has a default. Its docstring tells what the text is and where the
            library does something else.
        source: the class or function of the library and its file, and the paper where there is one.
    """

    name: str
    make: Callable[..., str]
    source: str

    @property
    def text(self) -> str:
        """Its text for the default parameters."""
        return self.make()

    @property
    def original(self) -> str:
        """The name of the library's class or function; empty where it has the recipe's own, or there is no library."""
        first = self.source.partition(",")[0]
        return first if "." in self.name and first.isidentifier() else ""

    @property
    def summary(self) -> str:
        """What it does, in one line."""
        return _documentation(self.make).partition("\n")[0]

    @property
    def notes(self) -> str:
        """What else there is to know, such as where the library goes on differently past the end; often empty."""
        return _documentation(self.make).partition("\n")[2].strip()

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Parameter -> default."""
        return {name: one.default for name, one in inspect.signature(self.make).parameters.items()}

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={shown(value)}' for name, value in self.parameters.items())})"


def shown(value: object) -> str:
    """A value as it is written in a call: `none`, `true`, `0.1`, `50% 75%`."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return " ".join(map(shown, value))
    return written(value) if isinstance(value, float) else str(value)


def _documentation(make: Callable[..., str]) -> str:
    return inspect.getdoc(make) or ""
