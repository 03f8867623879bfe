"""Latency: what the clients measured, as percentiles of a stretch of time and as a series for the plot."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from operations.rehearsal.clients import Sample

TURNED_AWAY = ("42501", "57P01", "08006", "42P01", "3F000")
"""What a client sees while a rollback has closed the tables, or has just taken them away."""


@dataclass(frozen=True)
class Latency:
    """A stretch of time as the application saw it: statements sent and answered, times in milliseconds.

    `errors` are by SQLSTATE; `turned_away` were refused while the tables were closed, as they are meant to be.
    """

    statements: int
    per_second: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    longest_ms: float | None
    turned_away: int
    errors: dict[str, int]


@dataclass(frozen=True)
class Bucket:
    """A piece of the plot's time axis, from `at` seconds on: milliseconds, None where nothing was sent."""

    at: float
    statements: int
    p50_ms: float | None
    p99_ms: float | None
    longest_ms: float | None


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which a share of them lies; None of nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def within(samples: Sequence[Sample], since: float, until: float) -> Sequence[Sample]:
    """Those due in a stretch of time; `samples` are in order of when they were due."""
    lower, upper = (bisect_left(samples, moment, key=lambda sample: sample.due) for moment in (since, until))
    return samples[lower:upper]


def measured(samples: Iterable[Sample], seconds: float, *, closed: bool = False) -> Latency:
    """What a stretch of so many seconds was like; `closed`: applications were shut out in it."""
    answered: list[float] = []
    errors: dict[str, int] = {}
    turned_away = sent = 0
    for sample in samples:
        sent += 1
        if sample.error is None:
            answered.append(sample.seconds * 1000)
        elif closed and sample.error in TURNED_AWAY:
            turned_away += 1
        else:
            errors[sample.error] = errors.get(sample.error, 0) + 1
    answered.sort()
    return Latency(
        statements=sent,
        per_second=round(sent / seconds, 1) if seconds else 0.0,
        p50_ms=_ms(percentile(answered, 0.50)),
        p95_ms=_ms(percentile(answered, 0.95)),
        p99_ms=_ms(percentile(answered, 0.99)),
        longest_ms=_ms(answered[-1] if answered else None),
        turned_away=turned_away,
        errors=errors,
    )


def series(samples: Sequence[Sample], since: float, until: float, pieces: int) -> list[Bucket]:
    """So many equal pieces of a stretch of time."""
    length = (until - since) / pieces
    found = []
    for piece in range(pieces):
        begin = since + piece * length
        ordered = sorted(sample.seconds * 1000 for sample in within(samples, begin, begin + length))
        longest = ordered[-1] if ordered else None
        p50, p99 = (_ms(percentile(ordered, share)) for share in (0.50, 0.99))
        found.append(Bucket(round(begin - since, 2), len(ordered), p50, p99, _ms(longest)))
    return found


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
