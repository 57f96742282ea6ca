"""The rate for a model, measured. Importing this room does not import torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_LAZY = {"find_lr": "stepwell.find.search", "How": "stepwell.find.how"}

__all__ = ["How", "find_lr"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'stepwell.find' has no attribute {name!r}")
