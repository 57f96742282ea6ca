"""IDX files: good, bad, and from a server."""

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from stepwell.errors import TaskError
from stepwell.tasks.builtin.idx import read_idx
from stepwell.tasks.builtin.mnist_files import FILES, download
from stepwell.tasks.load import load_task

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part, count in (("train", 36), ("t10k", 10)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(np.arange(count * 784).reshape(count, 28, 28)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(count) % 10))
    return tmp_path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(7,), (2, 3, 4), (0,), (0, 28, 28)])
def test_an_idx_file_reads_back(tmp_path: Path, packed: bool, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    file = tmp_path / "any.name"
    file.write_bytes(gzip.compress(idx(array), mtime=0) if packed else idx(array))
    np.testing.assert_array_equal(read_idx(file, len(shape)), array)


GOOD = idx(np.arange(6).reshape(1, 2, 3))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "starts with nothing"),
        (b"PNG!" + GOOD, "starts with 50 4e 47 21"),
        (idx(np.arange(6)), r"00 00 08 03 .*starts with 00 00 08 01"),
        (b"\0\0\x0d\x03" + GOOD[4:], "starts with 00 00 0d 03"),
        (GOOD[:10], "ends inside its header: 10 of 16 bytes"),
        (GOOD[:-1], r"is cut off: its header promises 1 x 2 x 3 = 6 bytes of data, it holds 5"),
        (GOOD + b"x", r"is too long: .* it holds 7"),
        (GOOD[:4] + b"\xff" * 12 + GOOD[16:], "is cut off"),
        (gzip.compress(GOOD, mtime=0)[:-12], "damaged gzip"),
        (gzip.compress(GOOD, mtime=0)[:12] + b"\xff" * 20, "damaged gzip|cannot read"),
        (b"\x1f\x8b", "damaged gzip"),
    ],
)
def test_a_bad_idx_file_is_one_clear_error(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "bad-images"
    file.write_bytes(content)
    with pytest.raises(TaskError, match=complaint) as caught:
        read_idx(file, 3)
    assert str(file) in str(caught.value)


def test_files_are_found_by_argument_and_by_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_argument = load_task(f"mnist-cnn,batch_size=4,data_dir={folder}")(0)
    monkeypatch.setenv("STEPWELL_DATA", str(folder))
    by_environment = load_task("mnist-cnn,batch_size=4")(0)
    assert by_argument.steps_per_epoch == by_environment.steps_per_epoch == 33 // 4
    assert [len(images) for images, _ in by_environment.val()] == [3]
    fewer = load_task("mnist-cnn,batch_size=4,num_train=8")(0)
    assert fewer.steps_per_epoch == 2


def test_the_folder_of_torchvision_is_understood(folder: Path) -> None:
    raw = folder / "other" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in folder.glob("*ubyte"):
        file.rename(raw / file.name)
    assert load_task(f"mnist-cnn,batch_size=4,data_dir={folder / 'other'}")(0).steps_per_epoch == 8


def test_a_missing_file_says_which_and_how_to_get_it(folder: Path) -> None:
    (folder / LABELS).unlink()
    with pytest.raises(TaskError, match=rf"no {LABELS}.gz \(or {LABELS}\) in .*unset data_dir and STEPWELL_DATA"):
        load_task(f"mnist-cnn,data_dir={folder}")(0)


@pytest.mark.parametrize(
    ("name", "array", "complaint"),
    [
        (LABELS, np.arange(35) % 10, "has 36 images, but .* has 35 labels"),
        (IMAGES, np.zeros((36, 28, 27)), "images of 28 x 27 pixels; MNIST has 28 x 28"),
        (LABELS, np.arange(36), "labels from 0 to 9, got"),
        (IMAGES, np.zeros((36, 28)), "magic number"),
    ],
)
def test_files_that_do_not_fit_each_other(folder: Path, name: str, array: np.ndarray, complaint: str) -> None:
    (folder / name).write_bytes(idx(array))
    with pytest.raises(TaskError, match=complaint):
        load_task(f"mnist-cnn,data_dir={folder}")(0)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
        pass


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}/"
        httpd.shutdown()
        thread.join()


def sums(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*-ubyte")}


def test_files_are_downloaded_once_and_checked(
    folder: Path, server: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("cache") / "mnist"
    assert download(cache, mirrors=[server], files=sums(folder)) == cache
    assert sums(cache) == sums(folder)
    download(cache, mirrors=["http://127.0.0.1:9/"], files=sums(folder))  # there already: no mirror is asked
    assert load_task(f"mnist-cnn,batch_size=4,data_dir={cache}")(0).steps_per_epoch == 8


def test_a_damaged_copy_is_fetched_again(folder: Path, server: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.mktemp("cache")
    (cache / LABELS).write_bytes(b"half a file")
    download(cache, mirrors=[server], files=sums(folder))
    assert sums(cache) == sums(folder)


def test_the_next_mirror_is_tried(folder: Path, server: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.mktemp("cache")
    download(cache, mirrors=[f"{server}missing/", server], files=sums(folder))
    assert sums(cache) == sums(folder)


def test_a_wrong_checksum_is_refused(folder: Path, server: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.mktemp("cache")
    wrong = dict.fromkeys(sums(folder), "0" * 64)
    with pytest.raises(TaskError, match=r"wrong checksum.*STEPWELL_DATA"):
        download(cache, mirrors=[server], files=wrong)
    assert not list(cache.iterdir())


def test_no_server_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"cannot download .*127.0.0.1:9.*ConnectionError"):
        download(tmp_path, mirrors=["http://127.0.0.1:9/"], files={LABELS: "0" * 64})


def test_the_pinned_checksums_are_sha256_of_four_files() -> None:
    assert len(FILES) == 4
    assert all(len(bytes.fromhex(checksum)) == 32 for checksum in FILES.values())
