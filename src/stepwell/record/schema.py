"""The run store as a kind of database: its mark and its tables."""

from __future__ import annotations

from stepwell.record.database import Kind, Migration

APPLICATION_ID = int.from_bytes(b"SWel", "big")
"""What SQLite writes into the file's header, so that no other database is taken for a run store."""

MIGRATIONS: tuple[Migration, ...] = (
    (
        # `seed` and `base_lr` are text: SQLite's integers end at 2**63, and it turns a NaN into NULL.
        """
        CREATE TABLE runs (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            ending TEXT NOT NULL,
            step INTEGER NOT NULL,
            words TEXT NOT NULL,
            schedule TEXT,
            horizon TEXT,
            base_lr TEXT,
            optimizer TEXT,
            task TEXT,
            seed TEXT,
            settings TEXT NOT NULL,
            results TEXT NOT NULL,
            train_rows INTEGER NOT NULL DEFAULT 0,
            evals_rows INTEGER NOT NULL DEFAULT 0,
            begun REAL NOT NULL,
            written REAL NOT NULL
        ) STRICT
        """,
        # A chunk is some rows of one table of one run: little-endian float64, column after column, in the order of
        # `names` (JSON). `crc` (CRC-32) shows damage that SQLite cannot see: a page of numbers is only bytes.
        """
        CREATE TABLE chunks (
            key INTEGER PRIMARY KEY,
            run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('train', 'evals')),
            first INTEGER NOT NULL,
            count INTEGER NOT NULL,
            names TEXT NOT NULL,
            crc INTEGER NOT NULL,
            data BLOB NOT NULL
        ) STRICT
        """,
        "CREATE INDEX chunks_in_order ON chunks (run_id, kind, first)",
        """
        CREATE TABLE checkpoints (
            run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            step INTEGER NOT NULL,
            state BLOB NOT NULL
        ) STRICT
        """,
    ),
    (
        # Who writes a run now. It may come before the run and stay when the run is replaced.
        """
        CREATE TABLE claims (
            run_id TEXT NOT NULL PRIMARY KEY,
            owner TEXT NOT NULL,
            host TEXT NOT NULL,
            pid INTEGER NOT NULL,
            beat REAL NOT NULL
        ) STRICT
        """,
    ),
)
"""Step n brings a store from version n to n + 1; a released step is never edited."""

RUN_STORE = Kind("run store", APPLICATION_ID, MIGRATIONS, "--store")
"""What `database` needs to know to open a run store."""
