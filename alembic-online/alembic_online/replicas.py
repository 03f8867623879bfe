"""The replicas that a session minds: their readers must not wait for what is replayed there.

Where replay meets an AccessExclusive lock on what a query of a replica reads, it waits for up to that server's
max_standby_streaming_delay, and every new reader of the table waits behind it, also when the step has long been done.
So such a lock is asked for only while no replica has a long query on the table, and what comes next begins when every
replica has replayed what came before. Both waits are bounded and logged; a replica that goes away is logged, too.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL

from alembic_online.blockers import TELL_EVERY, Blocker
from alembic_online.errors import OnlineError
from alembic_online.quantities import duration
from alembic_online.queries import query
from alembic_online.replica import NoStandbyError, Replica, identity, reason

log = logging.getLogger("alembic.online")

EXCLUSIVE = "AccessExclusiveLock"
"""The one lock that is replayed on standbys."""
LOST = 10.0  # seconds for which a replica that does not answer is tried again, before it is left out
LOOK_EVERY = 0.02  # seconds between two looks
RETRY_EVERY = 0.25  # seconds between two tries to reach one

T = TypeVar("T")


def _uninterrupted() -> None:
    """Nothing ends the wait early."""


class Replicas:
    """`primary` is a session on their primary in autocommit mode, `migrator` the process of the one that takes locks.

    `limit`: seconds that a step waits for the end of queries on replicas, and the whole session for replay; 0: neither
    is waited for.
    """

    def __init__(self, followed: Sequence[Replica], primary: psycopg.Connection[Any], migrator: int, limit: float):
        self.followed = list(followed)
        self.primary = primary
        self.migrator = migrator
        self.limit = limit
        self.asked = False
        """Whether locks were asked for: a session that only looked has nothing to wait for at its end."""
        self.waited_for_queries: dict[str, float] = {}
        self.waited_for_replay = 0.0
        self.told = 0.0

    def wait_for_readers(
        self, locks: Mapping[str, str], what: str, interrupt: Callable[[], None] = _uninterrupted
    ) -> float:
        """Wait until an AccessExclusive lock on these relations (relation to mode) would hold up no replica.

        `what` they are for is said; `interrupt` is called meanwhile and may raise. Never waits where the migrator holds
        such a lock already. The seconds waited.
        """
        self.asked = True
        exclusive = {relation: mode for relation, mode in locks.items() if mode == EXCLUSIVE}
        if not (exclusive and self.followed and self.limit) or self._migrator_holds():
            return 0.0
        began, before = time.monotonic(), self.waited_for_queries.get(what, 0.0)
        while found := self.readers(exclusive, interrupt):
            self.waited_for_queries[what] = before + time.monotonic() - began
            if self.waited_for_queries[what] > self.limit:
                if before <= self.limit:
                    for line in _lines(found):
                        log.warning("%s: goes on after %s, though blocked by %s", what, duration(self.limit), line)
                break
            self._tell(f"{what}: waits for the end of %s", _lines(found))
            interrupt()
            time.sleep(LOOK_EVERY)
        return time.monotonic() - began

    def wait_until_replayed(self, what: str, interrupt: Callable[[], None] = _uninterrupted) -> float:
        """Wait until each has replayed what the primary has written by now; the seconds waited.

        Never waits where the migrator holds a lock for which readers wait.
        """
        if not (self.followed and self.limit) or self._migrator_holds():
            return 0.0
        began, before = time.monotonic(), self.waited_for_replay
        lsn = self._mark()
        for replica in list(self.followed):
            while (found := self._answer(replica, lambda each: each.replay(lsn), interrupt)) and not found.replayed:
                self.waited_for_replay = before + time.monotonic() - began
                if self.waited_for_replay > self.limit:
                    log.warning(
                        "%s: replica %s has not replayed it within %s: readers there may wait or see what was before",
                        what,
                        replica,
                        duration(self.limit),
                    )
                    break
                paused = ", where replay is paused" if found.paused else ""
                if time.monotonic() - began > TELL_EVERY:
                    self._tell(f"{what}: waits until %s", [f"replica {replica} has replayed it{paused}"])
                interrupt()
                time.sleep(LOOK_EVERY)
        self.waited_for_replay = before + time.monotonic() - began
        return time.monotonic() - began

    def readers(
        self, locks: Mapping[str, str], interrupt: Callable[[], None] = _uninterrupted
    ) -> list[tuple[Replica, Blocker]]:
        """Long queries on replicas that have read what these locks are for."""
        found = [
            (replica, self._answer(replica, lambda each: each.readers(locks), interrupt))
            for replica in list(self.followed)
        ]
        return [(replica, blocker) for replica, blockers in found for blocker in blockers or []]

    def still_followed(self) -> tuple[URL, ...]:
        """The addresses of those that answer now."""
        self.readers({})
        return tuple(replica.url for replica in self.followed)

    def _mark(self) -> str:
        """A place in the WAL behind all that is committed by now, and on its way to the replicas also where commits do
        not wait for that."""
        with self.primary.transaction():
            self.primary.execute("SET LOCAL synchronous_commit = 'local'")
            row = self.primary.execute("SELECT pg_logical_emit_message(true, 'alembic_online', '')::text").fetchone()
        return str(row[0] if row else "")

    def _migrator_holds(self) -> bool:
        row = self.primary.execute(query("replicas/holds"), {"migrator": self.migrator}).fetchone()
        return bool(row and row[0])

    def _answer(self, replica: Replica, ask: Callable[[Replica], T], interrupt: Callable[[], None]) -> T | None:
        """What a replica says; None: it does not answer, or is no standby any more, and is left out from now on."""
        began = time.monotonic()
        told = False
        while True:
            try:
                return ask(replica)
            except NoStandbyError as error:
                self._leave_out(replica, reason(error))
                return None
            except (psycopg.Error, OnlineError) as error:
                why = reason(error)
            if time.monotonic() - began > LOST:
                self._leave_out(replica, f"Replica {replica} does not answer: {why}.")
                return None
            if not told:
                told = True
                log.warning("Replica %s does not answer (%s); tried again for %s", replica, why, duration(LOST))
            interrupt()
            time.sleep(RETRY_EVERY)

    def _leave_out(self, replica: Replica, why: str) -> None:
        log.warning("%s It is left out from now on.", why)
        self.followed.remove(replica)
        replica.close()

    def _tell(self, text: str, lines: Sequence[str]) -> None:
        if time.monotonic() - self.told > TELL_EVERY:
            self.told = time.monotonic()
            for line in lines:
                log.info(text, line)


@contextmanager
def following(
    addresses: Sequence[URL], primary: psycopg.Connection[Any], application: str, migrator: int = 0, limit: float = 0
) -> Iterator[Replicas]:
    """The replicas at these addresses, all of them answering; their sessions end with the block.

    Raises OnlineError, before anything is done, where one cannot be reached or is no standby of `primary`.
    """
    known = identity(primary) if addresses else None
    opened: list[Replica] = []
    try:
        for address in addresses:
            assert known is not None
            replica = Replica(address if address.database else address.set(database=known.name), known, application)
            opened.append(replica)
            try:
                replica.readers({})
            except NoStandbyError:
                raise
            except (psycopg.Error, OnlineError) as error:
                raise OnlineError(
                    f"Replica {replica} cannot be reached: {reason(error)}; nothing was changed.",
                    "start it, correct its address, or leave it out.",
                ) from None
        yield Replicas(opened, primary, migrator, limit)
    finally:
        for replica in opened:
            replica.close()


def _lines(found: Sequence[tuple[Replica, Blocker]]) -> list[str]:
    return [f"{blocker} on replica {replica}" for replica, blocker in found]
