"""A small course with an item of every type and enough questions for every mode: fast, and true."""

from __future__ import annotations

import re
from pathlib import Path

from learn_items import head, write_topic

PAGE = (Path(__file__).parents[1] / "docs/authoring.md").read_text()
EXAMPLES = [block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("[[item]]")]

# Proved without torch, so that a process of its own answers at once.
QUICK = """
[item.horizon]
total_steps = 10
[item.proof]
kind = "schedule"
schedules = { rates = "linear 1..0" }
[[item.options]]
text = "It falls"
claim = "rates[0] > rates[-1]"
why = "It begins at {{rates[0]:.3g}}."
[[item.options]]
text = "It rises"
claim = "rates[0] < rates[-1]"
why = "It ends at {{rates[-1]:.3g}}."
[[item.options]]
text = "It stays"
claim = "all(rate == rates[0] for rate in rates)"
"""

TEXT = """
A page with `code` and **bold** words.

```python run
print("hello from the page")
```
```output
hello from the page
```

```curves
total_steps=20 base_lr=0.1
down: cosine 1..0
```
"""


def quick(count: int) -> str:
    """Choices whose first option is right: a third of each difficulty."""
    return "".join(
        head("choice", id=f'"quick-{number}"', difficulty=f'"{("easy", "medium", "hard")[number % 3]}"') + QUICK
        for number in range(count)
    )


def write_course(folder: Path) -> Path:
    """Two topics: `every` has an item of each type, `quick` ten questions that need no torch."""
    cards = "".join(head("card", id=f'"card-{number}"') + 'answer = "It falls."\n' for number in range(2))
    write_topic(folder, "\n".join(EXAMPLES) + quick(6) + cards, "every", TEXT)
    return write_topic(folder, quick(12) + cards, "quick")
