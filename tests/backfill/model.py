"""The model that the orders of everything are held against, and what is looked up of a database for it."""

import io
import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL
from typing import Any

from hypothesis.stateful import (
    RuleBasedStateMachine,
)
from rich.console import Console
from sqlalchemy import Engine, text

from operations.rollback import restore
from tests.backfill.conftest import AS_OF, begin, write_csv
from tests.backfill.test_kills import ended, in_child
from tests.fixtures.ended import counted

Event = tuple[str, int, str]
"""Which file or "live", which of its events, and who did it."""

CONTENT = text(
    "SELECT e.event_data ->> 'from', CAST(e.event_data ->> 'number' AS integer), e.user_id "
    "FROM analytics.analytics_events AS e WHERE e.event_type <> 'niche_scored'"
)


class Model(RuleBasedStateMachine):
    """One database and the events that it must hold: those in the table, those to come, those in an archive."""

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

    def _plan(self) -> None:
        """What planning makes of another table: it is to be filled with all that is staged."""
        if not self.is_another:
            return
        self.is_another = False
        self.pending = Counter(self.staged)
        if self.archived is None:  # what was finished is nowhere any more, and can be loaded again
            self.known = {name: self._of(name) for name in self.known if self._of(name)}
        self.archived = None  # it is too late for a restore: what it holds is there by now

    def _bring_back(self) -> None:
        with self.engine.connect() as connection:
            number = connection.scalar(text("SELECT max(rollback_id) FROM sidb.rollback")) or 0
        self.engine.dispose()
        choice = restore.Choice(skip=False, renumber=True)
        assert restore.restore(self.engine.url, number, choice, Console(file=io.StringIO())).exit_code == 0

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
