"""Run sweeps of one package, in the peers' environment: `python -m benchmarks.find.sweeps PACKAGE`.

Reads one request per line, `["digits_mlp", "adam", seed, order, count]`, and answers each with one line:
`[{"rule": rate}, "what went wrong", seconds]`; a rate that the package does not give is `NaN` or missing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
import warnings
from importlib import import_module

import torch

from benchmarks.find import tasks


def main() -> None:
    """Answer requests until there are no more."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    os.environ["MPLBACKEND"] = "Agg"
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    package = import_module(f"benchmarks.find.sweeps.{sys.argv[1]}")
    for line in sys.stdin:
        task, optimizer, seed, order, count = json.loads(line)
        work, words, rates = tasks.make(task, seed), "", {}
        began = time.perf_counter()
        with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            torch.manual_seed(order)
            try:
                rates = package.sweep(work, optimizer, order, count)
            except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
                words = f"{type(error).__name__}: {str(error)[:200]}"  # part of the answer: this peer gives no rate
        print(json.dumps([rates, words, round(time.perf_counter() - began, 3)]), file=answers, flush=True)


if __name__ == "__main__":
    main()
