"""What holds for every test: the same examples at every run, no clock, and a Ctrl-C that works."""

from __future__ import annotations

import signal

from hypothesis import settings

# A shell ignores it for what it starts in the background, and every process of a test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("house", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("house")
