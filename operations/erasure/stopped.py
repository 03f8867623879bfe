"""How an erasure ends that was interrupted: whether it was begun is looked up, and not guessed."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic_online.errors import OnlineError, Stopped
from alembic_online.interrupts import is_interrupt
from alembic_online.sessions import driver
from sqlalchemy import URL

from operations.erasure.erase import RESUME
from operations.status.amiss import session
from operations.status.half_way import readable, rows

NOT_BEGUN = "Interrupted before it was begun; nothing was changed."
BEGUN = (
    "Interrupted. The erasure is begun, and cannot be called off: load, backfill and restore leave out whoever was"
    " given. Some of their rows may still be there; for applications nothing else has changed."
)
UNKNOWN = "Interrupted. Whether it was begun could not be looked up"


@contextmanager
def told(url: URL, file: Path | None) -> Iterator[None]:
    """Ctrl-C within says whether the erasure was begun, and how to go on; `file`: where its certificate goes."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if not is_interrupt(error):
            raise
        raise _stopped(url, file) from None


def _stopped(url: URL, file: Path | None) -> Stopped:
    try:
        with session(url) as connection:
            ours = driver(connection)
            begun = "sidb.erasure" in readable(ours) and rows(ours, "erasure")
    except OnlineError as error:
        return Stopped(f"{UNKNOWN}: {error.what}", f"{error.next_step} Then the same command again, which is safe.")
    if not begun:
        return Stopped(NOT_BEGUN, "run it again when you like, which is safe.")
    if file:
        return Stopped(BEGUN, f"`{RESUME} --certificate {shlex.quote(str(file))}` finishes it, which is safe.")
    more = f"where you keep backups, `{RESUME} --certificate FILE`: with FILE it is repeated after one is recovered"
    return Stopped(BEGUN, f"`{RESUME}` finishes it, which is safe; {more}.")
