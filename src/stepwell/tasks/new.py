"""Write a first task for a user to change. Does not import torch."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from stepwell.errors import OptionError, OutputError


def new_task(path: Path) -> None:
    """Write a commented task that trains at once as `PATH:task`; never overwrites.

    Raises:
        OptionError: the path is no name of a Python file.
        OutputError: something is there already, or the file cannot be written; nothing is left half-written.
    """
    if path.is_dir():
        raise OptionError(f"{str(path)!r} is a folder; name the file too: {path / 'task.py'}")
    if path.suffix != ".py":
        raise OptionError(f"a task is a Python file ending in .py, got {str(path)!r}; type: {path}.py")
    text = Path(__file__).with_name("template.py").read_text(encoding="utf-8")
    # A path with quotes or backslashes in it could break the docstring that it goes into.
    if re.fullmatch(r"[\w./ +-]+", path.as_posix()):
        text = text.replace("THIS_FILE:task", shlex.quote(f"{path.as_posix()}:task"))
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError as error:
        raise OutputError(f"{str(path)!r} is there already and is not overwritten; choose another name") from error
    except FileNotFoundError as error:
        raise OutputError(f"there is no folder {str(path.parent)!r}; type: mkdir -p {path.parent}") from error
    except OSError as error:
        raise OutputError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
