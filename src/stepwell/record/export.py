"""Runs written for other programs: one CSV table, or one JSON document."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from typing import TextIO

from stepwell.record.columns import to_rows
from stepwell.record.document import run_to_json
from stepwell.record.run import Run


def write_json(runs: Sequence[Run], stream: TextIO) -> None:
    """`{"stepwell_runs": 1, "runs": [...]}`, each run as `run_to_json` gives it; 1 is the version of the form."""
    json.dump({"stepwell_runs": 1, "runs": [run_to_json(run) for run in runs]}, stream, allow_nan=False)
    stream.write("\n")


def write_csv(runs: Sequence[Run], stream: TextIO) -> None:
    """One row per update (`train`) and per evaluation (`eval`), in the order in which they happened.

    The first columns are `run`, `name`, `kind` and `step`; then come those of the runs. An empty cell is a
    figure that rows of this run and kind do not have. Numbers have the digits that read back as the same number.
    """
    names = dict.fromkeys(name for run in runs for table in (run.columns, run.evals) for name in table)
    names.pop("step", None)
    writer = csv.DictWriter(stream, ["run", "name", "kind", "step", *names], lineterminator="\n")
    writer.writeheader()
    for run in runs:
        for kind, row in _in_order(run):
            cells = {name: repr(value) for name, value in row.items()}
            cells["step"] = str(int(row["step"]))
            writer.writerow({"run": run.id, "name": run.name, "kind": kind} | cells)


def _in_order(run: Run) -> Iterator[tuple[str, dict[str, float]]]:
    evals = to_rows(run.evals)
    for row in to_rows(run.columns):
        while evals and evals[0]["step"] <= row["step"]:  # an evaluation at step n came before update n
            yield "eval", evals.pop(0)
        yield "train", row
    for row in evals:
        yield "eval", row
