"""Tasks by name, by file and by module; every mistake in them has one clear sentence with the user's line."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from stepwell.errors import TaskError
from stepwell.record.trial import TaskRef
from stepwell.tasks.load import BUILTIN, load_task, reference, written

GOOD = """
    import torch
    from torch import nn
    from stepwell.tasks.task import Workload
    from stepwell.tasks.parts import class_metrics, cross_entropy, in_order, seeded, shuffled

    def points(seed, *, width=4, share=0.5, fast=True, kind="plain"):
        data = (torch.linspace(-1, 1, 12).reshape(6, 2), torch.tensor([0, 1] * 3))
        return Workload(
            model=seeded(seed, lambda: nn.Linear(2, 2)), loss=cross_entropy, train=shuffled(data, 3, seed),
            steps_per_epoch=2, val=in_order(data), metrics=class_metrics,
        )

    def _private(seed): ...
    answer = 42
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text))


def test_builtin_names_load() -> None:
    for name in set(BUILTIN) - {"mnist-cnn"}:
        assert load_task(name)(0).steps_per_epoch > 0


@pytest.mark.parametrize("name", ["mine.py:points", "sub/mine.py:points", "mine:points", "package.inner:points"])
def test_a_users_function_loads(folder: Path, name: str) -> None:
    for file in ("mine.py", "sub/mine.py", "package/inner.py", "package/__init__.py"):
        write(folder / file, GOOD if not file.endswith("__init__.py") else "")
    for module in ("mine", "package", "package.inner"):
        sys.modules.pop(module, None)
    assert load_task(name)(0).steps_per_epoch == 2
    assert str(folder) not in sys.path


def test_a_reference_is_plain_data_that_loads_again(folder: Path) -> None:
    write(folder / "mine.py", GOOD)
    ref = reference("mine.py:points,width=8")
    assert ref == TaskRef("mine.py:points", {"width": 8}, ref.source_hash)
    assert load_task(ref).arguments == {"width": 8}
    assert written(ref) == "mine.py:points,width=8"


def test_the_hash_follows_the_file_and_what_it_imports_beside_it(folder: Path) -> None:
    write(
        folder / "mine.py",
        "import json, torch\nimport model\nfrom deep.layers import anything\n" + textwrap.dedent(GOOD),
    )
    write(folder / "model.py", "x = 1\n")
    write(folder / "deep/layers.py", "anything = 1\n")
    write(folder / "unrelated.py", "x = 1\n")
    before = reference("mine.py:points")
    write(folder / "unrelated.py", "x = 2\n")
    assert reference("mine.py:points") == before
    for file in ("mine.py", "model.py", "deep/layers.py"):
        old = (folder / file).read_text()
        write(folder / file, old + "# edited\n")
        assert reference("mine.py:points").source_hash != before.source_hash, file
        with pytest.raises(TaskError, match="was edited after this comparison began"):
            load_task(before)
        write(folder / file, old)
    assert reference("mine.py:points") == before


def test_the_hash_of_an_installed_module_is_quick_and_steady() -> None:
    assert reference("json.decoder:JSONDecoder") == reference("json.decoder:JSONDecoder")
    assert reference("torch.nn.functional:relu").source_hash


def test_an_edited_file_and_its_neighbours_are_imported_anew(folder: Path) -> None:
    write(
        folder / "mine.py",
        "import model\n" + textwrap.dedent(GOOD).replace("steps_per_epoch=2", "steps_per_epoch=model.STEPS"),
    )
    write(folder / "model.py", "STEPS = 2\n")
    assert load_task("mine.py:points")(0).steps_per_epoch == 2
    write(folder / "model.py", "STEPS = 33\n")
    assert load_task("mine.py:points")(0).steps_per_epoch == 33
    # Another folder's neighbour of the same name is another module.
    write(folder / "other/mine.py", (folder / "mine.py").read_text())
    write(folder / "other/model.py", "STEPS = 444\n")
    assert load_task("other/mine.py:points")(0).steps_per_epoch == 444


