"""How long importing Stepwell takes beside importing torch, and what is not imported.

Goals: `import stepwell` takes at most 1/5 of `import torch`; it, `stepwell --help` and `stepwell plot` import no torch.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

REPEATS = 7


def seconds(code: str) -> float:
    """The wall time of a fresh interpreter that runs the code, start-up included."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def loads_torch(code: str) -> bool:
    """Whether torch is imported after the code has run."""
    ended = f"{code}\nimport sys\nsys.exit(3 if 'torch' in sys.modules else 0)"
    return subprocess.run([sys.executable, "-c", ended], stdout=subprocess.DEVNULL, check=False).returncode == 3


def command(*arguments: str) -> str:
    """Code that runs the command line in the same process."""
    call = "from stepwell.cli import main; main()"
    return f"import sys; sys.argv = ['stepwell', *{arguments!r}]\ntry:\n    {call}\nexcept SystemExit:\n    pass"


def main() -> None:
    """Print the table."""
    codes = {
        "python alone": "pass",
        "import torch": "import torch",
        "import stepwell": "import stepwell",
        "stepwell --help": command("--help"),
        "stepwell plot": command("plot", "cosine", "--total-steps", "100"),
    }
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(REPEATS):  # in turn, so that a busy moment hits all
        for name, code in codes.items():
            times[name].append(seconds(code))
    median = {name: statistics.median(some) for name, some in times.items()}
    start = median["python alone"]
    torch_alone = median["import torch"] - start
    print(f"{'':18} {'seconds':>8} {'beside torch':>13}  torch imported")
    for name, code in codes.items():
        share = (median[name] - start) / torch_alone
        print(f"{name:18} {median[name]:8.3f} {share:13.3f}  {'yes' if loads_torch(code) else 'no'}")
    share = (median["import stepwell"] - start) / torch_alone
    print(f"goal: import stepwell at most 0.2 of torch: {share:.3f}")


if __name__ == "__main__":
    main()
