"""Durations, sizes and lists: the one way to read and to write them."""

import re
from collections.abc import Sequence

from alembic_online.errors import UsageError

UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600}


def parse_duration(text: str, where: str) -> float:
    """Seconds of "90s", "10min" or "2h"; UsageError names `where` it was written."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)", text)
    if not found:
        raise UsageError(f"{where} is {text!r}, which is not a time.", "write it as 90s, 10min or 2h.")
    return float(found[1]) * UNITS[found[2]]


def parse_choice(text: str, words: Sequence[str], where: str) -> str:
    """One of the words; UsageError names `where` it was written."""
    if text not in words:
        raise UsageError(f"{where} is {text!r}, which is not understood.", f"write {' or '.join(words)}.")
    return text


def size(amount: float) -> str:
    """Bytes in the unit that fits them; of growth, the sign stays: 512 bytes, 20.1 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(amount) < 999.5:
            return f"{amount:.0f} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:,.3g} TB"


def duration(seconds: float) -> str:
    """A time in the unit that fits it: 12 ms, 1.5 s, 12 min, 3 h, 2 days."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for unit, limit, name in ((1, 120, "s"), (60, 7200, "min"), (3600, 172_800, "h")):
        if seconds < limit:
            return f"{seconds / unit:.1f} s" if name == "s" else f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} days"


def listed(items: Sequence[str], most: int = 3) -> str:
    """The first items of a list, and how many more there are."""
    more = f", and {len(items) - most} more" if len(items) > most else ""
    return "; ".join(items[:most]) + more
