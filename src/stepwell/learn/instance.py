"""An item as it appears once: its parameters drawn and its parts shuffled by a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from stepwell.learn.course import Item
from stepwell.learn.parameters import Value
from stepwell.learn.proof import TrainingProof
from stepwell.learn.template import render


@dataclass(frozen=True, slots=True)
class Instance:
    """An item with a seed; the same seed gives the same values in the same order.

    Args:
        values: the parameters.
        order: part `order[n]` of the content is shown at place n.
    """

    item: Item
    seed: int
    values: Mapping[str, Value]
    order: tuple[int, ...]

    @property
    def names(self) -> dict[str, Any]:
        """What texts and claims may use before anything is measured."""
        names: dict[str, Any] = dict(self.values)
        if isinstance(self.item.proof, TrainingProof):
            names["margin"] = self.item.proof.margin
        return names

    @property
    def question(self) -> str:
        """The question, filled in."""
        return render(self.item.question, self.names)

    @property
    def hints(self) -> list[str]:
        """The hints, from the gentlest."""
        return [render(hint, self.names) for hint in self.item.hints]


def instance(item: Item, seed: int, number: int | None = None) -> Instance:
    """The appearance of an item under a seed.

    Args:
        item: the item.
        seed: draws parameters and order.
        number: takes this set of parameters instead of the seed's, as the verifier does to see all.
    """
    values = item.parameters.values(item.parameters.number_of(item.id, seed) if number is None else number)
    order = list(range(item.body.parts))
    Random(f"{item.id}/{seed}/order").shuffle(order)
    return Instance(item, seed, values, tuple(order))
