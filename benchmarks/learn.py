"""How fast the course answers: its first screen, a submission, and the whole verification.

Goals: the first screen in 0.5 s and without torch; a submission answered in 150 ms (median) once the worker is up;
every proof of the course run in under 4 minutes on two cores.
"""

from __future__ import annotations

import os
import pty
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from stepwell.learn.attempt import Attempt
from stepwell.learn.exercise import check, rendered
from stepwell.learn.instance import instance
from stepwell.learn.items.fix import Fix
from stepwell.learn.job import Job, Part
from stepwell.learn.modes import Mode
from stepwell.learn.outline import outline
from stepwell.learn.progress import Progress
from stepwell.learn.read import read_course
from stepwell.learn.verdict import Verdict
from stepwell.learn.verify import Problem, verify
from stepwell.learn.worker import Worker

REPEATS = 15
GOAL_SCREEN, GOAL_SUBMISSION, GOAL_VERIFY = 0.5, 0.15, 240.0

SCREEN = """
import builtins, sys, time
from stepwell.cli import main
ask = builtins.input
def timed(prompt):
    print("cpu", time.process_time())
    return ask(prompt)
builtins.input = timed
sys.argv = ["stepwell", "learn", "--progress", sys.argv[1]]
main()
sys.exit(3 if "torch" in sys.modules else 0)
"""
ALONE = "import sys; print('q leaves): ', end='', flush=True); sys.stdin.readline()"
PROMPT = b"q leaves): "

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
    """From starting `stepwell learn` on a terminal to its first prompt, beside Python alone and `import torch`."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/me.sqlite"
        with Progress.open(path) as progress:
            for attempt in _some_attempts():
                progress.record(attempt)
        commands = {"screen": [SCREEN, path], "alone": [ALONE], "torch": [f"import torch; {ALONE}"]}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(REPEATS // 2):  # in turn, so that a busy moment hits all
            for name, words in commands.items():
                taken[name].append(_until_prompt([sys.executable, "-c", *words]))
    screen, alone, torch = (statistics.median(wall for wall, _ in some) for some in taken.values())
    cpu = statistics.median(seconds for _, seconds in taken["screen"])
    print(f"first screen        {screen:8.3f} s   goal {GOAL_SCREEN} s, no torch imported")
    print(f"  of CPU            {cpu:8.3f} s")
    print(f"  beside import torch {(screen - alone) / (torch - alone):6.2f}")


def _some_attempts() -> Iterator[Attempt]:
    """A learner's past: 300 answers."""
    topics = outline()
    for number in range(300):
        topic = topics[number % len(topics)].id
        verdict = Verdict.RIGHT if number % 3 else Verdict.WRONG
        times = {"time": 1e9 + number, "seconds": 5.0, "overtime": 0.0}
        yield Attempt(
            session=str(number // 10), mode=Mode.PRACTICE, item=f"{topic}/{number}", topic=topic, seed=1, number=1,
            answer=0, verdict=verdict, score=1.0, hints=0, confidence=None, evidence={}, **times,
        )  # fmt: skip


def _until_prompt(command: list[str]) -> tuple[float, float]:
    """Seconds from the start of a process on a terminal to its prompt, and those of CPU where it tells them.

    The process has to end well after a `q`.
    """
    ours, theirs = pty.openpty()
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen = b""
    while PROMPT not in seen:
        seen += os.read(ours, 1 << 16)
    taken = time.perf_counter() - begun
    os.write(ours, b"q\n")
    assert process.wait(60) == 0, "torch was imported, or it failed"
    os.close(ours)
    told = re.search(rb"cpu ([0-9.]+)", seen)
    return taken, float(told[1]) if told else 0.0


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
