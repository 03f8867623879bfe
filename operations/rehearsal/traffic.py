"""Traffic: the application as it runs all day, beside everything that the rollout does.

Phase 1's and Phase 2's clients, the nightly scorer and a report that somebody left open, each in a process of its own;
and a look every tenth of a second at who waits for whom.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait

import psycopg
from alembic_online.database import plain
from alembic_online.errors import OnlineError
from sqlalchemy import URL, text
from sqlalchemy.dialects import postgresql

from models.reader import Reader, readers
from operations.database import libpq
from operations.phase1 import Shape
from operations.queries import query
from operations.rehearsal.clients import (
    OFF,
    ON,
    SCORE,
    STOP,
    Order,
    Sample,
    Statement,
    leave_open,
    score,
    work,
)

LOOK = 0.1
MOST_SESSIONS = 10
CLIENTS = ("phase 1", "seeder", "phase 2")
REPLICA = "replica"
"""Clients that read there, one a replica: "replica 1"."""
APPLICATION = "the application"
OURS = {
    **{f"rehearsal {client}": APPLICATION for client in CLIENTS},
    "rehearsal scorer": "the nightly scorer",
    "rehearsal report": "the left-open report",
    "autovacuum worker": "autovacuum",
    "gone": APPLICATION,
}
"""Who may stand in the way without being the rollout, by application name."""
ROLLOUT = "the rollout"
REPLAY = "replay on a replica"


@dataclass(frozen=True)
class Wait:
    """A statement of the application that was seen waiting for a lock: from when on, how long, behind whom."""

    seen: float
    seconds: float
    waiting: str
    behind: str


@dataclass(frozen=True)
class Scoring:
    """A run of the nightly scorer, by ``time.monotonic``, and the SQLSTATE with which it failed."""

    began: float
    ended: float
    error: str | None


def statements(replicas: int = 0) -> tuple[Statement, ...]:
    """Phase 1's repository and seeder, and Phase 2: its readers in equal parts, and events as they happen; on each
    replica, Phase 1's reads."""
    first = (
        Statement("read hot niches", 1, query("rehearsal/read_hot_niches"), 25),
        Statement("read niche", 1, query("rehearsal/read_niche"), 40, changes_type=True),
        Statement("update niche", 1, query("rehearsal/update_niche"), 30),
        Statement("insert niche", 1, query("rehearsal/insert_niche"), 5, client="seeder"),
    )
    asked = readers()
    second = tuple(Statement(reader.name, 2, as_sent(reader), 70 / len(asked), client="phase 2") for reader in asked)
    there = [
        replace(each, name=f"{each.name}, {REPLICA} {number}", phase=0, client=f"{REPLICA} {number}")
        for number in range(1, replicas + 1)
        for each in first[:2]
    ]
    events = Statement("insert event", 2, query("rehearsal/insert_event"), 30, client="phase 2")
    return (*first, *second, events, *there)


def as_sent(reader: Reader) -> str:
    """The reader's statement as psycopg reads it."""
    dialect = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
    return str(text(reader.sql).compile(dialect=dialect))


