"""Every type of item by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stepwell.learn.items.body import Body
from stepwell.learn.items.card import Card
from stepwell.learn.items.choice import Choice
from stepwell.learn.items.control import Control
from stepwell.learn.items.draw import Draw
from stepwell.learn.items.explain import Explain
from stepwell.learn.items.fix import Fix
from stepwell.learn.items.match import Match
from stepwell.learn.items.multi import Multi
from stepwell.learn.items.numeric import Numeric
from stepwell.learn.items.order import Order
from stepwell.learn.items.tune import Tune
from stepwell.learn.items.write import Write

TYPES: Mapping[str, type[Body]] = MappingProxyType(
    {kind.kind: kind for kind in (Choice, Multi, Numeric, Order, Match, Control, Card, Explain, Draw, Write, Fix, Tune)}
)

KEYED = (Choice, Multi, Numeric, Order, Match, Control, Draw, Write)
"""Types whose answers are compared with a key that a proof gives."""
