"""The run store: one SQLite file that several processes may write and a killed one cannot damage."""

from __future__ import annotations

import json
import shlex
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, final

from stepwell.errors import StoreError
from stepwell.record.chunks import append_rows, keep_rows, last_step, read_rows, replace_rows
from stepwell.record.claims import Claims
from stepwell.record.columns import as_columns
from stepwell.record.database import DamagedError, connect, connect_to_read, damaged, explained, roll_back
from stepwell.record.facts import RunSummary, results_text, row_of, run_of, summary_of
from stepwell.record.run import Ending, Outcome, Run
from stepwell.record.schema import RUN_STORE

DEFAULT_STORE = Path("stepwell-runs/runs.sqlite")
"""Where runs are kept unless another path is given: below the folder the command runs in."""

UNFINISHED = frozenset({Ending.RUNNING, Ending.STOPPED, Ending.FAILED})
"""Endings after which a run may go on or begin again. The others are final."""


@final
class Store:
    """Runs in one SQLite file (WAL). Every method is one transaction: it happens as a whole or not at all.

    Several processes may use one file at once; within a process, threads may share one `Store`. One run is written
    by one open store at a time, which has claimed it: by `claim`, or with the first row. A claim ends with the run,
    with the store, with its process, or after half a minute without a write. Open it with `Store.open`, best in a
    `with` block.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._lock = threading.RLock()
        self._claims = Claims(path)

    @classmethod
    def open(cls, path: str | Path, *, create: bool = True, read_only: bool = False) -> Store:
        """The store at `path`, created with its folder if it is missing; or an existing one to read, wherever it lies.

        Raises:
            ForeignFileError: there is something else at `path`, or a damaged store. It is left as it is.
            NewerStoreError: a newer Stepwell wrote it.
            StoreError: it cannot be written, or it is missing and `create` is False or `read_only` True.
        """
        path = Path(path)
        create = create and not read_only
        try:
            if path.is_dir():
                raise StoreError(f"the run store must be a file, {path} is a folder; type: --store {path}/runs.sqlite")
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            elif not path.exists():
                raise StoreError(f"there is no run store at {path}; name the one you mean: --store PATH")
        except (OSError, ValueError) as error:
            raise StoreError(
                f"the folder of the run store {path} cannot be used ({error}); choose another path (--store PATH)"
            ) from error
        return cls(path, connect_to_read(path, RUN_STORE) if read_only else connect(path, RUN_STORE, create=create))

    def close(self) -> None:
        """Let go of the file and of the runs; safe to call twice."""
        with self._lock:
            with suppress(StoreError):  # a claim fades by itself
                for run_id in list(self._claims.held):
                    self.release(run_id)
            self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def claim(self, run_id: str) -> bool:
        """Make the run this store's alone to write, if no other store writes it now; whether that worked."""
        with self._transaction(write=True) as connection:
            return self._claims.take(connection, run_id) is None

    def release(self, run_id: str) -> None:
        """Let others write the run."""
        with self._transaction(write=True) as connection:
            self._claims.release(connection, run_id)

    def begin(self, run: Run) -> None:
        """Write the run, which will grow; an unfinished run of the same id is replaced.

        Raises:
            ClaimedError: another process writes it.
            StoreError: a run of this id has finished already.
        """
        with self._transaction(write=True) as connection:
            self._claims.hold(connection, run.id)  # first: losing the claim is what happened
            self._refuse_finished(run.id)
            connection.execute("DELETE FROM runs WHERE id = ?", (run.id,))
            self._write(run)

    def append(self, run_id: str, columns: Mapping[str, Any]) -> None:
        """Add rows of updates; `step` goes on from the last row, and rows that were there already are replaced.

        Raises:
            ClaimedError: another process writes the run now.
            StoreError: there is a gap between the stored rows and these.
        """
        rows = as_columns(columns)
        with self._transaction(write=True) as connection:
            self._touch(run_id)
            last = last_step(connection, run_id, "train")
            following = 0.0 if last is None else last + 1.0
            first = rows["step"][0] if len(rows.get("step", ())) else following
            if first > following:
                raise StoreError(
                    f"the run {run_id!r} in {self.path} should go on at step {following:g}, got step {first:g}"
                )
            if first < following:
                keep_rows(connection, run_id, "train", lambda step: step < first)
            append_rows(connection, run_id, "train", rows)

    def append_evals(self, run_id: str, evals: Mapping[str, Any]) -> None:
        """Add rows of evaluations; a row of the same step, or of a later one, is replaced."""
        rows = as_columns(evals)
        with self._transaction(write=True) as connection:
            self._touch(run_id)
            if len(rows.get("step", ())):
                keep_rows(connection, run_id, "evals", lambda step: step < rows["step"][0])
            append_rows(connection, run_id, "evals", rows)

    def truncate(self, run_id: str, step: int) -> None:
        """Go back to before update `step`: the run is running again; its later rows and evaluations are dropped.

        Raises:
            StoreError: the run has finished.
        """
        with self._transaction(write=True) as connection:
            self._touch(run_id)
            self._refuse_finished(run_id)
            keep_rows(connection, run_id, "train", lambda steps: steps < step)
            # An evaluation at `step` saw the network that update `step` starts from.
            keep_rows(connection, run_id, "evals", lambda steps: steps <= step)
            connection.execute(
                "UPDATE runs SET ending = ?, step = ?, words = '' WHERE id = ?",
                (Ending.RUNNING.value, int(step), run_id),
            )

    def finish(self, run_id: str, outcome: Outcome, results: Mapping[str, float]) -> None:
        """Write how the run ended and its figures. A final ending drops the checkpoint."""
        with self._transaction(write=True) as connection:
            self._touch(run_id)
            connection.execute(
                "UPDATE runs SET ending = ?, step = ?, words = ?, results = ? WHERE id = ?",
                (outcome.ending.value, int(outcome.step), outcome.words, results_text(results), run_id),
            )
            self._drop_checkpoint_of_finished(run_id)
            self._claims.release(connection, run_id)

    def save(self, run: Run) -> None:
        """Write the whole run, instead of what is there under its id. A final ending drops the checkpoint."""
        with self._transaction(write=True) as connection:
            self._write(run)
            self._drop_checkpoint_of_finished(run.id)
            self._claims.end(connection, run.id)

    def keep(self, run: Run) -> Run:
        """Write the whole run unless there is a better record of it; the run as it counts now.

        A finished run that is there already counts. One that has not finished is written only by the store that has
        claimed it: others may have come further.
        """
        with self._transaction(write=True) as connection:
            ending = self._ending(run.id)
            if ending is not None and ending not in UNFINISHED:
                self._claims.release(connection, run.id)
                return self._read(connection, run.id)
            if run.outcome.ending in UNFINISHED and not self._claims.renew(connection, run.id):
                self._claims.held.discard(run.id)
                return run
            self._write(run)
            self._drop_checkpoint_of_finished(run.id)
            self._claims.end(connection, run.id)
            return run

    def load(self, run_id: str) -> Run:
        """The run as it was written, bit for bit.

        Raises:
            StoreError: there is no such run.
        """
        with self._transaction() as connection:
            return self._read(connection, run_id)

    def summaries(self) -> list[RunSummary]:
        """Every run without its rows, the newest last."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM runs ORDER BY begun, rowid")
            return [summary_of(row) for row in rows]

    def finished(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids whose runs have ended for good: learned, did not learn, or diverged."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT id, ending FROM runs WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
            ).fetchall()
        return {run_id for run_id, ending in rows if Ending(ending) not in UNFINISHED}

    def delete(self, ids: Iterable[str]) -> int:
        """Delete these runs with their rows and checkpoints; how many there were."""
        with self._transaction(write=True) as connection:
            return connection.execute(
                "DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
            ).rowcount

    def checkpoint(self, run_id: str, step: int, state: bytes) -> None:
        """Keep `state`, from which the run can go on with update `step`; the run's earlier checkpoint is replaced."""
        with self._transaction(write=True) as connection:
            self._touch(run_id)
            connection.execute(
                "INSERT OR REPLACE INTO checkpoints (run_id, step, state) VALUES (?, ?, ?)", (run_id, int(step), state)
            )

    def load_checkpoint(self, run_id: str) -> tuple[int, bytes] | None:
        """The step and the state of the run's checkpoint; None where there is none."""
        with self._transaction() as connection:
            row = connection.execute("SELECT step, state FROM checkpoints WHERE run_id = ?", (run_id,)).fetchone()
        return None if row is None else (row[0], row[1])

    @contextmanager
    def _transaction(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        with self._lock:
            held = set(self._claims.held)
            try:
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                roll_back(connection)
                self._claims.held = held
                match error:
                    case sqlite3.Error() | OverflowError() | UnicodeError():
                        raise explained(error, self.path, RUN_STORE) from error
                    case DamagedError():
                        raise damaged(self.path, RUN_STORE, str(error)) from error
                raise

    def _ending(self, run_id: str) -> Ending | None:
        row = self._connection.execute("SELECT ending FROM runs WHERE id = ?", (run_id,)).fetchone()
        return None if row is None else Ending(row[0])

    def _refuse_finished(self, run_id: str) -> None:
        ending = self._ending(run_id)
        if ending is not None and ending not in UNFINISHED:
            where = "" if self.path == DEFAULT_STORE else f" --store {shlex.quote(str(self.path))}"
            again = f"stepwell runs delete {shlex.quote(run_id)}{where}"
            raise StoreError(f"the run {run_id!r} in {self.path} has finished; to run it again, type: {again}")

    def _read(self, connection: sqlite3.Connection, run_id: str) -> Run:
        row = connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise self._unknown(run_id)
        return run_of(row, read_rows(connection, run_id, "train"), read_rows(connection, run_id, "evals"))

    def _touch(self, run_id: str) -> None:
        changed = self._connection.execute("UPDATE runs SET written = ? WHERE id = ?", (time.time(), run_id)).rowcount
        if not changed:
            raise self._unknown(run_id)
        self._claims.hold(self._connection, run_id)

    def _unknown(self, run_id: str) -> StoreError:
        return StoreError(
            f"there is no run {run_id!r} in {self.path}; see what is: stepwell runs list --store {self.path}"
        )

    def _write(self, run: Run) -> None:
        now = time.time()
        facts = row_of(run) | {"begun": now, "written": now}
        updates = ", ".join(f"{name} = excluded.{name}" for name in facts if name not in ("id", "begun"))
        self._connection.execute(
            f"INSERT INTO runs ({', '.join(facts)}) VALUES ({', '.join('?' * len(facts))}) "  # noqa: S608 - our own names
            f"ON CONFLICT (id) DO UPDATE SET {updates}",
            tuple(facts.values()),
        )
        replace_rows(self._connection, run.id, "train", as_columns(run.columns))
        replace_rows(self._connection, run.id, "evals", as_columns(run.evals))

    def _drop_checkpoint_of_finished(self, run_id: str) -> None:
        if self._ending(run_id) not in UNFINISHED:
            self._connection.execute("DELETE FROM checkpoints WHERE run_id = ?", (run_id,))
