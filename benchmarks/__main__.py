"""Run every benchmark, or those named: `python -m benchmarks imports overhead`. Long ones run only when named."""

from __future__ import annotations

import sys
from importlib import import_module

ALL = ("imports", "recorder", "scheduler_step", "overhead", "decision_level", "learn")
LONG = ("find_regret",)


def main() -> None:
    """Run the benchmarks one after the other."""
    for name in [word for word in sys.argv[1:] if not word.startswith("--")] or ALL:
        if name not in ALL + LONG:
            raise SystemExit(f"unknown benchmark {name!r}; known: {', '.join(ALL + LONG)}")
        print(f"\n== {name} ==", flush=True)
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
