"""A search for a rate in words: the same sentences in the terminal, on the page and in the JSON."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from stepwell.record.suggestion import Fate, LrSuggestion, Probe, Verdict
from stepwell.view.numbers import ABSENT, count, decimals_for, listing, rate, times

_NEXT = {
    Verdict.FOUND: "",
    Verdict.NO_SIGNAL: "Look at the loss and the data first.",
    Verdict.WIDEN_UP: "The best rate may lie above those tried: give a larger budget, or a higher --high (high=).",
    Verdict.WIDEN_DOWN: "The best rate may lie below those tried: give a larger budget, or a lower --low (low=).",
    Verdict.DISAGREE: "Choose what you mean: --metric loss or --metric val (metric=).",
}
_SO_FAR = {
    Verdict.WIDEN_UP: "a higher rate may be better",
    Verdict.WIDEN_DOWN: "a lower rate may be better",
    Verdict.DISAGREE: "validation is better at another rate",
}

_UNKNOWN = "not known: nothing was trained at one rate"


@dataclass(frozen=True, slots=True)
class RateRow:
    """What is known of one rate: its longest short runs.

    Args:
        rate: of the first parameter group.
        steps: updates of these runs.
        seeds: on which they were made.
        score: their mean score; that of the runs that finished.
        fate: how they ended.
        place: `suggested`, `good` (inside the interval), or empty.
    """

    rate: float
    steps: int
    seeds: tuple[int, ...]
    score: float
    fate: str
    place: str


def headline(suggestion: LrSuggestion) -> str:
    """The answer in a few words, and on what it rests if that is a single start."""
    if not math.isfinite(suggestion.lr):
        return f"No rate found: {suggestion.verdict.value}."
    rests = f" (tried {suggestion.basis})" if suggestion.basis and suggestion.probes else ""
    if suggestion.verdict is Verdict.FOUND:
        return f"Use {rate(suggestion.lr)}{rests}."
    return f"{rate(suggestion.lr)} for now; {_SO_FAR.get(suggestion.verdict, suggestion.verdict.value)}{rests}."


def asked(suggestion: LrSuggestion) -> tuple[str, ...]:
    """What was asked: the task, the optimizer, the schedule and the metric."""
    return (
        suggestion.task,
        suggestion.optimizer,
        suggestion.schedule,
        f"judged by the {score_words(suggestion)}",
    )


def score_words(suggestion: LrSuggestion) -> str:
    """What rates were ranked by."""
    return "validation loss" if suggestion.metric == "val" else "training loss"


def facts(suggestion: LrSuggestion) -> dict[str, str]:
    """The numbers of the answer, each with what it means."""
    return {
        "Rate": rate(suggestion.lr) if math.isfinite(suggestion.lr) else "none",
        "Verdict": ", ".join(filter(None, (suggestion.verdict.value, suggestion.basis))),
        "Good rates": interval(suggestion),
        "Failure edge": edge(suggestion),
        "Seeds": spread(suggestion),
        **({"Groups": groups(suggestion)} if groups(suggestion) else {}),
        "Spent": f"{count(suggestion.spent)} of {count(suggestion.budget)} steps",
    }


def interval(suggestion: LrSuggestion) -> str:
    """The rates that are as good as the best."""
    if not suggestion.probes:
        return _UNKNOWN
    low, high = suggestion.low, suggestion.high
    if not math.isfinite(low + high):
        return "none found"
    if low == high:
        return f"{rate(low)} alone"
    return f"{rate(low)} to {rate(high)} ({times(high / low)})"


def edge(suggestion: LrSuggestion) -> str:
    """Where training fails, and how far that is from the suggestion."""
    if not suggestion.probes:
        return _UNKNOWN
    if not math.isfinite(suggestion.edge):
        if not math.isfinite(suggestion.lr):
            return "none seen"
        tried = any(probe.lr > suggestion.lr for probe in suggestion.probes)
        return "no rate above it was seen to fail" if tried else "no rate above it was tried"
    away = suggestion.edge / suggestion.lr
    return rate(suggestion.edge) + (f" ({times(away)} the suggestion)" if math.isfinite(away) else "")


def spread(suggestion: LrSuggestion) -> str:
    """How far the best rates of the seeds lie apart."""
    if not suggestion.probes:
        return _UNKNOWN
    if suggestion.seeds == "nothing":
        return "none that differ, so nothing is known of their spread"
    if not math.isfinite(suggestion.spread):
        return "fewer than two, so nothing is known of their spread"
    if suggestion.spread == 1:
        return "all have the same best rate"
    return f"their best rates lie {times(suggestion.spread)} apart"


def seeds_varied(suggestion: LrSuggestion) -> str:
    """What seeds stood for in this search, in one sentence."""
    match suggestion.seeds:
        case "data order":
            return (
                "Each seed is another order of the data alone: the model was given as it is, with its one "
                "initialisation, so nothing is known of others."
            )
        case "nothing":
            return "All seeds are alike: every one gave the same batches from the same start."
    return "Each seed is another initialisation and another order of the data."


def groups(suggestion: LrSuggestion) -> str:
    """What the rate means for further parameter groups; empty where all have the same."""
    others = suggestion.ratios[1:]
    if all(ratio == suggestion.ratios[0] for ratio in others):
        return ""
    return f"the rate is the first group's; the others train at {listing([times(ratio) for ratio in others])} of it"


def tolerance(suggestion: LrSuggestion) -> str:
    """What counts as good, in one sentence."""
    what = "it" if suggestion.moved == 1 else f"a short run at {times(1 / suggestion.moved)} of it"
    return (
        f"A rate is good if {what} lowered the {score_words(suggestion)} by at least {1 - suggestion.tolerance:.0%} of "
        "what the best rate lowered it by."
    )


def score_meaning(suggestion: LrSuggestion) -> str:
    """What the column of scores is, in one sentence."""
    return (
        f"The {score_words(suggestion)} is that after the last update, on batches that are the same for all rates, and "
        "the mean over the seeds; compare it between runs of equally many updates."
    )


def advice(suggestion: LrSuggestion) -> str:
    """What to do where the verdict is not `found`, or where memory ran out; empty where neither is so."""
    lost = sum(probe.fate is Fate.FAILED for probe in suggestion.probes)
    many = f"{lost} of {len(suggestion.probes)} short runs ran out of memory, which says nothing of their rates: "
    memory = f"{many}make room, or take smaller batches, and search again." if lost else ""
    return " ".join(filter(None, (memory, _NEXT[suggestion.verdict])))


def rate_rows(suggestion: LrSuggestion) -> list[RateRow]:
    """A row per rate, ascending."""
    found = []
    ordered = sorted(suggestion.probes, key=lambda probe: (probe.lr, -probe.steps))
    for _, same in groupby(ordered, key=lambda probe: probe.lr):
        runs = list(same)
        found.append(_row(suggestion, [run for run in runs if run.steps == runs[0].steps]))
    return found


def probe_fate(probe: Probe) -> str:
    """How one run ended."""
    return probe.words if probe.fate is not Fate.FINISHED and probe.words else probe.fate.value


def score_decimals(suggestion: LrSuggestion) -> int:
    """How many decimals of a score tell rates apart: a thousandth of what the best one gained."""
    scores = [probe.score for probe in suggestion.probes if math.isfinite(probe.score)]
    gained = suggestion.initial - min(scores, default=math.nan)
    return decimals_for(gained / 1000)


def _row(suggestion: LrSuggestion, runs: list[Probe]) -> RateRow:
    scores = [run.score for run in runs if math.isfinite(run.score)]
    ends = Counter(run.fate for run in runs)
    lost = [f"{ends[fate]} of {len(runs)} {fate.value}" for fate in (Fate.DIVERGED, Fate.FAILED) if ends[fate]]
    lr = runs[0].lr
    near = suggestion.low * (1 - 1e-9) <= lr <= suggestion.high * (1 + 1e-9)
    place = "suggested" if math.isclose(lr, suggestion.lr) else "good" if near else ""
    fate = runs[0].fate.value if len(ends) == 1 else ", ".join(lost)
    mean = sum(scores) / len(scores) if scores else math.nan
    return RateRow(lr, runs[0].steps, tuple(run.seed for run in runs), mean, fate or ABSENT, place)
