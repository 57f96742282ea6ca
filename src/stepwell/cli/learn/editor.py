"""Programs that a learner edits: a file in a folder of the sitting, opened in the learner's own editor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stepwell.cli.learn.terminal import Terminal
from stepwell.errors import AnswerError

LARGEST = 50_000


@dataclass(slots=True)
class Draft:
    """What the learner is working on between two answers.

    Args:
        folder: where programs lie while they are edited.
        setting: of a lab, tried last.
        points: item -> what is drawn so far.
        files: item -> the file of its program, and the program to begin with.
        given: item -> what was answered when so many attempts were left.
    """

    folder: Path
    setting: Mapping[str, Any] | None = None
    points: dict[str, dict[float, float]] = field(default_factory=dict)
    files: dict[str, tuple[Path, str]] = field(default_factory=dict)
    given: dict[str, dict[int, Any]] = field(default_factory=dict)

    def program(self, terminal: Terminal, data: Mapping[str, Any], line: str) -> str | None:
        """The program to check; None where it was only edited.

        Raises:
            AnswerError: it cannot be read or edited, or nothing was changed.
        """
        path = self._file(data)
        if line.casefold() in ("e", "edit"):
            edit(terminal, path)
            return None
        if line:
            return read_program(Path(line).expanduser())
        code = read_program(path)
        if code.strip() == data["start"].strip():
            raise AnswerError(f"the program is as it was; change it with e, or in {path}")
        return code

    def _file(self, data: Mapping[str, Any]) -> Path:
        if data["item"] not in self.files:
            path = self.folder / f"{data['item'].replace('/', '-')}.py"
            path.write_text(data["start"], encoding="utf-8")
            self.files[data["item"]] = path, data["start"]
        return self.files[data["item"]][0]

    def put_away(self, solved: Collection[str]) -> list[Path]:
        """Remove the files; what is left: those that were changed, of items that are not solved."""
        kept = []
        for item, (path, start) in self.files.items():
            if item not in solved and path.exists() and path.read_bytes() != start.encode():
                kept.append(path)
            else:
                path.unlink(missing_ok=True)
        if not kept:
            shutil.rmtree(self.folder, ignore_errors=True)
        return kept


def edit(terminal: Terminal, path: Path) -> None:
    """Open a file in the learner's editor and wait until it is closed.

    Raises:
        AnswerError: no editor is set, or it cannot be started.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor or not terminal.interactive:
        raise AnswerError(f"no editor is set (EDITOR); edit {path} elsewhere, then press Enter here")
    try:
        subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603 - the learner's own editor
    except (OSError, ValueError) as error:
        raise AnswerError(f"the editor {editor!r} cannot be started ({error}); set EDITOR") from error


def read_program(path: Path) -> str:
    """The program in a file.

    Raises:
        AnswerError: it cannot be read, or it is too long.
    """
    try:
        code = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise AnswerError(f"the file {str(path)!r} cannot be read ({reason}); name another one") from error
    except UnicodeDecodeError as error:
        raise AnswerError(f"the file {str(path)!r} is not UTF-8; save it so") from error
    if len(code) > LARGEST:
        raise AnswerError(f"a program has at most {LARGEST} characters, {str(path)!r} has {len(code)}")
    return code
