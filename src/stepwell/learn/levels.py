"""Whom an item is for, and how hard it is."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """Whom an item is for."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"
    EXPERT = "expert"


class Difficulty(StrEnum):
    """How hard an item is among those of its level."""

    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"
