"""Events of a loaded file that are gone: deleted, or lost with a table or a backup. A file may bring them back."""

from sqlalchemy import Connection, func, select, text, update

from backfill import identity
from backfill.bookkeeping import alone
from backfill.jobs import EVENT_HISTORY
from backfill.locks import staging
from backfill.queries import query
from backfill.tables import LoadedFile, Range

_ROWS = "SELECT event_timestamp, event_id FROM pg_temp.backfill_without_events"
_FORGET = "DELETE FROM {} AS k USING ({}) AS r WHERE k.event_timestamp = r.event_timestamp AND k.event_id = r.event_id"


def count(connection: Connection, file: LoadedFile) -> int:
    """How many rows of the file, and of other loads of its series, were moved and have no event any more."""
    with connection.begin():
        return _find(connection, file)


def forget(connection: Connection, file: LoadedFile) -> int:
    """Forget these rows, so that the file, loaded again, brings them back; how many."""
    with staging(connection, "load"), connection.begin():
        alone(connection, "load")
        # No worker is at a row that goes.
        connection.execute(select(Range.range_id).order_by(Range.range_id).with_for_update())
        rows = _find(connection, file)
        if rows:
            for table in ("sidb.backfill_events", "sidb.backfill_lines"):
                connection.execute(text(_FORGET.format(table, _ROWS)))
            known = update(LoadedFile).where(LoadedFile.series == file.series, LoadedFile.finished_at.is_not(None))
            connection.execute(known.values(digest=func.concat("replaced ", LoadedFile.file_id)))
        return rows


def _find(connection: Connection, file: LoadedFile) -> int:
    exists = connection.scalar(select(func.to_regclass("analytics.analytics_events").is_not(None)))
    if not exists or identity.another(connection, [EVENT_HISTORY]):  # filled anew by the next run
        return 0
    create = (
        "CREATE TEMPORARY TABLE backfill_without_events (event_timestamp timestamptz, event_id bigint) ON COMMIT DROP"
    )
    connection.execute(text(create))
    return connection.execute(query("without_events"), {"series": file.series}).rowcount
