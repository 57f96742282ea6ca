"""How fast the course answers: its first screen, a submission, and the whole verification.

Goals: the first screen in 0.5 s and without torch; a submission answered in 150 ms (median) once the worker is up;
every proof of the course run in under 4 minutes on two cores.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from stepwell.learn.exercise import check, rendered
from stepwell.learn.instance import instance
from stepwell.learn.items.fix import Fix
from stepwell.learn.job import Job, Part
from stepwell.learn.read import read_course
from stepwell.learn.verdict import Verdict
from stepwell.learn.verify import Problem, verify
from stepwell.learn.worker import Worker

REPEATS = 15
GOAL_SCREEN, GOAL_SUBMISSION, GOAL_VERIFY = 0.5, 0.15, 240.0

SCREEN = """
import sys, tempfile
from pathlib import Path
from stepwell.learn.mastery import mastery
from stepwell.learn.memory import memories
from stepwell.learn.outline import outline
from stepwell.learn.progress import Progress
with tempfile.TemporaryDirectory() as folder, Progress.open(Path(folder) / "me.sqlite") as progress:
    attempts = progress.attempts()
    print(outline(), mastery(attempts), memories(attempts))
sys.exit(3 if "torch" in sys.modules else 0)
"""

TRAINING = """
import torch
model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x = torch.randn(64, 8)
for step in range(20):
    optimizer.zero_grad()
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    loss.backward()
    optimizer.step()
"""


def first_screen() -> None:
    """The data of the first screen in a fresh interpreter."""
    taken = []
    for _ in range(REPEATS // 2):
        begun = time.perf_counter()
        ended = subprocess.run([sys.executable, "-c", SCREEN], stdout=subprocess.DEVNULL, check=False)
        taken.append(time.perf_counter() - begun)
        assert ended.returncode == 0, "torch was imported, or it failed"
    median = statistics.median(taken)
    print(f"first screen        {median:8.3f} s   goal {GOAL_SCREEN} s, no torch imported")


def submissions() -> None:
    """Answers of the warm worker: a bare program, a small training run, and the exercises to fix."""
    with Worker() as worker:
        begun = time.perf_counter()
        worker.run(Job((Part("warm", "pass"),)))
        print(f"worker up after     {time.perf_counter() - begun:8.3f} s")
        for name, code in (("a bare program", "x = 1"), ("20 updates of Adam", TRAINING)):
            job = Job((Part("your code", code),), seconds=10)
            taken = [_seconds(worker, job) for _ in range(REPEATS)]
            print(f"{name:19} {statistics.median(taken):8.3f} s   goal {GOAL_SUBMISSION} s (median)")
        exercises = [item for item in read_course().items if isinstance(item.body, Fix)]
        taken = []
        for item in exercises:
            shown = instance(item, 0)
            assert isinstance(item.body, Fix)
            begun = time.perf_counter()
            graded = check(item.body, rendered(item.body.solution, shown.names), shown.names, worker)
            taken.append(time.perf_counter() - begun)
            assert graded.verdict is Verdict.RIGHT, item.id
        if taken:
            print(f"exercises ({len(taken):2})      {statistics.median(taken):8.3f} s   largest {max(taken):.3f} s")


def _seconds(worker: Worker, job: Job) -> float:
    begun = time.perf_counter()
    worker.run(job)
    return time.perf_counter() - begun


def whole_course() -> None:
    """Every proof, on two workers."""
    begun = time.perf_counter()
    findings = list(verify(read_course()))
    taken = time.perf_counter() - begun
    problems = [finding for finding in findings if isinstance(finding, Problem)]
    for problem in problems:
        print(f"  {problem}")
    slow = sorted(findings, key=lambda finding: -finding.seconds)[:5]
    print(f"verify {len(findings):4} proofs  {taken:8.1f} s   goal {GOAL_VERIFY:g} s, {len(problems)} problems")
    print("  slowest: " + ", ".join(f"{finding.item} {finding.seconds:.1f} s" for finding in slow))


def main() -> None:
    """Print the table."""
    first_screen()
    submissions()
    whole_course()


if __name__ == "__main__":
    main()
