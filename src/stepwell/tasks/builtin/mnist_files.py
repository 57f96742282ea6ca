"""Where MNIST's four files come from, and what they must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stepwell.errors import MissingExtraError, TaskError

# SHA-256 of the files as first distributed; the same at every mirror.
FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
# The first home of the files no longer serves them; these are the copies that torchvision and TensorFlow load.
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def download(folder: Path | None = None, *, mirrors: Sequence[str] = MIRRORS, files: Mapping[str, str] = FILES) -> Path:
    """Fetch the files that are not there yet into a folder (the user's cache by default), and return it.

    A file that is there is checked too; one with another checksum is fetched again.

    Raises:
        TaskError: no mirror gives a file with the right checksum.
        MissingExtraError: pooch is not installed.
    """
    try:
        import pooch
    except ImportError as error:
        raise MissingExtraError("pooch", "tasks", "downloading MNIST") from error
    target = Path(pooch.os_cache("stepwell")) / "mnist" if folder is None else folder
    for name, sha256 in files.items():
        _fetch(name, sha256, target, mirrors)
    return target


def _fetch(name: str, sha256: str, folder: Path, mirrors: Sequence[str]) -> None:
    import pooch
    from requests.exceptions import RequestException

    # pooch tells its progress on standard error, where the table of a running comparison is drawn.
    pooch.get_logger().setLevel("ERROR")
    faults = []
    for mirror in mirrors:
        try:
            pooch.retrieve(mirror + name, f"sha256:{sha256}", fname=name, path=folder)
        except RequestException as error:
            faults.append(f"{mirror}: {type(error).__name__}")
        except ValueError:  # pooch's word for a wrong checksum; it has removed the file
            faults.append(f"{mirror}: wrong checksum")
        except OSError as error:
            raise TaskError(f"cannot keep MNIST in {folder}: {error.strerror or error}") from error
        else:
            return
    raise TaskError(
        f"cannot download {name} ({'; '.join(faults)}); "
        "put the four MNIST files into a folder and type: export STEPWELL_DATA=FOLDER"
    )
