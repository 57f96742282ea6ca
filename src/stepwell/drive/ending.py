"""How a recorded run ended, where its loop does not say."""

from __future__ import annotations

import numpy as np

from stepwell.record.columns import num_rows
from stepwell.record.run import Columns, Ending, Outcome


def completed(outcome: Outcome | Ending | None, columns: Columns) -> Outcome:
    """The outcome as given, with words where there are none; from the losses alone if nothing is given.

    Diverged if the last loss is not finite; did not learn if the median of the last tenth is not below that of the
    first tenth.

    Example:
        >>> completed(None, {"loss": np.array([2.0, 1.5, 1.0])}).words
        'the loss went from 2 to 1 in 3 updates'
    """
    count = num_rows(columns)
    match outcome:
        case Outcome():
            return outcome
        case Ending():
            return Outcome(outcome, count, f"{outcome.value} after {count} updates")
        case None if count == 0:
            return Outcome(Ending.NOT_LEARNING, 0, "no update was made")
    losses = columns["loss"]
    if not np.isfinite(losses[-1]):
        return Outcome(Ending.DIVERGED, count, f"the loss is {losses[-1]:g} at step {count - 1}")
    tenth = -(-count // 10)
    first, last = float(np.median(losses[:tenth])), float(np.median(losses[-tenth:]))
    ending = Ending.FINISHED if last < first else Ending.NOT_LEARNING
    return Outcome(ending, count, f"the loss went from {first:.4g} to {last:.4g} in {count} updates")
