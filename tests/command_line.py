"""The command line as a user types it: in this process, or started in one of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from stepwell.cli import main

AT_MOST = 600.0
"""Seconds to wait for what comes at once where all is well: only a test that hangs waits so long."""
CALL = "from stepwell.cli import main; main()"


def stepwell(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """The exit code, what was printed and what was complained of, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["stepwell", *map(str, arguments)])
        try:
            main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code or 0
    printed = capsys.readouterr()
    return int(code), printed.out, printed.err


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own, which can be stopped."""
    return subprocess.Popen(
        [sys.executable, "-c", CALL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
