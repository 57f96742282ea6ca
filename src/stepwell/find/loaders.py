"""Loaders: where they stand, what they draw from, and how a seed decides their order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from stepwell.errors import OptionError
from stepwell.find.kept import Kept
from stepwell.tasks.determinism import seed_all
from stepwell.tasks.task import Batch

# Where a loader has what draws for it.
_WITHIN = ("sampler", "batch_sampler", "dataset", "base_sampler", "base_loader", "base_dataloader", "dataloader")
_GENERATORS = (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)
_PLAIN = (int, float, bool, str, type(None))


def check_loader(loader: object, name: str) -> None:
    """Refuse what cannot be read again and again.

    Raises:
        OptionError: an iterator, or nothing that can be iterated at all.
    """
    if hasattr(loader, "__next__"):
        raise OptionError(
            f"{name} is an iterator ({type(loader).__name__}), which gives its batches only once; pass the loader "
            "itself, not iter(loader)"
        )
    if not (hasattr(loader, "__iter__") or hasattr(loader, "__getitem__")) or isinstance(loader, str | bytes):
        raise OptionError(f"{name} must give batches when it is iterated, as a DataLoader does, got {loader!r:.60}")


def length(loader: Any) -> int | None:
    """How many batches an epoch has; None where the loader does not tell."""
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return None


def keep_loader(kept: Kept, loader: object) -> None:
    """Keep where a loader stands: its generators and counters, and those of its samplers."""
    for part in _parts(loader):
        for generator in _generators(part):
            kept.value(generator)
        if not isinstance(part, Dataset):  # it may cache, in containers that are not put back
            # Plain values such as an epoch's number: containers may hold all of the data.
            kept.attributes(part, without=[name for name, value in vars(part).items() if type(value) not in _PLAIN])


@contextmanager
def own_iterators(*loaders: object) -> Iterator[None]:
    """Inside, a loader with persistent workers starts workers anew; its iteration under way goes on afterwards."""
    before = [(loader, loader._iterator) for loader in loaders if hasattr(loader, "_iterator")]
    try:
        _forget_iterators(*loaders)
        yield
    finally:
        for loader, iterator in before:
            vars(loader)["_iterator"] = iterator


def seeded_epochs(loader: Any) -> Callable[[tuple[int, ...]], Iterator[Batch]]:
    """From numbers, such as a seed and an epoch, to the loader's batches in an order that follows from them.

    The global generators, those of the loader and the epoch that its sampler is told are all set from the numbers. A
    loader's own generator adds what it was seeded with before, and so do the global ones where there are several ranks.
    """
    base = base_seed()
    parts = _parts(loader)
    known = [(one, _base_seed(one)) for part in parts for one in _generators(part)]

    def epoch(numbers: tuple[int, ...]) -> Iterator[Batch]:
        seed_all(base, *numbers)
        for generator, own in known:
            _seed(generator, _mixed(own, *numbers))
        for part in parts:
            if callable(getattr(part, "set_epoch", None)):
                part.set_epoch(_mixed(*numbers) % 2**31)
        _forget_iterators(loader)
        batches: Iterator[Batch] = iter(loader)
        return batches

    return epoch


def base_seed() -> int:
    """What decides an order beside a search's own seed: nothing, so that the same call gives the same answer anywhere.

    On ranks of a distributed run it is what they were seeded with: they stay in step, or apart, as they were.
    """
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.initial_seed() % 2**63 if several else 0


def _forget_iterators(*loaders: object) -> None:
    for loader in loaders:
        if hasattr(loader, "_iterator"):
            vars(loader)["_iterator"] = None  # torch would end the iteration under way to begin another


def _parts(loader: object) -> list[Any]:
    """The loader and what it draws with: samplers, the data set, a loader that it wraps."""
    found: list[Any] = []
    waiting = [loader]
    while waiting:
        part = waiting.pop(0)
        if hasattr(part, "__dict__") and not isinstance(part, type) and all(part is not other for other in found):
            found.append(part)
            waiting += [vars(part)[name] for name in _WITHIN if name in vars(part)]
    return found


def _generators(part: object) -> list[Any]:
    return [value for value in vars(part).values() if isinstance(value, _GENERATORS)]


def _base_seed(generator: Any) -> int:
    return generator.initial_seed() % 2**63 if isinstance(generator, torch.Generator) else 0


def _seed(generator: Any, seed: int) -> None:
    match generator:
        case torch.Generator():
            generator.manual_seed(seed)
        case random.Random():
            generator.seed(seed)
        case np.random.RandomState():
            generator.seed(seed % 2**32)
        case _:
            generator.bit_generator.state = type(generator.bit_generator)(seed).state


def _mixed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
