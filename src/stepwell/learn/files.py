"""The course as files: where it lies and how its texts are read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from stepwell.errors import ContentError

CONTENT = Path(__file__).parent / "content"
"""The course that ships with Stepwell."""


def folders(folder: Path) -> list[Path]:
    """The folders of the topics.

    Raises:
        ContentError: the course cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
    except OSError as error:
        raise ContentError(f"the course in {folder} cannot be read ({error}); name a folder with topics") from error


def table(path: Path, place: str) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ContentError: it cannot be read; the message begins with `place`.
    """
    try:
        return tomllib.loads(text(path, place))
    except tomllib.TOMLDecodeError as error:
        raise ContentError(f"{place} is not TOML: {error}") from error


def text(path: Path, place: str) -> str:
    """A text file.

    Raises:
        ContentError: it cannot be read; the message begins with `place`.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(f"{place} cannot be read: {error}") from error