def test_a_users_file_loads_in_a_fresh_process(folder: Path) -> None:
    write(folder / "mine.py", "import model\n" + textwrap.dedent(GOOD))
    write(folder / "model.py", "")
    ref = reference("mine.py:points")
    code = (
        f"from stepwell.record.trial import TaskRef\nfrom stepwell.tasks.load import load_task\nload_task({ref!r})(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)


def test_names_are_known_without_torch() -> None:
    code = "import sys, stepwell.tasks.load as load; load.reference('digits-cnn'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        (
            "digits-cn",
            r"unknown task 'digits-cn' \(did you mean 'digits-cnn'\?\); tasks: digits-cnn, .*module:function",
        ),
        ("", "unknown task ''"),
        ("quark", "unknown task 'quark'; tasks: digits-cnn"),
        ("absent.py:points", r"there is no file 'absent.py'; to write a first one, type: stepwell new task absent.py"),
        ("absent.py", "there is no file 'absent.py'"),
        ("mine.py", r"say which function of mine.py is the task: mine.py:FUNCTION, it has points"),
        ("mine.py:", "unknown task 'mine.py:'"),
        ("mine.py:pionts", r"no function 'pionts' in mine.py \(did you mean 'points'\?\), it has points"),
        ("mine.py:answer", "'mine.py:answer' is a int; a task is a function"),
        ("absent_module:points", r"no module 'absent_module'.*absent_module.py:points"),
        ("no.such.module:points", r"no module 'no.such.module'"),
        ("sys:exit", "has no Python source file"),
        (".:points", "cannot read|unknown task"),
        (
            "digits-cnn,batch_sise=3",
            r"has no argument 'batch_sise' \(did you mean 'batch_size'\?\); .* label_noise, batch_size",
        ),
        ("digits-cnn,batch_size", r"arguments of a task are written name=value"),
        ("digits-cnn,batch_size=3,batch_size=4", "'batch_size' is given twice"),
        ("digits-cnn,batch_size=many", "batch_size must be a whole number such as 32, got 'many'"),
        ("digits-cnn,batch_size=1.5", "batch_size must be a whole number such as 32, got 1.5"),
        ("digits-cnn,batch_size=true", "batch_size must be a whole number"),
        ("digits-cnn,label_noise=high", "label_noise must be a number such as 0.2, got 'high'"),
        ("mine.py:points,fast=1", "fast must be true or false such as True, got 1"),
        ("mine.py:points,seed=1", "has no argument 'seed'"),
    ],
)
def test_a_wrong_name_is_one_clear_sentence(folder: Path, name: str, complaint: str) -> None:
    write(folder / "mine.py", GOOD)
    with pytest.raises(TaskError, match=complaint) as caught:
        load_task(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("digits-cnn,batch_size=0", "batch_size must be between 1 and the 1000 training examples, got 0"),
        ("digits-cnn,batch_size=1001", "batch_size must be between 1 and the 1000"),
        ("digits-cnn,label_noise=1.5", r"label_noise must be a share .* got 1.5"),
        ("digits-cnn,label_noise=nan", r"label_noise must be a share .* got nan"),
        ("digits-mlp,width=0", "width must be positive, got 0"),
        ("diabetes-mlp,width=-1", "width must be positive, got -1"),
        ("source-lm,width=6", "multiple of 4"),
        ("source-lm,steps_per_epoch=0", "must be positive"),
        ("mnist-cnn,data_dir=no/such/folder", "no train-images-idx3-ubyte.gz"),
    ],
)
def test_an_impossible_argument_is_one_clear_sentence(name: str, complaint: str) -> None:
    with pytest.raises(TaskError, match=complaint):
        load_task(name)(0)


def test_arguments_reach_the_function(folder: Path) -> None:
    write(
        folder / "mine.py",
        "def points(seed, *, share=0.5, kind='x', **rest): raise RuntimeError(repr((share, kind, rest)))\n",
    )
    task = load_task("mine.py:points,share=1,kind=7,fast=true,rate=1e-3")
    with pytest.raises(TaskError, match=r"\(1.0, '7', {'fast': True, 'rate': 0.001}\)"):
        task(0)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x = 1\nimport absent_thing\ndef points(seed): ...\n", r"in mine.py:2, .*ModuleNotFoundError.*absent_thing"),
        ("x = 1\ny = x / 0\ndef points(seed): ...\n", r"in mine.py:2, while .*imported: ZeroDivisionError"),
        ("def points(seed):\n    return (\n", r"in mine.py:2, while .*imported: SyntaxError"),
        ("import sys\nsys.exit('stop')\n", r"in mine.py:2, .*SystemExit: stop"),
        ("import model\n", r"model.py:3, .*ValueError: in the neighbour"),
    ],
)
def test_a_file_that_raises_on_import_names_its_line(folder: Path, text: str, place: str) -> None:
    write(folder / "mine.py", text)
    write(folder / "model.py", "\n\nraise ValueError('in the neighbour')\n")
    with pytest.raises(TaskError, match=place) as caught:
        load_task("mine.py:points")
    assert caught.value.__cause__ is not None


def test_a_module_that_raises_names_its_line(folder: Path) -> None:
    write(folder / "broken_module.py", "\n1 / 0\n")
    with pytest.raises(TaskError, match=r"broken_module.py:2, .*ZeroDivisionError"):
        load_task("broken_module:points")


def test_a_function_that_raises_names_the_deepest_line_of_the_file(folder: Path) -> None:
    write(
        folder / "mine.py",
        "import torch as t\ndef points(seed):\n    return build()\n\ndef build():\n    return t.ones(2) @ t.ones(3)\n",
    )
    with pytest.raises(
        TaskError, match=r"in mine.py:6, while task 'mine.py:points' was called with seed 7: RuntimeError"
    ) as caught:
        load_task("mine.py:points")(7)
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("def points(): ...", r"points in mine.py must take the seed as its first argument: def task\(seed\)"),
        ("def points(*, seed): ...", "must take the seed as its first argument"),
        ("def points(seed, depth): ...", r"needs depth beside the seed; .*type: mine.py:points,depth=VALUE"),
        ("points = 'text'", "is a str; a task is a function"),
        ("points = None\ndef other(seed): ...", "no function 'points' in mine.py.* it has other"),
        ("", "no function 'points' in mine.py, but it has no function"),
        (
            "def points(seed): pass",
            r"must return a stepwell Workload, but returned nothing \(is a `return` missing\?\)",
        ),
        (
            "def points(seed): return {}",
            "must return a stepwell Workload, but returned a dict; look at points in mine.py",
        ),
        ("def points(seed): yield 1", "but returned a generator"),
    ],
)
def test_a_function_of_the_wrong_form(folder: Path, text: str, complaint: str) -> None:
    write(folder / "mine.py", text + "\n")
    with pytest.raises(TaskError, match=complaint):
        load_task("mine.py:points")(0)


def test_a_failed_import_is_tried_again_after_the_edit(folder: Path) -> None:
    write(folder / "mine.py", "1 / 0\n")
    with pytest.raises(TaskError):
        load_task("mine.py:points")
    write(folder / "mine.py", GOOD)
    load_task("mine.py:points")


def test_a_folder_where_a_file_belongs(folder: Path) -> None:
    (folder / "task.py").mkdir()
    with pytest.raises(TaskError, match=r"cannot read 'task.py'"):
        load_task("task.py:points")
