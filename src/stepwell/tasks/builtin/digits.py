"""The handwritten digits that come with scikit-learn: 1797 images of 8x8 pixels, in one fixed split."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stepwell.errors import MissingExtraError


class Digits(NamedTuple):
    """Images of shape (n, 1, 8, 8) in 0..1 with class numbers, for each part."""

    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


@cache
def digits() -> Digits:
    """1000 training, 400 validation and 397 test images; the same ones whatever the seed.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "tasks", "the digits data set") from error
    pixels, labels = load_digits(return_X_y=True)
    # The file is ordered by writer, so a split in file order would test on other hands than it trains on.
    order = np.random.default_rng(20240501).permutation(len(labels))
    images = torch.from_numpy(pixels[order] / 16).float().reshape(-1, 1, 8, 8)
    targets = torch.from_numpy(labels[order]).long()
    parts = (slice(1000), slice(1000, 1400), slice(1400, None))
    return Digits(*((images[part], targets[part]) for part in parts))
