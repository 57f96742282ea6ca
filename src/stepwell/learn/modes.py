"""The nine ways to learn."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """A way to go through items; `session` has the rules of each."""

    LEARN = "learn"
    PREDICT = "predict"
    RECALL = "recall"
    PRACTICE = "practice"
    CHALLENGE = "challenge"
    TEST = "test"
    FIX = "fix"
    DESIGN = "design"
    TUNE = "tune"
