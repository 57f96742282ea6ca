"""What was measured before, one line per answer, so that a second call is instant and a stopped one goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parents[1] / ".cache"


class Kept:
    """A dictionary in a file. Lines are only ever added, so two processes may share it; the first answer stays.

    Args:
        path: made when the first answer comes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Any] = {}
        self._read = 0

    def __contains__(self, key: str) -> bool:
        if key not in self._known:
            self._look()
        return key in self._known

    def __getitem__(self, key: str) -> Any:
        return self._known[key]

    def add(self, key: str, value: Any) -> None:
        """Keep an answer, in memory and in the file."""
        self._known[key] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, value]) + "\n")

    def _look(self) -> None:
        """Read what another process, or an earlier one, has added; a last line without an end is left for later."""
        if not self.path.exists() or self.path.stat().st_size == self._read:
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            key, value = json.loads(line)
            self._known.setdefault(key, value)


def digest(parts: Iterable[str | Path]) -> str:
    """A short hash of texts and of the content of files."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        whole.update(b"\0")
    return whole.hexdigest()[:10]
