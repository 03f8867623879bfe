"""The years after, in any order: events come, change and go, by the application, by retention, by erasure, by files
that are loaded again, through rollbacks and the conversion there and back.

The model holds events by origin, age and user, and how many were recorded, less those deleted or erased; after each
step table and activity hold what it says, and in the end no id of an erased user is anywhere in a dump. ``--steps`` and
``--histories`` make more of it.
"""

import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import URL, Engine

from backfill import verification
from backfill.jobs import JOBS
from backfill.progress import Scope
from tests.backfill.conftest import begin, load_file, worker, write_csv
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.operations.erasure.conftest import erase
from tests.operations.retention.conftest import Aged
from tests.operations.rollback.conftest import bring_back, roll_back

MONTHS = (Path(__file__).parent / "retention" / "aged.sql").read_text(encoding="utf-8").partition("INSERT INTO")[0]
"""A partition for each month since the 27th before this one."""
NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
USERS = ("ann-17@example.com", "bob-23@example.com")
Event = tuple[str, str, str]
"""Where it comes from, when it was, and of whom it is."""

INSERT = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    VALUES ('view', 'app', %s, '{"from": "app"}', %s, 1)
"""
EVENTS = """
    SELECT event_data ->> 'from', (event_timestamp AT TIME ZONE 'UTC')::date::text, user_id, count(*)
    FROM analytics.analytics_events WHERE event_type = 'view' GROUP BY 1, 2, 3
"""
ACTIVITY = """
    SELECT day::text, sum(events)::bigint FROM analytics.niche_daily_activity WHERE event_type = 'view' GROUP BY 1
"""
DELETE = """
    DELETE FROM analytics.analytics_events
    WHERE event_type = 'view' AND (event_timestamp AT TIME ZONE 'UTC')::date::text = %s AND user_id = %s
"""
UPDATE = """
    UPDATE analytics.analytics_events SET user_id = %s
    WHERE event_type = 'view' AND (event_timestamp AT TIME ZONE 'UTC')::date::text = %s AND user_id = %s
