"""Read IDX files, the format of MNIST: a magic number, the sizes, then the bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stepwell.errors import TaskError

UNSIGNED_BYTES = 8


def read_idx(path: Path, num_dimensions: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, gzipped or not (its first bytes tell, not its name).

    Raises:
        TaskError: it cannot be read, is no IDX file of bytes, has other dimensions, or is too short or too long.

    Reference:
        LeCun, Cortes and Burges, The MNIST database, section "File formats".
    """
    content = _content(path)
    header = 4 + 4 * num_dimensions
    magic = bytes((0, 0, UNSIGNED_BYTES, num_dimensions))
    if content[:4] != magic:
        raise TaskError(
            f"{path} should start with the IDX magic number {magic.hex(' ')} ({num_dimensions} dimensions of unsigned "
            f"bytes), but starts with {content[:4].hex(' ') or 'nothing'}"
        )
    if len(content) < header:
        raise TaskError(f"{path} ends inside its header: {len(content)} of {header} bytes")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", num_dimensions, offset=4))
    expected, found = math.prod(shape), len(content) - header
    if found != expected:
        fault = "is cut off" if found < expected else "is too long"
        raise TaskError(
            f"{path} {fault}: its header promises {' x '.join(map(str, shape))} = {expected} bytes of data, "
            f"it holds {found}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except OSError as error:  # gzip's own BadGzipFile among them
        raise TaskError(f"cannot read {path}: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise TaskError(f"{path} is a damaged gzip file ({error}); download it again") from error
