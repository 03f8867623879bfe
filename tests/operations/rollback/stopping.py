"""A rollback or a restore that is stopped before one of its statements, as an error would stop it."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.operations.rollback.conftest import counted


class StoppedError(Exception):
    pass


def stop() -> None:
    raise StoppedError


def stopped(work: Callable[[], Any], pattern: str, times: int = 1) -> None:
    """Do it, and stop before the n-th statement that is like this."""
    numbers = count(1)

    def look(_: int, statement: str) -> None:
        if re.search(pattern, statement) and next(numbers) == times:
            raise StoppedError

    with pytest.raises(StoppedError):
        counted(work, look)
