"""Every built-in task keeps the contract that users' tasks are held to."""

import gzip
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from stepwell.tasks.builtin.source_lm import source_lm
from stepwell.tasks.contract import TaskContract
from stepwell.tasks.load import BUILTIN, load_task, reference
from stepwell.tasks.task import Task
from stepwell.tasks.template import task as template_task


class TestDigitsCnn(TaskContract):
    task: ClassVar[str] = "digits-cnn"


class TestDigitsMlp(TaskContract):
    task: ClassVar[str] = "digits-mlp,label_noise=0.1"


class TestDiabetesMlp(TaskContract):
    task: ClassVar[str] = "diabetes-mlp"


class TestSourceLm(TaskContract):
    task: ClassVar[str] = "source-lm,width=8,steps_per_epoch=5,batch_size=2"


class TestTemplate(TaskContract):
    task: ClassVar[Task] = template_task


class TestMnistCnn(TaskContract):
    task: ClassVar[str] = "mnist-cnn,batch_size=8"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def small_files(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = write_mnist(tmp_path_factory.mktemp("mnist"))
        cls.task = f"mnist-cnn,batch_size=8,data_dir={folder}"


def write_mnist(folder: Path, num_train: int = 48, num_test: int = 20, gz: bool = True) -> Path:
    random = np.random.default_rng(0)
    for part, count in (("train", num_train), ("t10k", num_test)):
        images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            content = idx(array)
            (folder / f"{name}.gz").write_bytes(gzip.compress(content)) if gz else (folder / name).write_bytes(content)
    return folder


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def test_every_builtin_has_a_contract_test() -> None:
    tested = {str(value.task).split(",")[0] for value in globals().values() if _is_contract_test(value)}
    assert set(BUILTIN) <= tested


def _is_contract_test(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, TaskContract) and value is not TaskContract


@pytest.mark.parametrize("name", [name for name in BUILTIN if name != "mnist-cnn"])
def test_parts_share_no_example(name: str) -> None:
    work = load_task(name)(0)
    assert work.test is not None
    val, test = ({row.numpy().tobytes() for batch in part() for row in batch[0]} for part in (work.val, work.test))
    # Two patients or two scans may be equal by chance, so the parts may share a few rows at most.
    assert len(val & test) <= 1


def test_label_noise_is_in_training_labels_only() -> None:
    clean, noisy = load_task("digits-cnn,label_noise=0")(0), load_task("digits-cnn,label_noise=0.2")(0)
    wrong = [(one[1] != other[1]).float().mean() for one, other in zip(clean.train(0), noisy.train(0), strict=True)]
    assert 0.17 < float(torch.stack(wrong).mean()) < 0.23
    for part in ("val", "test"):
        one, other = (next(iter(getattr(work, part)())) for work in (clean, noisy))
        assert torch.equal(one[1], other[1])


def test_wrong_labels_do_not_follow_the_seed() -> None:
    labels = []
    for seed in (0, 1):
        pairs = [
            (image.numpy().tobytes(), int(label))
            for batch in load_task("digits-cnn")(seed).train(0)
            for image, label in zip(*batch, strict=True)
        ]
        labels.append(dict(pairs))
    shared = labels[0].keys() & labels[1].keys()
    assert len(shared) > 900
    assert all(labels[0][image] == labels[1][image] for image in shared)


def test_untrained_losses_are_those_of_guessing() -> None:
    from stepwell.tasks.preflight import preflight

    assert preflight(load_task("digits-cnn"), 0).initial["test_loss"] == pytest.approx(np.log(10), rel=0.05)
    assert preflight(load_task("diabetes-mlp"), 0).initial["test_loss"] == pytest.approx(1.0, rel=0.3)
    assert preflight(load_task("source-lm,steps_per_epoch=2"), 0).initial["test_loss"] == pytest.approx(
        np.log(97), rel=0.1
    )


def test_a_transformer_sees_no_later_character() -> None:
    model = source_lm(0).model
    text = torch.randint(97, (1, 64), generator=torch.Generator().manual_seed(0))
    changed = text.clone()
    changed[0, 40:] = (changed[0, 40:] + 1) % 97
    with torch.no_grad():
        before, after = model(text), model(changed)
    torch.testing.assert_close(before[:, :40], after[:, :40])
    assert not torch.allclose(before[:, 40:], after[:, 40:])


def test_sources_of_the_two_digit_tasks_differ_but_hold_still() -> None:
    assert reference("digits-cnn") == reference("digits-cnn")
    assert reference("digits-cnn").source_hash != reference("digits-mlp").source_hash
