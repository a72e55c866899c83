"""Waiting for what is to come about: as long as a machine with other work to do may need, and no longer than it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def eventually(check: Callable[[], Found], what: str = "it", seconds: float = 30) -> Found:
    """Asks until the answer is true, and gives that back."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds} s"
        time.sleep(0.05)
    return found
