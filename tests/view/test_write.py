from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stepwell.errors import OutputError
from stepwell.view.write import make_folder, write_file


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert write_file(path, "old") == path.resolve()
    write_file(str(path), "new, with é")
    assert path.read_text(encoding="utf-8") == "new, with é"
    assert os.listdir(tmp_path) == ["report.html"]


def test_others_may_read_it_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_file(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("old")
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    write_file(tmp_path / "link.html", "new")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text() == "new"


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, broken, full)
    with pytest.raises(OutputError, match=r"cannot write .*report\.html.*: no space left on device"):
        write_file(path, "new")
    assert os.listdir(tmp_path) == ["report.html"]
    assert path.read_text() == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a Unix thing")
def test_a_disk_that_really_takes_no_more_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from stepwell.errors import OutputError\n"
        "from stepwell.view.write import write_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_file(sys.argv[1], b'x' * 100_000)\n"
        "except OutputError as error: print(error)\n"
    )
    path = tmp_path / "report.html"
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    assert done.stdout.startswith(f"cannot write {str(path)!r}: file too large")
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="it is a folder"):
        write_file(tmp_path, "")
    with pytest.raises(OutputError, match=r"there is no folder .*make it first"):
        write_file(tmp_path / "missing" / "report.html", "")
    with pytest.raises(OutputError, match="there is no folder"):
        write_file(tmp_path / "file" / "report.html", "")
    with pytest.raises(OutputError, match="not a file"):
        write_file(os.devnull, "")
    with pytest.raises(OutputError, match="cannot make the folder"):
        make_folder(tmp_path / "file" / "pictures")


def test_a_read_only_folder_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", denied)  # root may write anywhere, so the refusal is simulated
    with pytest.raises(OutputError, match="permission denied"):
        write_file(tmp_path / "report.html", "")


def test_text_that_is_not_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    write_file(tmp_path / "odd", "a\udcffb")
    assert (tmp_path / "odd").read_bytes() == b"a?b"
