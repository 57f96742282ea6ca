"""One warm worker for the whole room: torch is loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stepwell.learn.worker import Worker


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    with Worker() as warm:
        warm.start()
        yield warm
