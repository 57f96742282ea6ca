from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from stepwell.errors import OutputError
from stepwell.record.comparison import Comparison
from stepwell.view import pictures
from stepwell.view.pictures import write_pictures


def test_every_figure_is_written_as_png_and_svg(comparison: Comparison, tmp_path: Path) -> None:
    paths = write_pictures(comparison, tmp_path / "new" / "pictures")
    names = [f"{key}.{suffix}" for key in ("final", "rates", "losses", "response") for suffix in ("png", "svg")]
    assert [path.name for path in paths] == names
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as image:
                image.verify()
        else:
            assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314 - we wrote it


def test_a_folder_that_cannot_be_made_is_an_error_before_anything_is_written(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "pictures", lambda *_: {"png": b"drawn"})
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        write_pictures(comparison, tmp_path / "file")
