"""What holds for every test: the same examples at every run, and no clock."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("house")
