"""One seed decides everything: threads, algorithms and every global random generator, for as long as a block runs."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

# cuBLAS is only deterministic with a fixed workspace, and reads this when its first handle is made.
_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
# The version of the training loop: raised by every change after which the same trial gives other numbers.
LOOP = 1


@contextmanager
def pinned(seed: int) -> Iterator[None]:
    """Inside: one thread, deterministic algorithms where torch has them, seeded generators. Afterwards: all as before.

    An operation that torch cannot make deterministic warns instead of failing.
    """
    threads = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]  # a module property
    benchmark = torch.backends.cudnn.benchmark
    workspace = os.environ.get(_CUBLAS)
    try:
        torch.set_num_threads(1)
        # Not `use_deterministic_algorithms`, which does the same but first imports torch's compiler (over a second).
        torch.set_deterministic_debug_mode("warn")
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # it only costs time
        torch.backends.cudnn.benchmark = False
        os.environ.setdefault(_CUBLAS, ":4096:8")
        with random_kept():
            seed_all(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_deterministic_debug_mode(mode)
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = benchmark
        if workspace is None:
            os.environ.pop(_CUBLAS, None)


@contextmanager
def random_kept() -> Iterator[None]:
    """Inside, what is drawn or seeded is of no consequence: afterwards every global generator is as before."""
    generators = random_state()
    try:
        yield
    finally:
        restore_random(generators)


def seed_all(*numbers: int, accelerators: bool = True) -> None:
    """Seed the generators of Python, numpy and torch; one number is used as it is, several are mixed.

    Without `accelerators` only torch's CPU generator is seeded: where no device is in use yet, seeding it means that
    torch takes down three stack traces for later, 1.5 ms that an epoch of a small network notices.
    """
    seed = numbers[0] if len(numbers) == 1 else int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if accelerators:
        torch.manual_seed(seed % 2**63)
    else:
        torch.default_generator.manual_seed(seed % 2**63)


def random_state() -> dict[str, Any]:
    """The state of every global generator as plain data and tensors, so that it loads with `weights_only=True`."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": (str(name), [int(key) for key in keys], int(position), int(has_gauss), float(gauss)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if _cuda_in_use() else [],
    }


def restore_random(state: dict[str, Any]) -> None:
    """Put every global generator back into a state from `random_state`."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


def _cuda_in_use() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]  # torch does not annotate it


def environment(device: torch.device) -> dict[str, Any]:
    """What else a result depends on, to be recorded with it: versions, threads, device."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
        "device": str(device) if device.type != "cuda" else torch.cuda.get_device_name(device),
        "machine": platform.machine(),
        "system": platform.system(),
        "loop": LOOP,
    }


def place(settings: Mapping[str, Any]) -> str:
    """In words, what of `environment` decides the numbers: equal texts, equal results."""
    python = ".".join(str(settings.get("python", "?")).split(".")[:2])
    known = {name: settings.get(name, "?") for name in ("torch", "numpy", "device", "machine", "system", "loop")}
    return "torch {torch}, numpy {numpy}, Python {python}, {device}, {machine} {system}, training loop {loop}".format(
        python=python, **known
    )
