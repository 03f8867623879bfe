"""Any order of loads, kills, runs, proofs, migrations and the application's own doing against a model of a few lines.

The model holds events by their content: those in the table, those that are staged and still to be moved, those that an
archive holds. After each step the table holds what the model says, no event more and none less. Where a process was
killed, what it had committed is looked up, and must lie between nothing and all. ``--steps`` and ``--histories`` make
more of it.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import URL, Engine, text

from backfill import finishing
from backfill.bookkeeping import create
from backfill.errors import BackfillError
from backfill.files import half_loaded
from backfill.jobs import JOBS
from backfill.progress import Scope
from tests.backfill.conftest import begin, load_file, run, slowly, verify, worker
from tests.backfill.model import Event, Model
from tests.fixtures.databases import Alembic, Clone
from tests.operations.rollback.conftest import roll_back

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


class Backfill(Model):
    """One database, from its first load on."""

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
