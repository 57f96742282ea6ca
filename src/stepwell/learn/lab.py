"""Small models and data for proofs and exercises: `from stepwell.learn import lab`.

Everything is made from a seed in milliseconds, on the CPU, without files.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DIGIT_SIDE = 8
DIGIT_CLASSES = 10


def warm() -> None:
    """Run what is slow the first time."""
    images, labels = digits(4, seed=0)
    small_cnn()(images)
    assert len(labels) == 4  # noqa: S101 - states what `digits` gives


def digits(count: int, seed: int, noise: float = 0.3) -> tuple[Tensor, Tensor]:
    """Synthetic digits: ten fixed random patterns, shifted and noisy.

    Args:
        count: how many images.
        seed: of the draw; the ten patterns are always the same.
        noise: standard deviation of what is added to each pixel.

    Returns:
        Images (count, 1, 8, 8), float32, and labels (count,), int64.
    """
    fixed = torch.Generator().manual_seed(12345)
    patterns = (torch.rand(DIGIT_CLASSES, 1, DIGIT_SIDE, DIGIT_SIDE, generator=fixed) > 0.6).float()
    drawn = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, DIGIT_CLASSES, (count,), generator=drawn)
    shifts = torch.randint(-1, 2, (count,), generator=drawn).tolist()
    images = torch.stack([patterns[label].roll(shift, 2) for label, shift in zip(labels, shifts, strict=True)])
    return images + noise * torch.randn(images.shape, generator=drawn), labels


def line(count: int, seed: int, noise: float = 0.1) -> tuple[Tensor, Tensor]:
    """Points around the line y = 3 x + 1: x and y, both (count, 1)."""
    drawn = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 1, generator=drawn) * 2 - 1
    return x, 3 * x + 1 + noise * torch.randn(count, 1, generator=drawn)


def rings(count: int, seed: int, noise: float = 0.1) -> tuple[Tensor, Tensor]:
    """Two classes, a disc inside a ring: points (count, 2) and labels (count,)."""
    drawn = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (count,), generator=drawn)
    radius = 0.4 + 0.6 * labels + noise * torch.randn(count, generator=drawn)
    angle = 6.283185307179586 * torch.rand(count, generator=drawn)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), labels


def small_cnn() -> nn.Sequential:
    """A convolutional network for `digits`: 8 and 16 channels, one linear layer; about 3,800 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64, DIGIT_CLASSES),
    )


def mlp(inputs: int = 2, outputs: int = 2, width: int = 32) -> nn.Sequential:
    """A network of three linear layers."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )
