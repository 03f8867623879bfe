"""Any order of loads, kills, runs, proofs, migrations and the application's own doing against a model of a few lines.

The model holds events by their content: those in the table, those that are staged and still to be moved, those that an
archive holds. After each step the table holds what the model says, no event more and none less. Where a process was
killed, what it had committed is looked up, and must lie between nothing and all. ``--steps`` and ``--histories`` make
more of it.
"""

import io
import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
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
from rich.console import Console
from sqlalchemy import URL, Engine, text

from backfill import finishing
from backfill.bookkeeping import create
from backfill.errors import BackfillError
from backfill.files import half_loaded
from backfill.jobs import JOBS
from backfill.progress import Scope
from operations.rollback import restore
from tests.backfill.conftest import AS_OF, begin, load_file, run, slowly, verify, worker, write_csv
from tests.backfill.test_kills import ended, in_child
from tests.fixtures.databases import Alembic, Clone
from tests.operations.rollback.conftest import counted, roll_back

Event = tuple[str, int, str]
"""Which file or "live", which of its events, and who did it."""

CONTENT = text(
    "SELECT e.event_data ->> 'from', CAST(e.event_data ->> 'number' AS integer), e.user_id "
    "FROM analytics.analytics_events AS e WHERE e.event_type <> 'niche_scored'"
)
INSERT = text(
    "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id) "
    "SELECT 'view', 'app', now(), jsonb_build_object('from', 'live', 'number', CAST(:number AS integer)), 'somebody' "
    "FROM generate_series(1, 2)"
)
UPDATE = text("UPDATE analytics.analytics_events SET user_id = 'changed' WHERE event_data ->> 'number' = :number")
DELETE = text("DELETE FROM analytics.analytics_events WHERE event_data ->> 'number' = :number")
RESUME = text("DELETE FROM sidb.backfill_pause_orders")

files = st.sampled_from("ab")
numbers = st.integers(0, 2)


class Backfill(RuleBasedStateMachine):
    """One database, from its first load on."""

    make: Callable[[], Engine]
    directory: Path

    def __init__(self) -> None:
        super().__init__()
        self.engine = self.make()
        self.table: Counter[Event] | None = Counter()  # None: there is no table
        self.pending: Counter[Event] = Counter()
        self.staged: Counter[Event] = Counter()
        self.known: dict[str, Counter[Event]] = {}  # lines of each file that are in
        self.lines: dict[str, list[int]] = {}  # of each file, as it lies on the disk
        self.half: set[str] = set()
        self.archived: Counter[Event] | None = None
        self.paused = False
        self.is_another = False  # the table is not the one that the progress describes
        self.finished = False
        begin(self.engine)

    def teardown(self) -> None:
        self.engine.dispose()

    # The files

    @initialize()
    def begin(self) -> None:
        """There is something to lose from the first step on."""
        self.load("a", [0, 0, 1, 2], bad=True, moved=True)

    @precondition(lambda self: self.table is not None)
    @rule(name=files, more=st.lists(numbers, min_size=1, max_size=3), bad=st.booleans(), moved=st.booleans())
    def load(self, name: str, more: list[int], bad: bool, moved: bool) -> None:
        """A new file, or one that has grown; with a bad line, which a later load has corrected."""
        self.lines[name] = sorted([*self.lines.get(name, []), *more])
        load_file(self.engine, self._write(name, bad))
        self._loaded(name)
        if moved and not self.paused:
            self.run()

    @precondition(lambda self: self.table is not None and self.lines)
    @rule(data=st.data())
    def load_again(self, data: Any) -> None:
        self._loads_again(data.draw(st.sampled_from(sorted(self.lines))))

    def _loads_again(self, name: str) -> None:
        load_file(self.engine, self._write(name, False))
        self._loaded(name)

    @precondition(lambda self: self.table is not None)
    @rule(name=files, number=numbers, at=st.integers(2, 40))
    def kill_a_load(self, name: str, number: int, at: int) -> None:
        self.lines[name] = sorted([*self.lines.get(name, []), number])
        path = self._write(name, False)
        self._killed(lambda: load_file(self.engine, path), at)
        create(self.engine)
        with self.engine.connect() as connection:
            half = {Path(file.name).stem for file in half_loaded(connection)}
            whole = connection.scalar(
                text("SELECT count(*) FROM sidb.backfill_events WHERE event_data ->> 'from' = :name"), {"name": name}
            )
        self.half = half
        if name not in half and whole == (self._of(name) + self._new(name)).total():
            self._loaded(name)

    def _of(self, name: str) -> Counter[Event]:
        """What is staged of a file."""
        return Counter({event: rows for event, rows in self.staged.items() if event[0] == name})

    def _new(self, name: str) -> Counter[Event]:
        """The lines of a file that no earlier load of it had."""
        now = Counter((name, number, f"u{number}") for number in self.lines[name])
        return now - self.known.get(name, Counter())

    def _write(self, name: str, bad: bool) -> Path:
        rows = [
            (
                "view",
                "web",
                (AS_OF - timedelta(days=1 + 100 * (number % 2))).isoformat(),
                f'{{"from": "{name}", "number": {number}}}',
                f"u{number}",
                "1",
                "",
            )
            for number in self.lines[name]
        ]
        if bad:
            rows.append(("view", "web", "some day", "{}", "", "1", ""))
        return write_csv(self.directory / f"{name}.csv", rows)

    def _loaded(self, name: str) -> None:
        new = self._new(name)
        self.known[name] = self.known.get(name, Counter()) + new
        self.pending += new
        self.staged += new
        self.half.discard(name)

    # The backfill

    @precondition(lambda self: self.table is not None and not self.paused)
    @rule()
    def run(self) -> None:
        self._plan()
        run(self.engine)
        assert self.table is not None
        self.table += self.pending
        self.pending = Counter()

    @precondition(lambda self: self.table is not None and not self.paused)
    @rule(rows=st.integers(1, 4))
    def daily(self, rows: int) -> None:
        self._plan()
        control = begin(self.engine)
        worker(self.engine, pace=slowly()).run(Scope(control.as_of, recent=False), share=rows)
        self._look()

    @precondition(lambda self: self.table is not None and not self.paused)
    @rule(at=st.integers(2, 120))
    def kill_a_run(self, at: int) -> None:
        self._plan()
        begin(self.engine)
        self._killed(lambda: run(self.engine, pace=slowly()), at)
        self._look()

    @precondition(lambda self: self.table is not None)
    @rule()
    def prove(self) -> None:
        if not self.paused:
            self._plan()
        proof = verify(self.engine)[0]
        assert proof.holds == (not self.pending and not self.half and not self.is_another), proof

    @precondition(lambda self: self.table is not None and self.staged)
    @rule()
    def finish(self) -> None:
        """After a run and a proof, as a person would; it is refused when something is still to be done."""
        if not self.paused:
            self.run()
            verify(self.engine)
            run(self.engine)  # trends, of which an event was deleted
            verify(self.engine)
        try:
            with self.engine.connect() as connection:
                finishing.finish(connection, JOBS)
        except BackfillError:
            assert self.paused or self.half
            return
        assert not self.pending
        assert not self.half
        self.staged = Counter()
        self.finished = True

    def _plan(self) -> None:
        """What planning makes of another table: it is to be filled with all that is staged."""
        if not self.is_another:
            return
        self.is_another = False
        self.pending = Counter(self.staged)
        if self.archived is None:  # what was finished is nowhere any more, and can be loaded again
            self.known = {name: self._of(name) for name in self.known if self._of(name)}
        self.archived = None  # it is too late for a restore: what it holds is there by now

    # The application

    @precondition(lambda self: self.table is not None)
    @rule(number=numbers)
    def insert(self, number: int) -> None:
        self._execute(INSERT, number=number)
        assert self.table is not None
        self.table[("live", number, "somebody")] += 2

    @precondition(lambda self: self.table is not None)
    @rule(number=numbers)
    def update(self, number: int) -> None:
        self._execute(UPDATE, number=str(number))
        assert self.table is not None
        changed: Counter[Event] = Counter()
        for (origin, each, user), rows in self.table.items():
            changed[origin, each, "changed" if each == number else user] += rows
        self.table = changed

    @precondition(lambda self: self.table is not None)
    @rule(number=numbers, further=st.none() | files)
    def delete(self, number: int, further: str | None = None) -> None:
        """Often with a further file of the same day after it, which may bring nothing back."""
        self._execute(DELETE, number=str(number))
        assert self.table is not None
        self.table = Counter({event: rows for event, rows in self.table.items() if event[1] != number})
        if further is not None:
            self.load(further, [number], bad=False, moved=True)

    # The schema

    @precondition(lambda self: self.table is not None and self.archived is None)
    @rule(keep=st.booleans())
    def down(self, keep: bool) -> None:
        """A rollback, which keeps what goes, or a downgrade that was told to discard it."""
        self.engine.dispose()
        if keep and not self.paused:
            assert roll_back(self.engine.url, "1.0.0").exit_code == 0
            self.archived = self.table
            self.paused = True
        else:
            Alembic(self.engine.url).downgrade()
        self.table = None

    @precondition(lambda self: self.table is None)
    @rule()
    def upgrade(self) -> None:
        self.engine.dispose()
        Alembic(self.engine.url).upgrade()
        self.table = Counter()
        self.is_another = True

    @precondition(lambda self: self.table is not None and self.archived is not None)
    @rule()
    def restore(self) -> None:
        self._bring_back()
        assert self.table is not None
        assert self.archived is not None
        self.table += self.archived
        self.archived = None
        self.is_another = False

    def _bring_back(self) -> None:
        with self.engine.connect() as connection:
            number = connection.scalar(text("SELECT max(rollback_id) FROM sidb.rollback")) or 0
        self.engine.dispose()
        choice = restore.Choice(skip=False, renumber=True)
        assert restore.restore(self.engine.url, number, choice, Console(file=io.StringIO())).exit_code == 0

    def columns_there_and_back(self) -> None:
        """A rollback that keeps columns of features alone, and their restore: no event is in what comes back."""
        self._execute(text("UPDATE public.features SET analytics_version = 7 WHERE niche_id = 200"))
        self.engine.dispose()
        assert roll_back(self.engine.url, "2.0.3").exit_code == 0
        Alembic(self.engine.url).upgrade()
        self._bring_back()
        self.paused = True

    @precondition(lambda self: self.table is not None and self.paused)
    @rule()
    def resume(self) -> None:
        self._execute(RESUME)
        self.paused = False

    # What there is

    @invariant()
    def the_table_holds_what_the_model_says(self) -> None:
        if self.table is not None:
            assert self._events() == +self.table

    def _events(self) -> Counter[Event]:
        with self.engine.connect() as connection:
            return Counter((row[0], row[1], row[2]) for row in connection.execute(CONTENT))

    def _look(self) -> None:
        """So many of the events that were to come are there, and nothing else has changed."""
        found = self._events()
        assert self.table is not None
        assert self.table <= found <= self.table + self.pending
        self.pending = self.table + self.pending - found
        self.table = found

    def _execute(self, statement: Any, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement, values)

    def _killed(self, work: Callable[[], object], at: int) -> None:
        """Do it in a process that kills itself before its n-th statement, if there are so many."""
        self.engine.dispose()
        ended(
            in_child(lambda: counted(work, lambda number, _: os.kill(os.getpid(), SIGKILL) if number == at else None))
        )


def test_any_order_of_everything(
    clone: Clone, connect: Callable[[URL], Engine], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    class Here(Backfill):
        directory = tmp_path

        def make(self) -> Engine:  # type: ignore[override]
            return connect(clone("migrated_table"))

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=request.config.getoption("--histories"),
            stateful_step_count=request.config.getoption("--steps"),
            deadline=None,
            derandomize=request.config.getoption("--histories") <= FEW,
            database=None,
            phases=(Phase.generate,),  # to make a history shorter takes minutes
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


FEW = 5
