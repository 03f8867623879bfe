"""What a rollback and a restore work on: the records, on a session beside which no rows are let go."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic_online import OnlineError, Options
from sqlalchemy import URL

from operations.queries import query
from operations.retention import one_at_a_time
from operations.rollback.records import Records, alone
from operations.rollback.way import Way

EVENTS_BY_MONTH = "2.1.0"


@contextmanager
def undisturbed(url: URL, options: Options | None = None, *, sole: bool = False) -> Iterator[Records]:
    """As `alone`, and `sidb maintain` lets no rows go meanwhile. Raises OnlineError where it does."""
    with alone(url, options, sole=sole) as records:
        one_at_a_time.keep_out(records.connection)
        yield records


def refuse_taken_out(records: Records, back: Way) -> None:
    """Raise OnlineError where a month was taken out of the events since it was looked at: a later step stops at it."""
    if EVENTS_BY_MONTH not in (script.revision for script in back.scripts):
        return
    found = [name for (name,) in records.connection.execute(query("preflight/partitions_taken_out"))]
    if found:
        raise OnlineError(
            f"{', '.join(found)} was taken out of analytics.analytics_events just now, and is still there; nothing was"
            " changed.",
            "sidb maintain, if retention is letting it go; or attach it again, move it elsewhere, or drop it.",
        )
