"""The code blocks of a page, executed as they are printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path


def blocks(page: str) -> list[tuple[str, str]]:
    """The Python programs and shell commands of a page in their order, each with its kind: `python` or `sh`."""
    return re.findall(r"```(python|sh)\n(.*?)```", page, re.DOTALL)


def commands(block: str) -> list[list[str]]:
    """The command lines of a shell block, continued lines joined."""
    return [shlex.split(line) for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def execute(kind: str, block: str, folder: Path) -> list[str]:
    """Run a block in a folder, warnings as errors; what each of its programs said.

    Raises:
        AssertionError: one of them failed, or a command that is not of this project, or that said nothing.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "XDG_DATA_HOME": str(folder / "data")}  # nobody's own progress
    if kind == "python":
        (folder / "recipe.py").write_text(block)
        lines = [[sys.executable, "-W", "error", "recipe.py"]]
    else:
        lines = commands(block)
        assert all(line[0] == "stepwell" for line in lines)
    said = []
    for line in lines:
        ended = subprocess.run(
            line, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.strip() or line[0] == sys.executable
        said.append(ended.stdout)
    return said
