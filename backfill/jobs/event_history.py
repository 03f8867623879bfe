"""History exported from elsewhere: from staging into ``analytics.analytics_events``.

Each staged event is written once: one that somebody deletes or changes afterwards stays as they left it. A file is in
staging as a whole or not at all, so that each pass walks the files that came since the last one.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    String,
    Text,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from backfill import erased, expired
from backfill.job import Batch, Job, NotWrittenError, Part, Rows, is_there, table_of
from backfill.queries import query
from backfill.tables import Range, Renumbered, SetAside, StagedEvent
from models import AnalyticsEvent

CONTENT = ("event_timestamp", "event_type", "event_source", "event_data", "user_id", "niche_id")
FILE = func.coalesce(StagedEvent.file_id, 0)
EPOCH = date(1970, 1, 1)
# Days since 1970. PostgreSQL's own run from 4714 BC to 294276; infinity and -infinity are days beyond these.
FIRST_DAY, LAST_DAY = -2_440_588, 106_762_939
PAST, FUTURE = FIRST_DAY - 1, LAST_DAY + 1


ID_IS_KEY = ~exists(
    select(literal(1))
    .select_from(table("pg_partitioned_table", column("partrelid"), schema="pg_catalog"))
    .where(column("partrelid") == func.to_regclass("analytics.analytics_events"))
)
"""Whether event_id alone is the key: where events are partitioned, it is with event_timestamp."""

NEW_ID = func.nextval(func.pg_get_serial_sequence("analytics.analytics_events", "event_id"))


def same(one: Any, other: Any) -> ColumnElement[bool]:
    """Whether two events hold the same; of created_at only what was given."""
    equal = [getattr(one, name).is_not_distinct_from(getattr(other, name)) for name in CONTENT]
    return and_(*equal, or_(one.created_at.is_(None), one.created_at == other.created_at))


@dataclass(frozen=True)
class EventHistory(Job):
    """Days of staging."""

    compares: bool = False
    """Whether what the table holds is compared at once with what it was given: what differs later, others changed."""

    def write(self, batch: CTE, part: Part) -> tuple[CTE, ...]:
        columns = ["event_id", *CONTENT, "created_at"]
        values = [*(batch.c[name] for name in columns[:-1]), func.coalesce(batch.c.created_at, func.now())]
        # What has its key already is left. ON CONFLICT would cost more, and pass over what a unique index of others
        # refuses.
        same_id = select(AnalyticsEvent.event_id).where(AnalyticsEvent.event_id == batch.c.event_id)
        same_key = same_id.where(AnalyticsEvent.event_timestamp == batch.c.event_timestamp)
        there = and_(_any_between(batch), or_(is_there(same_key, batch), and_(ID_IS_KEY, is_there(same_id, batch))))
        # By niche: its row is locked once for all its events, and they come to lie together in table and indexes.
        rows = (
            select(*values)
            .where(~there, ~erased.is_erased(batch.c.user_id))
            .order_by(batch.c.niche_id, batch.c.event_timestamp)
        )
        moved = insert(AnalyticsEvent).from_select(columns, rows)
        if not self.compares:
            return (moved.returning(AnalyticsEvent.event_id).cte("moved"),)
        inserted = moved.returning(*(getattr(AnalyticsEvent, name) for name in columns)).cte("inserted")
        # For an inner join of the two, whose sizes it cannot know, the planner would choose a nested loop.
        key = (inserted.c[name] == batch.c[name] for name in ("event_id", "event_timestamp"))
        pairs = batch.join(inserted, and_(*key), full=True)
        equal = (inserted.c[name].is_not_distinct_from(value) for name, value in zip(columns, values, strict=True))
        return select(inserted.c.event_id).select_from(pairs).where(*equal).cte("moved"), inserted

    def batch(self, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> Batch:
        if (kept_from := expired.horizon(connection)) is not None and self._begins_before(claimed, kept_from):
            while expired.drop_staged(connection, kept_from):  # before they are looked at
                pass
        compares = bool(connection.scalar(query("may_change_events")))
        done = Job.batch(replace(self, compares=compares), connection, claimed, as_of, asked)
        if compares and done.also[0] > done.written:
            raise NotWrittenError("the table does not hold it as it was written: a trigger changes rows on insert")
        # Asked again now: from here on, the locks of its rows keep the tables' triggers as they are.
        if not compares and connection.scalar(query("may_change_events")):
            raise NotWrittenError("a trigger that may change rows on insert was created meanwhile")
        if done.present:  # these events are there already, or others have their ids
            done.present -= self._renumber(connection, claimed, as_of, asked)
        return done

    def _begins_before(self, claimed: Range, instant: datetime) -> bool:
        return int(claimed.lower) < (instant.astimezone(UTC).date() - EPOCH).days

    def _renumber(self, connection: Connection, claimed: Range, as_of: datetime, asked: int) -> int:
        """Give events new ids whose own others have, as in a new table whose ids begin anew; the next pass writes them.

        The number of events.
        """
        place: list[Any] = [literal_column(f"{StagedEvent.__table__}.{name}") for name in ("tableoid", "ctid")]
        columns = (place[0].label("part"), place[1].label("place"), *table_of(StagedEvent).c)
        rows = self.next_rows(claimed, as_of, asked, *columns).subquery()
        displaced = (
            select(rows.c.part, rows.c.place, rows.c.event_id)
            .join(AnalyticsEvent, AnalyticsEvent.event_id == rows.c.event_id)
            .where(~same(rows.c, AnalyticsEvent))
            .where(or_(AnalyticsEvent.event_timestamp == rows.c.event_timestamp, ID_IS_KEY))
            .cte("displaced")
        )
        new_ids = (
            update(StagedEvent)
            .values(event_id=NEW_ID)
            .where(StagedEvent.event_id == displaced.c.event_id)
            .where(place[0] == displaced.c.part, place[1] == displaced.c.place)
            .returning(displaced.c.event_id.label("was"), StagedEvent.event_id)
            .cte("renumbered")
        )
        # Under whichever id an archive holds it.
        before = select(Renumbered.was, new_ids.c.event_id).join(new_ids, new_ids.c.was == Renumbered.event_id)
        pairs = union_all(select(new_ids.c.was, new_ids.c.event_id), before)
        noted = insert(Renumbered).from_select(["was", "event_id"], pairs).returning(Renumbered.was).cte("noted")
        values = (self.name, claimed.range_id, "another event had its event_id", True)
        waiting = select(new_ids.c.event_id, *(literal(value) for value in values))
        into = insert(SetAside).from_select(["key", "job", "range_id", "error", "again"], waiting)
        counted = into.add_cte(noted).execution_options(preserve_rowcount=True)  # else -1: an INSERT's is not kept
        renumbered = connection.execute(counted).rowcount
        if renumbered:
            this = update(Range).where(Range.range_id == claimed.range_id)
            connection.execute(this.values(rows_refused=Range.rows_refused + renumbered))
        return renumbered

    def key_aside(self, connection: Connection, position: str, key: int) -> int:
        """Its id, or a new one: of a load during which the event table was replaced, two rows may have one id."""
        other = aliased(StagedEvent)
        this = cast(literal(position, Text), DateTime(timezone=True))
        is_shared = exists().where(other.event_id == key, other.event_timestamp != this)
        alone = update(StagedEvent).values(event_id=NEW_ID).where(StagedEvent.event_timestamp == this, is_shared)
        new = connection.scalar(alone.where(StagedEvent.event_id == key).returning(StagedEvent.event_id))
        return key if new is None else int(new)

    def new(self, part: Part) -> ColumnElement[bool]:
        again = select(SetAside.key).where(SetAside.job == self.name, SetAside.again)
        return or_(self.done(part), StagedEvent.event_id.in_(again))

    def done(self, part: Part) -> ColumnElement[bool]:
        return true() if part.files is None else FILE.in_(part.files)

    def expected(self, part: Part) -> Rows:
        content = (getattr(StagedEvent, name) for name in CONTENT)
        return select(StagedEvent.event_id.label("key"), *content, StagedEvent.created_at).where(*self._written(part))

    def actual(self, part: Part) -> Rows:
        """The staged rows as they are in the target."""
        content = [getattr(AnalyticsEvent, name) for name in CONTENT]
        created_at = case((StagedEvent.created_at.is_not(None), AnalyticsEvent.created_at)).label("created_at")
        both = select(AnalyticsEvent.event_id.label("key"), *content, created_at)
        return both.join(StagedEvent, _of_one_key()).where(*self._written(part))

    def since(self, part: Part) -> Rows:
        what = case((AnalyticsEvent.event_id.is_(None), "deleted"), else_="changed")
        left = select(StagedEvent.event_id.label("key"), cast(what, String).label("what"))
        left = left.outerjoin(AnalyticsEvent, _of_one_key())
        return left.where(
            *self._written(part), or_(AnalyticsEvent.event_id.is_(None), ~same(StagedEvent, AnalyticsEvent))
        )

    def others(self, part: Part) -> Rows:
        """Rows beside the staged ones that hold the same: the application's, or a twin of theirs."""
        staged, twin = aliased(StagedEvent), aliased(StagedEvent)
        is_staged = exists().where(
            staged.event_timestamp == AnalyticsEvent.event_timestamp, staged.event_id == AnalyticsEvent.event_id
        )
        columns = [AnalyticsEvent.event_id.label("key"), *(getattr(AnalyticsEvent, name) for name in CONTENT)]
        # Apart, so that only what is not staged, live traffic at most, is compared row by row.
        live = select(*columns).where(part.of(AnalyticsEvent.event_timestamp), ~is_staged)
        other = live.cte("other").prefix_with("MATERIALIZED")
        equal = (getattr(twin, name).is_not_distinct_from(other.c[name]) for name in CONTENT[1:])
        found = exists().where(twin.event_timestamp == other.c.event_timestamp, *equal)
        what = literal("equal to a staged event").label("what")
        return select(other.c.key, what).where(found)

    def _written(self, part: Part) -> tuple[ColumnElement[bool], ...]:
        """Rows that are done; those set aside are counted apart."""
        aside = select(SetAside.key).where(SetAside.job == self.name)
        return part.of(StagedEvent.event_timestamp), self.done(part), StagedEvent.event_id.not_in(aside)

    def lower(self) -> ColumnElement[int]:
        day = cast(func.timezone("UTC", self.partition_column), Date) - literal(EPOCH, Date)
        past: ColumnElement[bool] = self.partition_column == _time("-infinity")
        future: ColumnElement[bool] = self.partition_column == _time("infinity")
        return cast(case((past, PAST), (future, FUTURE), else_=day), BigInteger)

    def within(self, column: Any, lower: int, upper: int) -> ColumnElement[bool]:
        below = true() if upper > FUTURE else column < _instant(upper)
        return and_(column >= _instant(lower), below)

    def shown(self, bound: int) -> str:
        if not FIRST_DAY <= bound <= LAST_DAY:
            return "-infinity" if bound < FIRST_DAY else "infinity"
        ordinal = bound + EPOCH.toordinal()
        known = date.min.toordinal() <= ordinal <= date.max.toordinal()
        return date.fromordinal(ordinal).isoformat() if known else f"day {bound:,} after 1970-01-01"


