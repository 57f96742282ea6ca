from __future__ import annotations

from dataclasses import replace

import pytest

from stepwell.record.comparison import Comparison
from stepwell.view.method import method, settings_in_words

SETTINGS = {
    "python": "3.11.7",
    "torch": "2.13.0+cpu",
    "numpy": "2.4.6",
    "threads": 1,
    "device": "cpu",
    "machine": "x86_64",
    "system": "Linux",
    "loop": 1,
    "task_arguments": {"noise": 0.1},
    "task_source": "c86c",
    "parameters": 10090,
    "goal": ["val_accuracy", "max"],
    "test_split": True,
    "optimizer_options": {"momentum": 0.9, "weight_decay": 0.0},
}


def test_settings_are_sentences() -> None:
    assert settings_in_words(SETTINGS, task="digits-cnn", optimizer="momentum") == {
        "Task": "digits-cnn with noise 0.1; the digest of its source is c86c.",
        "Goal": "The validation accuracy; higher is better. There is a test split besides.",
        "Network": "10,090 trainable parameters.",
        "Optimizer": "momentum with momentum 0.9 and weight decay 0.",
        "Software": "Python 3.11.7, torch 2.13.0+cpu, numpy 2.4.6 and version 1 of the training loop.",
        "Hardware": "On the CPU of a Linux machine (x86_64) with 1 thread per run.",
    }


@pytest.mark.parametrize("missing", sorted(SETTINGS))
def test_a_setting_that_is_missing_leaves_sentences(missing: str) -> None:
    some = {key: value for key, value in SETTINGS.items() if key != missing}
    for sentence in settings_in_words(some, task="digits-cnn", optimizer="momentum").values():
        assert sentence.endswith(".")
        assert "None" not in sentence
        assert "  " not in sentence


def test_settings_of_ones_own_stand_as_they_are() -> None:
    own = {"weight_noise": 0.5, "layers": [3, 4], "amp": True, "data": {"crop": 32}, "empty": {}}
    assert settings_in_words(own, task=None, optimizer=None) == {
        "Amp": "yes",
        "Data": "crop 32",
        "Empty": "none",
        "Layers": "3 and 4",
        "Weight noise": "0.5",
    }


def test_the_method_of_a_comparison_is_told_in_sentences(comparison: Comparison) -> None:
    rates = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
    decided = SETTINGS | {"goal": "val_loss", "tuning": "auto", "race_rates": rates, "method": "x", "diverged_runs": 7}
    told = method(replace(comparison, settings=decided | {"parameter_groups": False}))
    assert told["Rates"].startswith(
        "Every strategy was tuned on its own, with complete schedules in every run: very short runs, from the middle "
        "of 7 rates from 0.003 to 3 on to wherever they got better; short runs around the best of these; then"
    )
    assert told["Rates"].endswith("This used the seeds 0 and 1.")
    listed = method(replace(comparison, settings=decided | {"tuning": "list"}))["Rates"]
    assert "short runs at 7 rates from 0.003 to 3 of the given list; then the best two of them" in listed
    assert told["Judging"] == (
        "Every strategy was then trained for 620 steps (20 epochs) on the seeds 100 to 107. Tuning never saw them."
    )
    assert "The test loss (lower is better) on a test split that no choice used" in told["Decided on"]
    assert "worse by more than 0.005 in test loss" in told["Margin"]
    assert told["Diverged"] == "7 of 104 judged runs diverged."
    assert told["Network"] == "10,090 trainable parameters, in one group."
    assert not {"Goal", "Method", "Tuning", "Race rates", "Diverged runs", "Test split"} & told.keys()
    assert all(sentence.endswith(".") for sentence in told.values())


def test_without_tuning_margin_or_test_split_it_says_so(comparison: Comparison) -> None:
    told = method(replace(comparison, margin=0.0, metric="val_loss", settings={"tuning": "none", "diverged_runs": 0}))
    assert told["Rates"] == "Every strategy ran at the rate that was given; nothing was tuned."
    assert "Tuning" not in told["Judging"]
    assert "on the validation split, because the task has no test split." in told["Decided on"]
    assert told["Margin"].startswith("None: ")
    assert told["Diverged"] == "None of 104 judged runs diverged."
