"""Run every benchmark, or those named: `python -m benchmarks imports overhead`."""

from __future__ import annotations

import sys
from importlib import import_module

ALL = ("imports", "recorder", "scheduler_step", "overhead", "decision_level")


def main() -> None:
    """Run the benchmarks one after the other."""
    for name in sys.argv[1:] or ALL:
        if name not in ALL:
            raise SystemExit(f"unknown benchmark {name!r}; known: {', '.join(ALL)}")
        print(f"\n== {name} ==", flush=True)
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
