"""`stepwell new task` writes a task that trains as it is, and nothing when it cannot."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from stepwell.cli.new import app
from stepwell.errors import OptionError, OutputError, StepwellError
from stepwell.tasks.evaluate import evaluate
from stepwell.tasks.load import load_task
from stepwell.tasks.new import new_task
from stepwell.tasks.preflight import preflight


def test_the_command_writes_a_task_and_says_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "my_task.py"
    result = CliRunner().invoke(app, ["task", str(path)])
    assert result.exit_code == 0
    for command in ("find", "compare"):
        assert f"stepwell {command} {path}:task" in result.output.replace("\n", "")
        assert f"stepwell {command} {path}:task" in path.read_text()
    assert "THIS_FILE" not in path.read_text()


def test_a_path_with_spaces_is_quoted(tmp_path: Path) -> None:
    path = tmp_path / "my task.py"
    result = CliRunner().invoke(app, ["task", str(path)])
    assert f"stepwell compare '{path}:task'" in result.output.replace("\n", "")
    assert f"stepwell compare '{path}:task'" in path.read_text()


def test_the_written_task_learns_at_once(tmp_path: Path) -> None:
    path = tmp_path / "my_task.py"
    new_task(path)
    task = load_task(f"{path}:task,width=16")
    facts = preflight(task, 0)
    assert facts.has_test
    work = task(0)
    optimizer = torch.optim.SGD(work.model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(8):
        for batch in work.train(epoch):
            optimizer.zero_grad()
            work.loss(work.model, batch).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
    after = evaluate(work.model, work.val(), work.metrics, "val")
    assert after["val_loss"] < 0.6 * facts.initial["val_loss"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "my_task.py"
    path.write_text("precious")
    with pytest.raises(OutputError, match=r"is there already and is not overwritten"):
        new_task(path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "kind", "complaint"),
    [
        ("", OptionError, r"is a folder; name the file too: .*task.py"),
        ("my_task", OptionError, r"ending in .py, got .*my_task'; type: .*my_task.py"),
        ("my_task.txt", OptionError, r"ending in .py"),
        ("no/folder/task.py", OutputError, r"there is no folder .*; type: mkdir -p .*no/folder"),
        ("file.py/task.py", OutputError, r"cannot write .*Not a directory"),
    ],
)
def test_an_impossible_place(tmp_path: Path, name: str, kind: type[StepwellError], complaint: str) -> None:
    (tmp_path / "file.py").write_text("")
    with pytest.raises(kind, match=complaint):
        new_task(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match=r"cannot write .*Permission denied"):
        new_task(tmp_path / "task.py")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "task.py"

    really = Path.open

    def full(self: Path, mode: str = "r", **options: Any) -> object:
        if self != path:
            return really(self, mode, **options)
        path.touch()
        return really(Path("/dev/full"), "w", **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match=r"cannot write .*No space left"):
        new_task(path)
    assert not path.exists()


def test_a_name_that_would_break_the_text_still_gives_a_task(tmp_path: Path) -> None:
    path = tmp_path / 'my"""task.py'
    new_task(path)
    load_task(f"{path}:task")(0)


def test_help_starts_without_torch() -> None:
    code = "import sys; import stepwell.cli.new; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