def _any_between(batch: CTE) -> ColumnElement[bool]:
    """Whether any event has an id from the batch's lowest to its highest: most often none, as ids of one file follow
    each other, and then none of them has to be looked up. Ordered, so that the index is read, and no further than that.
    """
    ends = select(func.min(batch.c.event_id).label("lowest"), func.max(batch.c.event_id).label("highest")).cte("ends")
    between = AnalyticsEvent.event_id.between(ends.c.lowest, ends.c.highest)
    first = select(AnalyticsEvent.event_id).where(between).order_by(AnalyticsEvent.event_id).limit(1).lateral()
    return select(first.c.event_id).select_from(ends.join(first, true())).scalar_subquery().is_not(None)


def _of_one_key() -> ColumnElement[bool]:
    """A staged event and the event of its key."""
    return and_(
        AnalyticsEvent.event_id == StagedEvent.event_id,
        AnalyticsEvent.event_timestamp == StagedEvent.event_timestamp,
    )


def _instant(day: int) -> ColumnElement[datetime]:
    """When a day begins, in UTC."""
    if day < FIRST_DAY:
        return _time("-infinity")
    if day > LAST_DAY:
        return _time("infinity")
    if day == FIRST_DAY:
        return _time("4714-11-24 00:00:00+00 BC")
    ordinal = day + EPOCH.toordinal()
    if date.min.toordinal() < ordinal < date.max.toordinal():
        return literal(datetime.combine(date.fromordinal(ordinal), datetime.min.time(), UTC), DateTime(timezone=True))
    return func.timezone("UTC", cast(literal(EPOCH, Date) + literal(day), DateTime))


def _time(value: str) -> ColumnElement[datetime]:
    return cast(literal(value, String), DateTime(timezone=True))


EVENT_HISTORY = EventHistory(
    name="event_history",
    fills=(AnalyticsEvent,),
    partition_column=StagedEvent.event_timestamp,
    key=StagedEvent.event_id,
    time=StagedEvent.event_timestamp,
    width=1,
    writes_once=True,
    file=FILE,
    is_in_parts=True,
    seconds=1.0,  # of the application's rows it locks niches alone, and these for key share: only deleting one waits
)
