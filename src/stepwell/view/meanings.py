"""What the words of a comparison mean, in one line each: the same in the terminal and on the page."""

from __future__ import annotations

import numpy as np

from stepwell.record.comparison import GOOD_REGRET, Comparison
from stepwell.record.run import LEARNED_SHARE
from stepwell.view.numbers import decimals_for, metric
from stepwell.view.words import FAILING_REGRET, FINE_REGRET, goal_of, readable, to_target


def arrival(comparison: Comparison) -> str:
    """What the steps to the target are, with the comparison's own example of a strategy not all of whose runs arrived.

    Example of one: `310 (6/8): 6 of 8 seeds arrived`.
    """
    if not np.isfinite(comparison.target):
        return "nothing learned, so there is no target"
    goal = f"{readable(goal_of(comparison))} of {metric(comparison.target, decimals_for(comparison.resolution))}"
    meaning = f"median steps to a {goal}, over the seeds that arrived; looked at once per epoch"
    for result in comparison.results:
        arrived = int(np.isfinite(result.steps_to_target).sum())
        if 0 < arrived < len(result.runs):
            return f"{meaning}; {to_target(result)}: {arrived} of {len(result.runs)} seeds arrived"
    return meaning


def verdict(comparison: Comparison) -> str:
    """What it is to be possibly the best, or worse."""
    shown = "these seeds do not show that another is better"
    return f"may be best: {shown}; worse by: mean difference to {comparison.leader}"


def good(comparison: Comparison) -> str:
    """What a good rate is."""
    return (
        f"highest / lowest good rate, at which all {len(comparison.tuning_seeds)} short runs learned and lost at most "
        f"{GOOD_REGRET:.0%} of what training gains"
    )


def at_twice() -> str:
    """What `still fine`, `worse` and `fails` are."""
    return (
        f"full runs at twice its best rate, on one tuning seed or more; still fine: lost at most {FINE_REGRET:.0%} of "
        f"what training gains; worse: at most {FAILING_REGRET:.0%}; fails: more"
    )


def endings(comparison: Comparison) -> str:
    """When a run learned, did not learn, or diverged."""
    goal, share = goal_of(comparison), f"{LEARNED_SHARE:.0%}"
    ways = [f"validation loss at least {share} below the untrained network's"]
    if comparison.direction == "max":
        ways.append(f"{readable(goal)} gained {share} of what there was to gain")
    elif goal != "val_loss":
        ways.append(f"{readable(goal)} {share} below")
    return (
        f"learned: {', or '.join(ways)}; did not learn: less than that; diverged: a number was not finite, or the "
        "training loss ended far above its beginning"
    )
