"""A run as a JSON document, and back. Strict JSON, exact numbers: what is read equals what was written.

Where only numbers can stand (columns, results, rates) a number that JSON lacks is the text `"nan"`, `"inf"` or
`"-inf"`, which `float()` and data frames read. In `settings`, where text may stand as well, it is `{"float": "nan"}`.
Tuples in `settings` come back as lists.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from stepwell.errors import StoreError
from stepwell.record.run import Columns, Ending, Outcome, Run
from stepwell.schedule.length import Horizon


def run_to_json(run: Run) -> dict[str, Any]:
    """The run as plain data that `json.dumps(..., allow_nan=False)` takes.

    Raises:
        StoreError: `settings` holds something that JSON cannot.
    """
    return {
        "id": run.id,
        "name": run.name,
        "outcome": {"ending": run.outcome.ending.value, "step": run.outcome.step, "words": run.outcome.words},
        "task": run.task,
        "optimizer": run.optimizer,
        "schedule": run.schedule,
        "horizon": None if run.horizon is None else asdict(run.horizon),
        "base_lr": None if run.base_lr is None else number_to_json(run.base_lr),
        "seed": run.seed,
        "settings": settings_to_json(run.settings),
        "results": {name: number_to_json(value) for name, value in run.results.items()},
        "columns": _columns_to_json(run.columns),
        "evals": _columns_to_json(run.evals),
    }


def run_from_json(document: Mapping[str, Any]) -> Run:
    """The run that `run_to_json` wrote.

    Raises:
        StoreError: the document is not a run.
    """
    try:
        outcome, horizon, base_lr = document["outcome"], document["horizon"], document["base_lr"]
        return Run(
            id=document["id"],
            name=document["name"],
            outcome=Outcome(Ending(outcome["ending"]), outcome["step"], outcome["words"]),
            columns=_columns_from_json(document["columns"]),
            evals=_columns_from_json(document["evals"]),
            results={name: float(value) for name, value in document["results"].items()},
            schedule=document["schedule"],
            horizon=None if horizon is None else Horizon(**horizon),
            base_lr=None if base_lr is None else float(base_lr),
            optimizer=document["optimizer"],
            task=document["task"],
            seed=document["seed"],
            settings=settings_from_json(document["settings"]),
        )
    except KeyError as error:
        raise StoreError(f"a run as JSON needs the key {error}; write it with `stepwell runs export`") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"this is not a run as `stepwell runs export --format json` writes it: {error}") from error


def number_to_json(value: float) -> float | str:
    """A finite number as it is, the others as `"nan"`, `"inf"`, `"-inf"`; `float()` reads both."""
    return value if math.isfinite(value) else str(float(value))


def settings_to_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as strict JSON values.

    Raises:
        StoreError: a value that JSON does not have; the message says where it stands.
    """
    return {name: _to_json(value, name) for name, value in _text_keys(settings, "settings")}


def settings_from_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that `settings_to_json` wrote."""
    return {name: _from_json(value) for name, value in settings.items()}


def dumps(document: object) -> str:
    """The document as one line of strict JSON."""
    return json.dumps(document, allow_nan=False, separators=(",", ":"))


def _to_json(value: object, place: str) -> Any:
    match value:
        case float():
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        case None | bool() | int() | str():
            return value
        case Mapping():
            return {name: _to_json(inner, f"{place}.{name}") for name, inner in _text_keys(value, place)}
        case list() | tuple():
            return [_to_json(inner, f"{place}[{index}]") for index, inner in enumerate(value)]
        case _:
            raise StoreError(
                f"the setting {place!r} must be a number, a text, a list or a mapping, "
                f"got {type(value).__name__} {value!r}; pass str(...), int(...) or float(...) of it"
            )


def _text_keys(mapping: Mapping[Any, Any], place: str) -> list[tuple[str, Any]]:
    for name in mapping:
        if not isinstance(name, str):
            raise StoreError(f"the names in {place!r} must be texts, got {name!r}; pass str(...) of it")
    return list(mapping.items())


def _from_json(value: object) -> Any:
    match value:
        case {"float": "nan" | "inf" | "-inf" as text, **rest} if not rest:
            return float(text)
        case dict():
            return {name: _from_json(inner) for name, inner in value.items()}
        case list():
            return [_from_json(inner) for inner in value]
        case _:
            return value


def _columns_to_json(columns: Columns) -> dict[str, list[float | str]]:
    return {name: [number_to_json(value) for value in column.tolist()] for name, column in columns.items()}


def _columns_from_json(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: np.array([float(value) for value in column], dtype=np.float64) for name, column in columns.items()}
