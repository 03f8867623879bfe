"""The fingerprint of Phase 1's data: what each niche was at a moment of the rollout, to prove later that it still is.

The plan promises that Phase 1's rows come through the migration and its rollback ("Verify data integrity"). Phase 1's
programs write meanwhile, and give what they write another `updated_at`: such rows are counted, not judged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from backfill.pacing import Throttle
from operations.bookkeeping import FINGERPRINT, open_records
from operations.queries import query

BEFORE_UPGRADE = "before upgrade"
BEFORE_ROLLBACK = "before rollback"
PIECE = 20_000  # niches
LOWEST = -(2**63)  # a key below all


@dataclass(frozen=True)
class Comparison:
    """The rows of `features` beside those of the moment.

    `touched` have another `updated_at`; `older`, new ones among them, one from before `oldest_open`, when the oldest
    transaction began that was open at the moment (None: not known, and none of them is found): all that a program of
    Phase 1 wrote since has a newer one, which is its transaction's start; `altered` have the same one and other values,
    which no program of Phase 1 does; `vanished` are there no longer, `new` were not there. The keys are those of ten at
    most.
    """

    taken_at: datetime
    oldest_open: datetime | None
    unchanged: int
    touched: int
    altered: int
    vanished: int
    new: int
    older: int
    older_keys: list[int]
    altered_keys: list[int]
    vanished_keys: list[int]

    @property
    def holds(self) -> bool:
        """Whether nothing but the application's own writing has changed Phase 1's rows."""
        return not (self.altered or self.vanished or self.older)


def take(connection: psycopg.Connection[Any], moment: str, throttle: Throttle | None = None) -> int:
    """Keep what each niche is now; the number of niches. It replaces an earlier one of the same moment, or nothing.

    Reads in pieces, rests between them where there is a `throttle`, and locks `features` as a query does. What is
    written meanwhile is kept as it is when its piece is read. Raises psycopg's errors, and leaves no half of it.
    """
    parameters = {"moment": moment}
    throttle = throttle or Throttle()
    with connection.transaction():
        open_records(connection, FINGERPRINT)
        connection.execute(query("fingerprint/begin"), parameters)
        connection.execute(query("fingerprint/clear"), parameters)
        lower, niches = LOWEST, 0
        while True:
            with throttle.piece():
                piece = {**parameters, "lower": lower, "rows": PIECE}
                row = connection.execute(query("fingerprint/take"), piece).fetchone()
            if row is None or row[1] is None:
                return niches
            niches, lower = niches + row[0], row[1]


def compare(connection: psycopg.Connection[Any], moment: str) -> Comparison | None:
    """Phase 1's rows as they are, beside the fingerprint of the moment; None: it was never taken.

    Raises psycopg's errors: this role may not read it, or `features` is not there.
    """
    with connection.transaction():
        if not _exists(connection):
            return None
        with connection.cursor(row_factory=class_row(Comparison)) as cursor:
            return cursor.execute(query("fingerprint/compare"), {"moment": moment}).fetchone()


def _exists(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(query("fingerprint/exists")).fetchone()
    return bool(row and row[0])
