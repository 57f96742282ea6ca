"""source-lm: a small character transformer on the Python standard library's own source text."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from importlib.abc import InspectLoader
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from stepwell.errors import TaskError
from stepwell.tasks.parts import generator, in_order, seeded
from stepwell.tasks.task import Workload

# Modules that every Python from 3.11 on has as one file. The parts share no file.
TRAIN = (
    "argparse ast bdb calendar cmd configparser copy csv dataclasses difflib doctest enum fractions ftplib functools "
    "gettext heapq imaplib inspect json.decoder json.encoder logging.config optparse pdb pickle pprint queue random "
    "selectors shutil smtplib socketserver statistics subprocess tarfile threading tokenize traceback typing uuid"
)
VAL = "email.message http.client tempfile unittest.case weakref"
TEST = "http.cookiejar logging.handlers textwrap unittest.loader urllib.parse"

# Newline and the printable ASCII characters have a number each; everything else shares the last one.
ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
VOCABULARY = len(ALPHABET) + 1
CONTEXT = 64
NUM_WINDOWS = 128


def source_lm(seed: int, *, steps_per_epoch: int = 50, batch_size: int = 8, width: int = 48) -> Workload:
    """Predict the next character of Python source; the loss is in nats per character.

    The text is that of the running Python, so results compare only within one Python version.

    Args:
        seed: decides the initial weights and which spans of the training text are read.
        steps_per_epoch: an epoch is that many batches of random spans, not a pass over the text.
        batch_size: spans of 64 characters in a batch.
        width: of the network; a multiple of 4.
    """
    if width < 4 or width % 4:
        raise TaskError(f"width must be a positive multiple of 4 (there are 4 attention heads), got {width}")
    if steps_per_epoch < 1 or batch_size < 1:
        raise TaskError(f"steps_per_epoch and batch_size must be positive, got {steps_per_epoch} and {batch_size}")
    text = _texts()
    return Workload(
        model=seeded(seed, lambda: Transformer(width)),
        loss=_loss,
        train=_random_spans(text.train, steps_per_epoch, batch_size, seed),
        steps_per_epoch=steps_per_epoch,
        val=in_order((_windows(text.val),), 32),
        metrics=_metrics,
        test=in_order((_windows(text.test),), 32),
    )


class Transformer(nn.Module):
    """Two pre-norm blocks with causal attention (Radford et al. 2019), small enough for a CPU."""

    def __init__(self, width: int, num_blocks: int = 2) -> None:
        super().__init__()
        self.characters = nn.Embedding(VOCABULARY, width)
        self.places = nn.Embedding(CONTEXT, width)
        self.blocks = nn.Sequential(*(_Block(width) for _ in range(num_blocks)))
        self.norm = nn.LayerNorm(width)
        self.scores = nn.Linear(width, VOCABULARY)
        # torch's unit normal makes the embedding drown what the blocks add at this width.
        nn.init.normal_(self.characters.weight, std=0.1)
        nn.init.normal_(self.places.weight, std=0.1)

    def forward(self, text: Tensor) -> Tensor:
        """Score every next character: (batch, length) numbers -> (batch, length, vocabulary)."""
        hidden = self.characters(text) + self.places.weight[: text.shape[1]]
        scores: Tensor = self.scores(self.norm(self.blocks(hidden)))
        return scores


class _Block(nn.Module):
    def __init__(self, width: int, num_heads: int = 4) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm = nn.LayerNorm(width)
        self.mixing = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.thinking = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, hidden: Tensor) -> Tensor:
        parts = self.mixing(self.attention_norm(hidden)).unflatten(2, (3, self.num_heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        hidden = hidden + self.out(seen.transpose(1, 2).flatten(2))
        result: Tensor = hidden + self.thinking(hidden)
        return result


def _loss(model: nn.Module, batch: tuple[Tensor]) -> Tensor:
    (spans,) = batch
    return functional.cross_entropy(model(spans[:, :-1]).flatten(0, 1), spans[:, 1:].flatten())


def _metrics(model: nn.Module, batch: tuple[Tensor]) -> dict[str, tuple[Tensor, int]]:
    (spans,) = batch
    scores, targets = model(spans[:, :-1]).flatten(0, 1), spans[:, 1:].flatten()
    return {
        "loss": (functional.cross_entropy(scores, targets, reduction="sum"), len(targets)),
        "accuracy": ((scores.argmax(1) == targets).sum(), len(targets)),
    }


def _random_spans(text: Tensor, num_steps: int, batch_size: int, seed: int) -> Callable[[int], Iterator[tuple[Tensor]]]:
    reach = torch.arange(CONTEXT + 1)

    def epoch_batches(epoch: int) -> Iterator[tuple[Tensor]]:
        random = generator(seed, epoch)
        for _ in range(num_steps):
            starts = torch.randint(len(text) - CONTEXT, (batch_size, 1), generator=random)
            yield (text[starts + reach],)

    return epoch_batches


def _windows(text: Tensor) -> Tensor:
    """Spans that lie evenly over a text: always the same ones."""
    starts = torch.linspace(0, len(text) - CONTEXT - 1, NUM_WINDOWS).long()
    return text[starts[:, None] + torch.arange(CONTEXT + 1)]


class _Texts(NamedTuple):
    train: Tensor
    val: Tensor
    test: Tensor


@cache
def _texts() -> _Texts:
    return _Texts(*(_numbers("".join(map(_source, modules.split()))) for modules in (TRAIN, VAL, TEST)))


def _numbers(text: str) -> Tensor:
    table = torch.full((128,), VOCABULARY - 1)
    table[[ord(character) for character in ALPHABET]] = torch.arange(len(ALPHABET))
    return table[torch.tensor([ord(character) if character.isascii() else 0 for character in text])]


def _source(module: str) -> str:
    """The source text of a standard module, without running it."""
    spec = importlib.util.find_spec(module)
    loader = None if spec is None else spec.loader
    text = loader.get_source(module) if isinstance(loader, InspectLoader) else None
    if text is None:
        raise TaskError(
            f"source-lm reads the source of the standard module {module!r}, which this Python comes without"
        )
    return text
