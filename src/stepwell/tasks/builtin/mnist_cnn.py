"""mnist-cnn: the classical CNN on 28x28 handwritten digits."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stepwell.errors import TaskError
from stepwell.tasks.builtin.idx import read_idx
from stepwell.tasks.builtin.mnist_files import FILES, download
from stepwell.tasks.parts import class_metrics, cross_entropy, in_order, seeded, shuffled
from stepwell.tasks.task import Workload


def mnist_cnn(seed: int, *, data_dir: str = "", num_train: int = 55_000, batch_size: int = 64) -> Workload:
    """Classify MNIST with two conv-pool blocks and two fc layers (LeCun et al. 1998, with ReLU).

    The last twelfth of the training file (5000 of 60000 images) is for validation; the test file is for the decision.

    Args:
        seed: decides the initial weights and the order of the training images.
        data_dir: a folder with the four IDX files, gzipped or not; by default the one that the environment variable
            STEPWELL_DATA names, and without that the files are downloaded once into the user's cache.
        num_train: use only that many training images, to get on faster.
        batch_size: 64 gives 859 steps per epoch.
    """
    data = _mnist(_folder(data_dir))
    if num_train < 1:
        raise TaskError(f"num_train must be positive, got {num_train}")
    train = (data.train[0][:num_train], data.train[1][:num_train])
    return Workload(
        model=seeded(seed, _network),
        loss=cross_entropy,
        train=shuffled(train, batch_size, seed),
        steps_per_epoch=len(train[0]) // batch_size,
        val=in_order(data.val),
        metrics=class_metrics,
        test=in_order(data.test),
    )


class _Standardise(nn.Module):
    """Bytes to numbers of mean 0 and deviation 1 on MNIST; images stay bytes until here, a quarter of the memory."""

    def forward(self, images: Tensor) -> Tensor:
        return (images.unsqueeze(1).float() / 255 - 0.1307) / 0.3081


def _network() -> nn.Module:
    return nn.Sequential(
        _Standardise(),
        nn.Conv2d(1, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


class _Mnist(NamedTuple):
    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


def _folder(data_dir: str) -> Path:
    named = data_dir or os.environ.get("STEPWELL_DATA", "")
    return Path(named) if named else download()


@cache
def _mnist(folder: Path) -> _Mnist:
    train = _part(folder, "train")
    test = _part(folder, "t10k")
    num_val = len(train[0]) // 12
    if num_val == 0:
        raise TaskError(f"the training file in {folder} has {len(train[0])} images; at least 12 are needed")
    images, labels = train
    return _Mnist((images[:-num_val], labels[:-num_val]), (images[-num_val:], labels[-num_val:]), test)


def _part(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    image_file, label_file = (_file(folder, name) for name in FILES if name.startswith(part))
    images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
    if images.shape[1:] != (28, 28):
        raise TaskError(f"{image_file} has images of {images.shape[1]} x {images.shape[2]} pixels; MNIST has 28 x 28")
    if len(images) != len(labels):
        raise TaskError(f"{image_file} has {len(images)} images, but {label_file} has {len(labels)} labels")
    if len(labels) == 0 or labels.max() > 9:
        raise TaskError(f"{label_file} should hold labels from 0 to 9, got {sorted(set(labels.tolist()))[-3:]}")
    return torch.tensor(images), torch.tensor(labels, dtype=torch.int64)


def _file(folder: Path, name: str) -> Path:
    """The file in the folder or where torchvision keeps it, gzipped or not."""
    plain = name.removesuffix(".gz")
    for place in (folder, folder / "MNIST" / "raw"):
        # Older copies are named train-images.idx3-ubyte.
        for candidate in (name, plain, plain.replace("-idx", ".idx")):
            if (place / candidate).is_file():
                return place / candidate
    raise TaskError(
        f"no {name} (or {plain}) in {folder}; put the four MNIST files there, "
        "or unset data_dir and STEPWELL_DATA to download them"
    )
