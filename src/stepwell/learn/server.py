"""The worker process: torch and its first optimizer are loaded once, then every job runs in a fork.

It reads a job per line from its standard input and answers each with a line; the end of the input is the order to
stop, so that it ends with the process that started it, whatever killed that one.
"""

from __future__ import annotations

import gc
import json
import os
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from stepwell.learn import sandbox
from stepwell.learn.job import Ending

LONGEST_ANSWER = sandbox.MOST_RESULT + 4096
# How long the death of a child is waited for after it closed its end of the pipe: it has nothing more to say.
BRIEFLY = 0.5

Answer: TypeAlias = dict[str, Any]


def serve() -> None:
    """Answer jobs until the input ends."""
    orders, answers = os.dup(0), os.dup(1)
    _silence()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm()
    _tell(answers, {"ready": True})
    with os.fdopen(orders, "rb", closefd=False) as lines:
        for line in iter(lines.readline, b""):
            _tell(answers, _fork(json.loads(line), orders, answers))


def serve_once() -> None:
    """Run one job in this very process, for systems that cannot fork; the starter watches the clock."""
    job = json.loads(sys.stdin.buffer.readline())
    answers = os.dup(1)
    _silence()
    warm()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stepwell-learn-", ignore_cleanup_errors=True) as folder:
        sandbox.confine(Path(folder), job["seconds"], job["memory"])
        answer = _answer(Ending.FINISHED, begun, json.loads(sandbox.run(job)))
        _tell(answers, {**answer, "token": job["token"]})
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def warm() -> None:
    """Load what programs of the course use: the first optimizer alone takes more than a second."""
    import torch

    import stepwell
    from stepwell.learn import lab

    torch.set_num_threads(1)
    # No backward here: where torch keeps threads for it, a fork would be without them.
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    optimizer.step()
    stepwell.Scheduler(optimizer, "cosine 1..0", total_steps=2).step()
    lab.warm()
    gc.collect()
    gc.freeze()  # so that a fork's collector does not copy every page


def _silence() -> None:
    """Point the standard files to nowhere: nothing but answers may come through the pipe."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for file in (0, 1):
        os.dup2(nowhere, file)


def _fork(job: Mapping[str, Any], orders: int, answers: int) -> Answer:
    begun = time.monotonic()
    try:
        folder = Path(tempfile.mkdtemp(prefix="stepwell-learn-"))
    except OSError as error:
        return _answer(Ending.BROKEN, begun, words=f"no folder to run it in could be made ({error})")
    reader, writer = os.pipe()
    try:
        token = secrets.token_bytes(16)
        child = os.fork()
        if child == 0:
            _be_child(job, folder, token, writer, (orders, answers, reader))
        os.close(writer)
        said, timed_out = _listen(reader, child, begun + job["seconds"], orders)
        status = _end(child, 0.0 if timed_out else BRIEFLY)
        return _judge(said, token, status, timed_out, begun)
    except OSError as error:
        return _answer(Ending.BROKEN, begun, words=f"the program could not be run ({error})")
    finally:
        os.close(reader)
        shutil.rmtree(folder, ignore_errors=True)


def _be_child(job: Mapping[str, Any], folder: Path, token: bytes, writer: int, others: tuple[int, ...]) -> None:
    """Run the job, say what came of it, and end; never returns."""
    try:
        os.setsid()
        for file in others:
            os.close(file)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sandbox.confine(folder, job["seconds"], job["memory"])
        said = token + sandbox.run(job)
        while said:
            said = said[os.write(writer, said) :]
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process must not go on as the server
        os._exit(3 if isinstance(error, OSError | ValueError | MemoryError) else 4)
    os._exit(0)


def _listen(reader: int, child: int, deadline: float, orders: int) -> tuple[bytes, bool]:
    """What the child says until it ends, and whether its time was over."""
    said = b""
    watched = [reader, orders]
    while len(said) <= LONGEST_ANSWER:
        left = deadline - time.monotonic()
        if left <= 0:
            return said, True
        ready, _, _ = select.select(watched, [], [], left)
        if orders in ready:  # nobody sends a second job before the answer: the starter is gone, or wants no answer
            return said, True
        if reader in ready:
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                break
            said += chunk
    return said, False


def _end(child: int, patience: float) -> int:
    """End the child with everything of its session, after these seconds at most; its wait status."""
    patience += time.monotonic()
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended or time.monotonic() > patience:
            break
        time.sleep(0.0005)
    _kill(child)
    return status if ended else os.waitpid(child, 0)[1]


def _kill(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _judge(said: bytes, token: bytes, status: int, timed_out: bool, begun: float) -> Answer:
    code = os.waitstatus_to_exitcode(status)
    if timed_out or code == -signal.SIGXCPU:
        return _answer(Ending.TIMED_OUT, begun, words=f"it was stopped after {time.monotonic() - begun:.1f} seconds")
    if code == 0 and said.startswith(token):
        return _answer(Ending.FINISHED, begun, json.loads(said[len(token) :]))
    if code == 3:
        return _answer(Ending.CRASHED, begun, words="what it measured could not be handed over")
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return _answer(Ending.CRASHED, begun, words=f"its process ended without a result ({how})")


def _answer(ending: Ending, begun: float, outcomes: list[Any] | None = None, words: str = "") -> Answer:
    seconds = time.monotonic() - begun
    return {"ending": ending.value, "outcomes": outcomes or [], "words": words, "seconds": seconds}


def _tell(answers: int, answer: Mapping[str, Any]) -> None:
    line = json.dumps(answer).encode() + b"\n"
    while line:
        line = line[os.write(answers, line) :]


if __name__ == "__main__":
    serve()