"""


def months_ago(months: int) -> str:
    """The eleventh day of that month."""
    number = NOW.year * 12 + NOW.month - 1 - months
    return f"{number // 12}-{number % 12 + 1:02}-11"


IN_FIRST, IN_A_MONTH, KEPT = months_ago(30), months_ago(26), months_ago(1)
"""Of 24 months: rows that go in batches, in a month that goes as a whole, and that stay."""

days = st.sampled_from([IN_FIRST, IN_A_MONTH, KEPT])
users = st.sampled_from(USERS)


class Years(RuleBasedStateMachine):
    """One database, from its second year on."""

    make: Callable[[], Engine]
    dumped: Callable[[URL], str]
    directory: Path

    def __init__(self) -> None:
        super().__init__()
        self.engine = self.make()
        self.database = Aged(self.engine.url)
        self.table: Counter[Event] = Counter()
        self.recorded: Counter[str] = Counter()
        self.files: list[Path] = []
        self.erased: set[str] = set()
        self.back: set[str] = set()
        """Erased users who have come anew."""
        self.expires = False
        begin(self.engine, NOW)

    @initialize()
    def begin(self) -> None:
        """Something to lose from the first step on."""
        self.database.rows(MONTHS)
        for day in (IN_FIRST, IN_A_MONTH, KEPT):
            self.insert(day, USERS[0])
        self.load([(IN_FIRST, USERS[0]), (IN_A_MONTH, USERS[1]), (KEPT, USERS[0])])

    @rule(day=days, user=users)
    def insert(self, day: str, user: str) -> None:
        self.database.rows(INSERT, [day, user])
        self._come(Counter({("app", day, user): 1}))
        self.back |= {user} & self.erased

    @rule(day=days)
    def becomes_anothers(self, day: str) -> None:
        """An update, which counts nothing anew."""
        first, second = USERS
        self.database.rows(UPDATE, [second, day, first])
        changed: Counter[Event] = Counter()
        for (origin, each, user), rows in self.table.items():
            changed[origin, each, second if each == day else user] += rows
        if any(each == day and user == first for _, each, user in self.table):
            self.back |= {second} & self.erased
        self.table = changed

    @rule(day=days, user=users)
    def delete(self, day: str, user: str) -> None:
        self.database.rows(DELETE, [day, user])
        self._go(lambda event: event[1:] == (day, user))

    @rule(lines=st.lists(st.tuples(days, users), min_size=1, max_size=4))
    def load(self, lines: list[tuple[str, str]]) -> None:
        """A file of history: what is past its time and who was erased are left out."""
        name = f"file{len(self.files)}"
        rows = [("view", "web", f"{day}T00:00Z", f'{{"from": "{name}"}}', user, "1", "") for day, user in lines]
        self.files.append(write_csv(self.directory / f"{name}.csv", rows))
        load_file(self.engine, self.files[-1])
        self.run()
        self._come(Counter((name, day, user) for day, user in lines if user not in self.erased and self._is_kept(day)))

    @rule(data=st.data())
    def load_again(self, data: Any) -> None:
        """Whatever has become of its events: nothing comes back."""
        load_file(self.engine, data.draw(st.sampled_from(self.files)))
        self.run()

    @rule()
    def run(self) -> None:
        """All that is left, and its proof."""
        control = begin(self.engine, NOW)
        worker(self.engine).run(Scope(control.as_of))
        proofs = verification.verify(self.engine, JOBS, control.as_of)
        assert all(proof.holds for proof in proofs), proofs

    @rule()
    def expire(self) -> None:
        self.database.keep(analytics_events=24)
        assert self.database.maintain()["analytics_events"].outcome == "done"
        self.expires = True
        self.table = Counter({event: rows for event, rows in self.table.items() if self._is_kept(event[1])})

    @rule()
    def count_anew(self) -> None:
        self.database.rows("SELECT analytics.rebuild_niche_daily_activity()")

    @rule(user=users)
    def erase(self, user: str) -> None:
        erase(self.engine.url, user)
        self._go(lambda event: event[2] == user)
        self.erased.add(user)
        self.back.discard(user)

    @rule(revision=st.sampled_from(["1.0.0", "2.0.7", "2.1.1"]))
    def back_and_there(self, revision: str) -> None:
        """A rollback, by way of the plain table in two of three, an upgrade and a restore."""
        self.engine.dispose()
        assert roll_back(self.engine.url, revision).exit_code == 0
        Alembic(self.engine.url).upgrade()
        [(archive,)] = self.database.rows("SELECT max(rollback_id) FROM sidb.rollback")
        assert bring_back(self.engine.url, archive).exit_code == 0
        self.database.rows("DELETE FROM sidb.backfill_pause_orders")

    @precondition(lambda self: not self.expires)
    @rule()
    def convert_there_and_back(self) -> None:
        """By downgrade and upgrade, as long as no horizon is set; all rows lie in the first partition then."""
        self.engine.dispose()
        alembic = Alembic(self.engine.url, x=("deadline=30s",))
        alembic.downgrade("2.0.7")
        alembic.upgrade()

    @invariant()
    def table_and_activity_are_the_models(self) -> None:
        found = Counter({(row[0], row[1], row[2]): row[3] for row in self.database.rows(EVENTS)})
        assert found == +self.table
        assert Counter({row[0]: row[1] for row in self.database.rows(ACTIVITY)}) == +self.recorded

    def teardown(self) -> None:
        self.engine.dispose()
        dump = self.dumped(self.engine.url) if self.erased - self.back else ""
        assert [user for user in self.erased - self.back if user in dump] == []

    def _is_kept(self, day: str) -> bool:
        return not self.expires or day == KEPT

    def _come(self, events: Counter[Event]) -> None:
        self.table += events
        for (_, day, _), rows in events.items():
            self.recorded[day] += rows

    def _go(self, meant: Callable[[Event], bool]) -> None:
        for event in [event for event in self.table if meant(event)]:
            self.recorded[event[1]] -= self.table.pop(event)


def test_any_order_of_years(
    clone: Clone, connect: Callable[[URL], Engine], pg_bin: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    class Here(Years):
        directory = tmp_path

        def make(self) -> Engine:  # type: ignore[override]
            return connect(clone("migrated_table"))

        def dumped(self, url: URL) -> str:  # type: ignore[override]
            command = [pg_bin / "pg_dump", conninfo(url.set(username="postgres"))]
            return subprocess.check_output(command, text=True)

    histories = request.config.getoption("--histories")
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=histories,
            stateful_step_count=request.config.getoption("--steps"),
            deadline=None,
            derandomize=histories <= FEW,
            database=None,
            phases=(Phase.generate,),
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


FEW = 5
