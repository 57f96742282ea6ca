"""What a request becomes before anything is trained, with a real task that takes no time."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from stepwell import compare
from stepwell.engines.inline import Inline
from stepwell.errors import StepwellError
from stepwell.record.comparison import Comparison
from stepwell.record.store import Store
from stepwell.view.summary import comparison_json

TASK = """
import torch
from stepwell import Workload

def line(seed, *, test=True, groups=False, goal="loss"):
    torch.manual_seed(seed)
    model = torch.nn.Linear(3, 1)
    inputs = torch.randn(40, 3)
    batch = [(inputs, inputs.sum(1, keepdim=True))]

    def error(model, batch):
        return (model(batch[0]) - batch[1]).square().mean()

    def metrics(model, batch):
        value = error(model, batch)
        return {"loss": (value * len(batch[0]), len(batch[0])), "fit": (-value * len(batch[0]), len(batch[0]))}

    return Workload(
        model, error, lambda epoch: batch * 4, 4, val=lambda: batch, metrics=metrics,
        test=(lambda: batch) if test else None,
        groups=(lambda model: [{"params": model.weight}, {"params": model.bias, "lr": 2.0}]) if groups else None,
        goal=("val_loss", "min") if goal == "loss" else ("val_fit", "max"),
    )
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "line.py").write_text(TASK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def few(task: str = "line.py:line", **settings: object) -> Comparison:
    usual: dict[str, object] = {"only": ["constant"], "seeds": 3, "budget": "3ep", "lr": 0.1, "engine": "inline"}
    return compare(task, **usual | settings)  # type: ignore[arg-type]  # passed through


def notes(store: str = "runs.sqlite") -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        few(store=store)
    return [str(warning.message) for warning in caught]


def test_an_edit_is_noticed_once_and_taking_it_back_is_no_edit(folder: Path) -> None:
    assert notes() == []
    (folder / "line.py").write_text(TASK + "\n# edited\n")
    assert ["was edited since its runs were stored; its 9 stored runs are kept" in note for note in notes()] == [True]
    assert notes() == []
    (folder / "line.py").write_text(TASK)
    assert notes() == []


def test_runs_of_another_environment_are_counted_and_kept() -> None:
    few(store="runs.sqlite")
    with Store.open("runs.sqlite") as store:
        for number, summary in enumerate(store.summaries()):
            run = store.load(summary.id)
            store.delete([run.id])
            store.save(replace(run, id=f"there-{number}", settings={**run.settings, "torch": "1.0"}))
    (note,) = notes()
    assert "9 stored runs are kept but not used: made with torch 1.0" in note
    with Store.open("runs.sqlite") as store:
        assert len(store.summaries()) == 18


def test_a_store_is_kept_with_an_engine_that_has_none() -> None:
    few(store="runs.sqlite", engine=Inline())
    with Store.open("runs.sqlite") as store:
        assert len(store.summaries()) == 9


def test_the_environment_of_the_runs_is_reported() -> None:
    settings = few().settings
    assert {"python", "torch", "numpy", "device", "machine", "loop"} <= set(settings)


def test_without_a_test_split_the_validation_split_is_named() -> None:
    comparison = few("line.py:line,test=False")
    assert comparison.metric == "val_loss"
    assert comparison.untrained > comparison["constant"].mean
    assert "No test split" in comparison_json(comparison)["split"]


def test_a_goal_to_maximise_and_groups_reach_the_pasted_code() -> None:
    comparison = few("line.py:line,goal=fit,groups=True", only=["plateau"])
    assert comparison.direction == "max"
    assert "scheduler.observe(-val_fit)" in comparison.recommendation.code
    assert "parameter groups of its own" in comparison.recommendation.code


@pytest.mark.parametrize(
    ("strategy", "settings", "words"),
    [
        (
            "lr: cosine 1..0; momentum: hold =0.95",
            {"options": {"momentum": 0.0}},
            "momentum, which is 0 here",
        ),
        ("lr: cosine 1..0; momentum: hold =0.95", {"optimizer": "sgd"}, "schedules momentum, which 'sgd' lacks"),
        ("lr: hold; wd: hold", {}, "no entry 'wd'.*take it out"),
        ("lr: hold; beta3: hold", {"optimizer": "adam"}, "no entry 'beta3'"),
        ("linear 0..1 for 5tok | hold", {}, "counts tokens, which a comparison does not know"),
        ("hold for 500 | linear to 0", {}, "does not fit 12 updates"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused_by_name_before_training(
    folder: Path, strategy: str, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(StepwellError, match=f"strategy 'mine'.*{words}"):
        few(strategies={"mine": strategy}, only=["mine"], store="runs.sqlite", **settings)
    assert not (folder / "runs.sqlite").exists()


def test_default_strategies_leave_momentum_out_where_there_is_none() -> None:
    comparison = few(only="one-cycle", options={"momentum": 0.0})
    assert [result.strategy.name for result in comparison.ranked] == ["one-cycle"]
    assert "momentum" not in comparison["one-cycle"].strategy.schedule


def test_one_name_is_one_strategy() -> None:
    assert [result.strategy.name for result in few(only="cosine").ranked] == ["cosine"]
