"""A standby of a PostgreSQL of our own, made of a base backup: for a rehearsal, and for tests."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from alembic_online.errors import OnlineError

from operations.binaries import make_directory, run
from operations.embedded import PORT, SUPERUSER, Server

DELAY = "2s"
"""The max_standby_streaming_delay that is advised where an application reads: what reads for longer is cancelled."""


def options(primary: Server, delay: str = DELAY) -> Mapping[str, str]:
    """What a server is started with to follow `primary`, which it reaches through that one's socket."""
    return {
        "primary_conninfo": f"host={primary.sockets} port={PORT} user={SUPERUSER}",
        "hot_standby_feedback": "on",
        "max_standby_streaming_delay": delay,
        "wal_receiver_status_interval": "1s",
    }


def make(primary: Server, standby: Server, *extra: str) -> None:
    """Make the data directory of a standby, not started, of a running primary; `extra` are pg_basebackup's options.

    Raises OnlineError.
    """
    standby.data.mkdir(mode=0o700)
    if standby.user:
        shutil.chown(standby.data, standby.user)
    where: list[str | Path] = ["-h", primary.sockets, "-p", PORT, "-U", SUPERUSER, "-D", standby.data]
    how = ["--checkpoint=fast", "--no-sync", "--wal-method=stream", *extra]
    done = run([primary.binaries / "pg_basebackup", *where, *how], standby.user)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OnlineError(
            f"No standby of {primary.data} can be made: {reason}.",
            f"see that there is space in {standby.home}, and the server's log, {primary.log}.",
        )
    (standby.data / "standby.signal").touch()


@contextmanager
def standby(primary: Server) -> Iterator[Server]:
    """A running standby of a server of ours beside its home, deleted at the end of the block."""
    home = primary.home.with_name(f"{primary.home.name}-standby")
    sockets = Path(f"{primary.sockets}-s")
    made = replace(primary, data=home / "data", sockets=sockets, options={**primary.options, **options(primary)})
    made.remove()  # what a killed run left
    make_directory(home, 0o755 if made.user else 0o700)
    try:
        make(primary, made)
        made.start()
        yield made
    finally:
        made.remove()
