"""Which process writes a run: a claim in the store that fades when its owner is silent."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from stepwell.errors import ClaimedError

SILENT_SECONDS = 30.0
"""A claim that was not renewed for so long is nobody's. A recorder writes every 2 s, so that it renews its own."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One open store, as others see it."""

    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    host: str = field(default_factory=platform.node)
    pid: int = field(default_factory=os.getpid)


@final
@dataclass(slots=True)
class Claims:
    """The claims of one open store. Every method is part of the caller's transaction.

    Args:
        held: the runs that are claimed, as far as their owner knows; another one may have taken them meanwhile.
    """

    path: Path
    owner: Owner = field(default_factory=Owner)
    held: set[str] = field(default_factory=set)

    def take(self, connection: sqlite3.Connection, run_id: str) -> Owner | None:
        """Claim the run; the living owner that has it instead, if there is one."""
        row = connection.execute("SELECT owner, host, pid, beat FROM claims WHERE run_id = ?", (run_id,)).fetchone()
        if row is not None:
            holder = Owner(*tuple(row)[:3])
            if holder.token != self.owner.token and _lives(holder, row[3]):
                return holder
        connection.execute(
            "INSERT OR REPLACE INTO claims (run_id, owner, host, pid, beat) VALUES (?, ?, ?, ?, ?)",
            (run_id, self.owner.token, self.owner.host, self.owner.pid, time.time()),
        )
        self.held.add(run_id)
        return None

    def renew(self, connection: sqlite3.Connection, run_id: str) -> bool:
        """Say that the owner lives; whether the claim is still its own."""
        changed = connection.execute(
            "UPDATE claims SET beat = ? WHERE run_id = ? AND owner = ?", (time.time(), run_id, self.owner.token)
        ).rowcount
        return changed > 0

    def hold(self, connection: sqlite3.Connection, run_id: str) -> None:
        """Renew the claim on the run, or take it if it was never taken.

        Raises:
            ClaimedError: another owner has it, or had it meanwhile.
        """
        if run_id in self.held:
            if not self.renew(connection, run_id):
                raise ClaimedError(
                    f"another process has gone on with the run {run_id!r} in {self.path} while this one was silent"
                )
            return
        other = self.take(connection, run_id)
        if other is not None:
            raise ClaimedError(
                f"process {other.pid} on {other.host} writes the run {run_id!r} in {self.path}; "
                "wait for its end, or give this run another id"
            )

    def release(self, connection: sqlite3.Connection, run_id: str) -> None:
        """Give the claim back, if it is still the owner's."""
        connection.execute("DELETE FROM claims WHERE run_id = ? AND owner = ?", (run_id, self.owner.token))
        self.held.discard(run_id)

    def end(self, connection: sqlite3.Connection, run_id: str) -> None:
        """End the claim on the run, whoever has it: the whole of it is written."""
        connection.execute("DELETE FROM claims WHERE run_id = ?", (run_id,))
        self.held.discard(run_id)


def _lives(owner: Owner, beat: float) -> bool:
    if time.time() - beat > SILENT_SECONDS:
        return False
    if owner.host != platform.node() or os.name != "posix":  # elsewhere signal 0 is Ctrl-C
        return True
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's, so it is there
        return True
    return True
