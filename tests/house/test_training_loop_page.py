"""The page about a training loop of one's own: its programs run as they are printed, and do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from printed_code import blocks, execute

FOLDER = Path(__file__).parents[2] / "docs"
PAGE = (FOLDER / "training-loop.md").read_text()
LOOP, RECORDED, LOOKED_AT = blocks(PAGE)


def flat(state: Any) -> list[Any]:
    """The numbers and texts of a state, tensors as lists."""
    if isinstance(state, dict):
        return [item for key, value in state.items() for item in (key, *flat(value))]
    if isinstance(state, list | tuple):
        return [item for value in state for item in flat(value)]
    return [state.tolist()] if isinstance(state, torch.Tensor) else [state]


def test_a_stopped_loop_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir()
    stopped.mkdir()
    (said,) = execute(*LOOP, whole)
    kind, program = LOOP
    first_epochs = program.replace("range(load(), EPOCHS)", "range(load(), 17)")  # the plateau is about to cut
    assert first_epochs != program
    before, after = execute(kind, first_epochs, stopped) + execute(kind, program, stopped)
    assert before + after == said
    one, other = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (whole, stopped))
    assert flat(one) == flat(other)
    assert one["epochs_done"] == len(said.splitlines()) == 20
    assert float(said.split()[-1]) < 3e-3 * 0.01 * 0.5  # the cosine alone ends at a hundredth


def test_the_recorded_run_is_there_to_look_at(tmp_path: Path) -> None:
    (said,) = execute(*RECORDED, tmp_path)
    assert re.search(r"the loss went from \S+ to \S+ in 500 updates", said)
    assert "the highest rate was 0.003" in said
    listed, shown, exported = execute(*LOOKED_AT, tmp_path)
    assert re.search(r"^mlp-0 .* learned +final validation loss 0\.", listed, re.MULTILINE)
    for name in ("loss", "lr", "grad_norm", "val_loss", "val_accuracy", "final_val_accuracy"):
        assert re.search(rf"^{name} ", shown, re.MULTILINE)
    assert exported == "wrote 1 run, 520 rows, to run.csv\n"


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (FOLDER / target).exists(), target