class Traffic:
    """Running clients. Half of the rate is Phase 1's with its seeder's, the other half Phase 2's, while it is on."""

    def __init__(
        self,
        application: URL,
        owner: URL,
        shape: Shape,
        rate: float,
        niches: int,
        open_seconds: float,
        replicas: tuple[URL, ...] = (),
    ) -> None:
        self.statements = statements(len(replicas))
        self.samples: list[Sample] = []
        self.scorings: list[Scoring] = []
        self.waits: dict[tuple[int, str], Wait] = {}
        self._sorted: list[Sample] = []
        self._wanted = 0
        self._over = threading.Event()
        self._pipes: dict[str, Pipe] = {}
        self._processes: dict[str, multiprocessing.process.BaseProcess] = {}
        address = libpq(application)
        there = {f"{REPLICA} {number}": libpq(each) for number, each in enumerate(replicas, start=1)}
        for client in (*CLIENTS, *there):
            chosen = tuple(each for each in self.statements if each.client == client)
            numbers = tuple(self.statements.index(each) for each in chosen)
            share = rate / 2 * sum(each.share for each in chosen) / 100
            sessions = max(2, min(MOST_SESSIONS, round(share / 10)))
            live = client != "phase 2"
            where = there.get(client, address)
            self._start(
                client, work, Order(where, chosen, numbers, share, sessions, niches, f"rehearsal {client}", live)
            )
        scorer = tuple(query(f"phase1/{name}") for name in ("score", f"refresh_{shape}"))
        self._start("scorer", score, libpq(owner), scorer)
        self._start("report", leave_open, address, open_seconds)
        self._threads = [
            threading.Thread(target=self._listen, name="rehearsal samples", daemon=True),
            *(
                threading.Thread(target=self._look, args=(where,), name="rehearsal waits", daemon=True)
                for where in (libpq(owner), *there.values())
            ),
        ]
        for thread in self._threads:
            thread.start()

    def _start(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=target, args=(*arguments, theirs), name=name, daemon=True)
        process.start()
        theirs.close()
        self._processes[name], self._pipes[name] = process, ours

    def phase2(self, *, on: bool) -> None:
        """Switch Phase 2's clients: a release that reads the new tables goes live after them and goes before them."""
        self._tell("phase 2", ON if on else OFF)

    def seeder(self, *, on: bool) -> None:
        """Switch Phase 1's seeder: what it adds between two looks at the data cannot be told from what was lost."""
        self._tell("seeder", ON if on else OFF)

    def score(self) -> None:
        """Have the nightly scorer run now, beside everything else."""
        self._wanted += 1
        self._tell("scorer", SCORE)

    def wait_for_scorer(self) -> None:
        """Until it has run."""
        self._wait("scorer", lambda: len(self.scorings) == self._wanted)

    def wait_for_first(self) -> None:
        """Until clients send."""
        self._wait("phase 1", lambda: bool(self.samples))

    def _wait(self, name: str, happened: Callable[[], bool]) -> None:
        while not happened():
            if not self._processes[name].is_alive():
                raise OnlineError(f"The process of the rehearsal's {name} has ended.", "see what it said above.")
            time.sleep(LOOK)

    def _tell(self, name: str, word: str) -> None:
        with suppress(OSError):  # it has ended: whoever waits for it says so
            self._pipes[name].send(word)

    def ordered(self) -> list[Sample]:
        """All samples so far in order of when they were due."""
        if len(self._sorted) != len(self.samples):
            self._sorted = sorted(self.samples)
        return self._sorted

    def close(self) -> None:
        """End all clients."""
        for name in self._processes:
            self._tell(name, STOP)
        for process in self._processes.values():
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                process.join()
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _listen(self) -> None:
        names = {pipe: name for name, pipe in self._pipes.items()}
        while names:
            for pipe in wait(list(names)):
                assert isinstance(pipe, Pipe)
                try:
                    received = pipe.recv()
                except (EOFError, OSError):
                    names.pop(pipe)
                    continue
                if names[pipe] == "scorer":
                    self.scorings.append(Scoring(*received))
                else:
                    self.samples.extend(received)

    def _look(self, address: str) -> None:
        while not self._over.wait(LOOK):
            # A lost session is not the end of looking.
            with (
                suppress(psycopg.Error),
                plain(address, autocommit=True, application_name="rehearsal waits") as connection,
            ):
                while not self._over.wait(LOOK):
                    for row in connection.execute(query("rehearsal/waits")):
                        self._note(*row)

    def _note(self, pid: int, waiting: str, since: str, seconds: float, behind: str) -> None:
        if waiting.startswith(f"rehearsal {REPLICA}"):
            self.waits[pid, since] = Wait(time.monotonic(), seconds, waiting, REPLAY)
        if OURS.get(waiting) != APPLICATION:
            return
        known = self.waits.get((pid, since))
        # Whoever waited for the rollout for a part of the time did.
        who = ROLLOUT if known and known.behind == ROLLOUT else OURS.get(behind, ROLLOUT)
        self.waits[pid, since] = Wait(time.monotonic(), seconds, waiting, who)


@contextmanager
def running(
    application: URL,
    owner: URL,
    shape: Shape,
    rate: float,
    niches: int,
    open_seconds: float,
    replicas: tuple[URL, ...] = (),
) -> Iterator[Traffic]:
    """Clients that run for the length of the block."""
    traffic = Traffic(application, owner, shape, rate, niches, open_seconds, replicas)
    try:
        traffic.wait_for_first()
        yield traffic
    finally:
        traffic.close()
