"""Learning-rate schedules as values: text, phases and curves. No torch."""

from stepwell.schedule.control import Controller, Greedy, GreedyState, Plateau, PlateauState
from stepwell.schedule.curve import Curve
from stepwell.schedule.length import Horizon, Length, Unit
from stepwell.schedule.recipes import RECIPES, Recipe, schedule
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse

__all__ = [
    "RECIPES",
    "Controller",
    "Curve",
    "Greedy",
    "GreedyState",
    "Horizon",
    "Length",
    "Plateau",
    "PlateauState",
    "Recipe",
    "Schedule",
    "Unit",
    "parse",
    "schedule",
]
