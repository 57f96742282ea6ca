"""How a comparison or a run was made, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.record.comparison import Comparison
from stepwell.view import words
from stepwell.view.numbers import count, decimals_for, listing, metric, rate, significant

SUBJECTS = ("Task", "Goal", "Network", "Optimizer", "Software", "Hardware")
"""What settings are told about in sentences; any other setting stands as it is."""


def method(comparison: Comparison) -> dict[str, str]:
    """What was done, so that a reader can judge it or do it again: a sentence or two per subject."""
    way = words.tuning(comparison)
    facts = {
        **_rates(comparison),
        "Judging": _judging(comparison) + ("" if way == "none" else " Tuning never saw them."),
        "Decided on": _decided_on(comparison),
        "Decision": "Every strategy is held against the one with the best mean, seed by seed, and the intervals of all "
        "of them hold at once: if several are equally good, the chance of calling any of them worse is at most "
        f"{comparison.alpha:.0%}.",
        "Margin": _margin(comparison),
        "Resolution": words.limits(comparison),
    }
    settings = dict(comparison.settings)
    diverged = settings.pop("diverged_runs", None)
    if isinstance(diverged, int):
        runs = sum(len(result.runs) for result in comparison.results)
        facts["Diverged"] = f"{count(diverged) if diverged else 'None'} of {count(runs)} judged runs diverged."
    for told in ("goal", "method", "tuning", "race_rates", "test_split"):
        settings.pop(told, None)
    settings["optimizer_options"] = dict(comparison.results[0].strategy.options) if comparison.results else {}
    return facts | settings_in_words(settings, task=comparison.task, optimizer=comparison.optimizer)


def settings_in_words(settings: Mapping[str, Any], *, task: str | None, optimizer: str | None) -> dict[str, str]:
    """What reproduces a run, in sentences; what is not known to Stepwell stands as it is.

    Example:
        >>> settings_in_words({"parameters": 10090, "note": "mine"}, task=None, optimizer="momentum")
        {'Network': '10,090 trainable parameters.', 'Note': 'mine'}
    """
    left = dict(settings)
    sentences = (
        _task(left, task),
        _goal(left),
        _network(left),
        _optimizer(left, optimizer),
        _software(left),
        _hardware(left),
    )
    facts = {subject: sentence for subject, sentence in zip(SUBJECTS, sentences, strict=True) if sentence}
    return facts | {_readable(key): _value(value) for key, value in sorted(left.items())}


def _rates(comparison: Comparison) -> dict[str, str]:
    """How the rates were found, and on which seeds."""
    way, tried = words.tuning(comparison), comparison.settings.get("race_rates")
    if way == "none":
        return {"Rates": "Every strategy ran at the rate that was given; nothing was tuned."}
    rates = sorted(float(one) for one in tried) if isinstance(tried, list | tuple) and tried else []
    span = f" from {rate(rates[0])} to {rate(rates[-1])}" if rates else ""
    number = f"{len(rates)} rates{span}" if rates else "a grid of rates" if way == "auto" else "the rates"
    searched = (
        f"very short runs, from the middle of {number} on to wherever they got better; short runs around "
        "the best of these; then the best two of those, and their neighbours,"
        if way == "auto"
        else f"short runs at {number} of the given list; then the best two of them, and their neighbours,"
    )
    return {
        "Rates": f"Every strategy was tuned on its own, with complete schedules in every run: {searched} at full "
        f"length. This used the seeds {_seeds(comparison.tuning_seeds)}."
    }


def _judging(comparison: Comparison) -> str:
    return f"Every strategy was then trained for {words.budget(comparison)} on the seeds {_seeds(comparison.seeds)}."


def _decided_on(comparison: Comparison) -> str:
    decimals, what = decimals_for(comparison.resolution), words.readable(comparison.metric)
    better = "lower" if comparison.direction == "min" else "higher"
    if comparison.metric.startswith("val_"):
        chose = "" if words.tuning(comparison) == "none" else ", which also chose the rates"
        split = f"the validation split{chose}, because the task has no test split"
    else:
        goal = words.readable(words.goal_of(comparison))
        chose = "" if words.tuning(comparison) == "none" else f"; the rates were chosen by {goal}"
        split = f"a test split that no choice used{chose}"
    return (
        f"The {what} ({better} is better) on {split}. A diverged run counts as the untrained network "
        f"({metric(comparison.untrained, decimals)}), or as the worst strategy on its seed that did not diverge if "
        "that is worse."
    )


def _margin(comparison: Comparison) -> str:
    if not comparison.margin:
        return "None: a strategy counts as worse as soon as its interval shows that it is."
    size, what = significant(comparison.margin), words.readable(comparison.metric)
    return f"A strategy counts as worse only if it is worse by more than {size} in {what}."


def _task(left: dict[str, Any], task: str | None) -> str:
    arguments, source = left.pop("task_arguments", None), left.pop("task_source", None)
    if task is None and not arguments and not source:
        return ""
    called = f" with {_pairs(arguments)}" if arguments else ""
    digest = f"; the digest of its source is {source}" if source else ""
    return f"{task or 'Not named'}{called}{digest}."


def _goal(left: dict[str, Any]) -> str:
    goal, has_test = left.pop("goal", None), left.pop("test_split", None)
    split = {True: " There is a test split besides.", False: " There is no test split."}.get(has_test, "")
    if isinstance(goal, list | tuple) and len(goal) == 2:
        better = "lower" if goal[1] == "min" else "higher"
        return f"The {words.readable(str(goal[0]))}; {better} is better.{split}"
    return split.strip()


def _network(left: dict[str, Any]) -> str:
    parameters, groups = left.pop("parameters", None), left.pop("parameter_groups", None)
    if parameters is None and groups is None:
        return ""
    size = "" if parameters is None else f"{count(float(parameters))} trainable parameters"
    grouped = {True: "in groups of the task's own", False: "in one group"}.get(groups, "")
    return f"{', '.join(filter(None, (size, grouped)))}."


def _optimizer(left: dict[str, Any], optimizer: str | None) -> str:
    options = left.pop("optimizer_options", None)
    if optimizer is None or options is None:
        return ""
    return f"{optimizer} with {_pairs(options) if options else 'its usual options'}."


def _software(left: dict[str, Any]) -> str:
    names = {"python": "Python", "torch": "torch", "numpy": "numpy", "loop": "version {} of the training loop"}
    known = {name: left.pop(name) for name in names if left.get(name) is not None}
    parts = [
        names[name].format(value) if "{}" in names[name] else f"{names[name]} {value}" for name, value in known.items()
    ]
    return f"{listing(parts)}." if parts else ""


def _hardware(left: dict[str, Any]) -> str:
    device, machine, system, threads = (left.pop(name, None) for name in ("device", "machine", "system", "threads"))
    parts = []
    if device is not None:
        parts.append("on the CPU" if device == "cpu" else f"on {device}")
    if machine or system:
        kind = f"{system} machine" if system else "machine"
        parts.append(f"{'of' if parts else 'on'} a {kind}" + (f" ({machine})" if machine else ""))
    if threads is not None:
        parts.append(f"with {threads} thread{'' if threads == 1 else 's'} per run")
    sentence = " ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def _readable(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _pairs(values: object) -> str:
    if not isinstance(values, Mapping):
        return str(values)
    return listing([f"{str(name).replace('_', ' ')} {_value(value)}" for name, value in values.items()])


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return significant(value, 6)
    if isinstance(value, list | tuple):
        return listing([_value(item) for item in value])
    if isinstance(value, Mapping):
        return _pairs(value) if value else "none"
    return str(value)


def _seeds(seeds: tuple[int, ...]) -> str:
    if len(seeds) > 2 and seeds == tuple(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    return listing([str(seed) for seed in seeds]) or "none"
