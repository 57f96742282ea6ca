"""Controllers: feedback that multiplies a schedule. `KINDS` are those that have a text form."""

from stepwell.schedule.control.controller import Controller, is_controller, plain
from stepwell.schedule.control.greedy import Greedy, GreedyState
from stepwell.schedule.control.plateau import Plateau, PlateauState

KINDS: dict[str, type[Plateau] | type[Greedy]] = {"plateau": Plateau, "greedy": Greedy}

__all__ = ["KINDS", "Controller", "Greedy", "GreedyState", "Plateau", "PlateauState", "is_controller", "plain"]
