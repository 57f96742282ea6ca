"""What the peers' finders suggest, each run by the package itself in an environment of its own (`make peers`).

Every answer is kept in a file, so that a second call is instant.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.find import tasks
from benchmarks.find.kept import CACHE, Kept, digest

Request: TypeAlias = tuple[str, str, int, int, int]  # task, optimizer, seed, order, count

ROOT = Path(__file__).parents[2]
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "fastai": ("fastai valley", "fastai steep", "fastai minimum", "fastai slide"),
    "lightning": ("lightning",),
    "torch_lr_finder": ("torch-lr-finder",),
    "ignite": ("ignite",),
}
SWEEP = 100  # the default length of all four
BUDGETS = (100, 300, 600)


@dataclass(frozen=True, slots=True)
class Way:
    """How a budget is spent: the median of several sweeps of the default length, or one long sweep."""

    budget: int
    repeats: int
    count: int

    @property
    def words(self) -> str:
        """What a table prints."""
        return f"{self.count} steps" if self.repeats == 1 else f"{self.repeats} x {self.count}"

    def requests(self, task: str, optimizer: str, seed: int) -> list[Request]:
        """The sweeps that it takes; each has its own order of the data, all the same initial model."""
        return [(task, optimizer, seed, 1000 * (seed + 1) + number, self.count) for number in range(self.repeats)]


WAYS = (Way(100, 1, 100), Way(300, 3, 100), Way(300, 1, 300), Way(600, 6, 100), Way(600, 1, 600))


def python() -> Path | None:
    """The interpreter of the peers' environment, if there is one; `STEPWELL_PEERS` names another."""
    made = Path(os.environ.get("STEPWELL_PEERS", ROOT / ".peers")) / "bin" / "python"
    return made if made.exists() else None


class Answers:
    """What one package suggested, by request."""

    def __init__(self, package: str) -> None:
        self.package = package
        here = Path(__file__).parent
        made = digest([here / "sweeps" / f"{package}.py", here / "sweeps" / "loader.py", here / "peers.txt"])
        self.kept = Kept(CACHE / f"peers-{package}-{made}.jsonl")

    def suggestion(self, rule: str, way: Way, task: str, optimizer: str, seed: int) -> float:
        """The median of what the sweeps of this way gave, on a logarithmic scale; `nan` if none gave a rate."""
        requests = way.requests(task, optimizer, seed)
        self.run(requests)
        given = [self.kept[_key(request)][0].get(rule, math.nan) for request in requests]
        rates = [math.log(rate) for rate in given if math.isfinite(rate) and rate > 0]
        return math.exp(statistics.median(rates)) if rates else math.nan

    def run(self, requests: Sequence[Request]) -> None:
        """Run the sweeps that are not known yet.

        Raises:
            SystemExit: there is no environment to run them in, or the package stopped.
        """
        missing = [request for request in dict.fromkeys(requests) if _key(request) not in self.kept]
        if not missing:
            return
        interpreter = python()
        if interpreter is None:
            raise SystemExit("the peers' finders need an environment of their own; `make peers` makes it")
        for number, (request, answer) in enumerate(_answers(interpreter, self.package, missing)):
            self.kept.add(_key(request), answer)
            if number % 100 == 99:
                print(f"  {self.package}: {number + 1} of {len(missing)} sweeps", file=sys.stderr, flush=True)


def _key(request: Request) -> str:
    task, *rest = request
    return " | ".join(map(str, (task, tasks.fingerprint(task), *rest)))


def _answers(interpreter: Path, package: str, requests: Sequence[Request]) -> Iterator[tuple[Request, Any]]:
    """Each request with its answer, as they come; one process answers all."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    with subprocess.Popen(
        [interpreter, "-m", "benchmarks.find.sweeps", package],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=surroundings,
        cwd=ROOT,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise SystemExit(f"{package}: no pipe to the peers' environment")
        for request in requests:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise SystemExit(
                    f"{package} stopped at {request}; see `{interpreter} -m benchmarks.find.sweeps {package}`"
                )
            yield request, json.loads(line)
        process.stdin.close()
