"""What it means to partition the events (revision 2.1.0): asked before the first step, and by preflight."""

from collections.abc import Iterator, Sequence

from alembic_online import Obstacle, Planned
from alembic_online.quantities import duration
from psycopg.errors import InsufficientPrivilege, ObjectNotInPrerequisiteState
from psycopg.sql import SQL, Identifier

from operations.findings import Check, Finding
from operations.preflight.context import Context, judged
from operations.queries import query

REVISION = "2.1.0"
READ_A_SECOND = 100e6
"""Bytes of the table that are read while its rows are checked against the bound: a guess, on the slow side."""
NAMED = 5
"""Events that are named one by one."""
LOCKS = 262
"""Of a query that reads all months, after three years of them."""

PARTITIONING = Check(
    "partitioning",
    "What revision 2.1.0 meets as it partitions the events: what others have on the table (indexes, foreign keys, "
    "triggers, policies, views, publications), what of ours is missing, ON CONFLICT (event_id); how long rows dated "
    "far ahead would be refused; locks of many months.",
    "see to what is named before the upgrade.",
)


def obstacles(context: Context, steps: Sequence[Planned]) -> Iterator[Obstacle]:
    """What stops the step, and what is worth knowing before it; nothing where it is not among `steps`, or done."""
    directions = {step.direction for step in steps if step.script.revision == REVISION}
    is_plain = context.value("is_plain_table")
    if "downgrade" in directions:
        for row in context.rows("partitions_taken_out"):
            yield Obstacle(
                f"{row.name} was taken out of analytics.analytics_events, and is still there",
                "sidb maintain, if retention is letting it go; or attach it again, move it elsewhere, or drop it",
            )
        yield from _same_ids(context)
    if directions == {"upgrade" if is_plain else "downgrade"}:
        made = set().union(*(step.lines for step in steps))
        for row in context.rows("events_parts"):
            if f"added {row.missing}" in made:  # by an earlier step
                continue
            again = f"{row.afterwards};\n" if row.afterwards else ""
            yield Obstacle(row.what, row.remedy, stops=row.stops, afterwards=again)
    if "upgrade" not in directions or not is_plain:
        return
    for row in context.rows("partitioning"):
        yield Obstacle(row.what, row.remedy, stops=row.stops)
    yield from _statements(context)
    far = context.row("far_events")
    if far.events:
        more = f" and {far.events - NAMED:,} more" if far.events > NAMED else ""
        what = f"events are dated more than a year ahead: {far.named}{more}; all until then would share one partition"
        yield Obstacle(what, "correct their dates, or delete them")
        return
    seen = context.row("partitioning_bound")
    if seen.is_far:
        yield Obstacle(
            f"events are dated far ahead: all up to {seen.bound} would share one partition",
            "correct their dates first, if they are wrong",
            stops=False,
        )


def _same_ids(context: Context) -> Iterator[Obstacle]:
    """Nothing where the whole tree goes aside, which keeps its key."""
    if context.connection.execute(query("rollback/goes_aside")).fetchone() != (False,):
        return
    found = context.row("same_event_ids")
    if found.ids:
        more = f" and {found.ids - NAMED:,} more" if found.ids > NAMED else ""
        yield Obstacle(
            f"several events have the same event_id, which is the key again: {found.named}{more}",
            "give each but one of them another id: UPDATE analytics.analytics_events SET event_id = DEFAULT WHERE …",
        )


def _statements(context: Context) -> Iterator[Obstacle]:
    """What applications say, where pg_stat_statements is here and loaded, and this role may see it."""
    schema = context.value("statements_schema")
    if schema is None:
        return
    statement = SQL(query("preflight/conflicting_statements")).format(schema=Identifier(schema))
    try:
        with context.connection.transaction():
            rows = context.connection.execute(statement).fetchall()
    except (ObjectNotInPrerequisiteState, InsufficientPrivilege):
        return
    for said, calls in rows:
        yield Obstacle(
            f"a statement says ON CONFLICT (event_id), which fails after the upgrade (called {calls:,} times): {said}",
            "leave the columns out: ON CONFLICT DO NOTHING; or name both, (event_id, event_timestamp)",
            stops=False,
        )


def partitioning(context: Context, steps: Sequence[Planned]) -> Finding:
    """One verdict for all of it."""
    found = list(obstacles(context, steps))
    failed = [each.what for each in found if each.stops]
    warned = [each.what for each in found if not each.stops]
    room = context.row("lock_room")
    if room.sessions_now * LOCKS > room.room:
        warned.append(
            f"{room.sessions_now} sessions that read all months would need {room.sessions_now * LOCKS:,} locks;"
            f" the server has room for {room.room:,}: ALTER SYSTEM SET max_locks_per_transaction = 256"
        )
    remedy = "; ".join(each.next_step for each in found) or None
    if again := "".join(each.afterwards for each in found):
        remedy = f"{remedy}. Afterwards:\n{again}"
    return judged(PARTITIONING, _while_it_runs(context), failed, warned, remedy)


def _while_it_runs(context: Context) -> str:
    if not context.value("is_plain_table"):
        return "no events yet, or partitioned already"
    seen = context.row("partitioning_bound")
    seconds = 1 + seen.bytes / READ_A_SECOND
    return f"rows dated from {seen.bound} on would be refused for about {duration(seconds)} while it runs"
