"""What holds for the house as a whole: its public face, its floors, its start."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import stepwell
from stepwell import errors

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def loaded_after(code: str) -> set[str]:
    """The modules that are loaded after the code has run in a fresh interpreter."""
    shown = f"{code}\nimport sys; print('\\n', *sys.modules)"
    ended = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return set(ended.stdout.splitlines()[-1].split())


def command(*arguments: str) -> str:
    return (
        f"import sys; sys.argv = ['stepwell', *{arguments!r}]\n"
        "try:\n    from stepwell.cli import main; main()\nexcept SystemExit as end: assert not end.code, end.code"
    )


def test_the_public_face_is_what_it_says() -> None:
    for name in stepwell.__all__:
        assert getattr(stepwell, name) is not None
    assert len(set(stepwell.__all__)) == len(stepwell.__all__)
    assert set(dir(stepwell)) == {*stepwell.__all__, "__version__"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = stepwell.nothing


def test_public_names_are_documented() -> None:
    for name in stepwell.__all__:
        if name.isupper():
            continue
        assert inspect.getdoc(getattr(stepwell, name)), name


@pytest.mark.parametrize(
    "code",
    [
        "import stepwell",
        command("--help"),
        command("compare", "--help"),
        command("plot", "cosine", "one-cycle", "--total-steps", "50"),
        command("recipes"),
        command("runs", "--help"),
        command("new", "--help"),
        command("learn"),
        command("learn", "list", "cosine"),
        command("learn", "quiz", "--help"),
    ],
)
def test_what_needs_no_torch_does_not_load_it(code: str) -> None:
    assert not {"torch", "matplotlib", "plotly", "sklearn", "scipy"} & loaded_after(code)


def test_importing_the_library_does_not_load_the_command_line() -> None:
    assert not {"typer", "rich", "sqlite3"} & loaded_after("import stepwell")


def test_python_runs_the_package_as_the_command() -> None:
    shown = subprocess.run([sys.executable, "-m", "stepwell", "recipes"], capture_output=True, text=True, check=True)
    assert "one-cycle" in shown.stdout


def test_every_error_hangs_in_the_drawn_tree() -> None:
    drawn = errors.__doc__ or ""
    for name, kind in vars(errors).items():
        if inspect.isclass(kind):
            assert issubclass(kind, errors.StepwellError)
            assert name in drawn


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_swallows_nothing_and_leaves_nothing_undone(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except"
            swallowed = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
            assert not swallowed, f"line {node.lineno}: an exception is swallowed; use contextlib.suppress and say why"
        if isinstance(node, ast.Raise) and path.name != "contract.py":  # a contract is completed by its subclass
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            assert "NotImplementedError" not in names, f"line {node.lineno}: unfinished"
