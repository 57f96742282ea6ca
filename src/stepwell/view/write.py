"""Files that are there completely or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from stepwell.errors import OutputError


def write_file(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write a file in one go: a reader sees the old content or the new, and a full disk leaves the old.

    Args:
        path: an existing file is replaced; a link is followed.
        content: text is written as UTF-8.

    Raises:
        OutputError: the file cannot be written; nothing of it is left then.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if target.exists() and not target.is_file():
            what = "a folder" if target.is_dir() else "not a file"
            raise OutputError(f"cannot write {os.fspath(path)!r}: it is {what}")
        if not target.parent.is_dir():
            raise OutputError(
                f"cannot write {os.fspath(path)!r}: there is no folder {os.fspath(target.parent)!r}; make it first"
            )
        try:
            with part.open("wb") as file:
                file.write(content.encode("utf-8", "replace") if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {os.fspath(path)!r}: {(error.strerror or str(error)).lower()}") from error
    return target


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder, and those above it, where they are missing.

    Raises:
        OutputError: it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {os.fspath(path)!r}: {(error.strerror or str(error)).lower()}"
        ) from error
    return folder
