"""Free space for what the migration and its backfill will write, as far as it can be seen from here."""

import ipaddress
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic_online import Planned
from alembic_online.quantities import size

from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

BYTES_PER_ROW = 2_000
"""With indexes: the plan's 20 GB for 10 million rows (Data Volume)."""

SORTS_SHARE = 0.1
"""Of the tables' size, for what spills to disk while they are compared."""

WRITTEN = re.compile(r"(?:added index|changed materialized view) ([^.]+\.[^.]+)")
"""A line of a step that writes as much as a relation holds, at most."""

KEYS = re.compile(r"changed constraint ([^.]+\.[^.]+)\.\S+_pkey")
"""A line of a step that builds the index of a key anew."""

SPACE = Check(
    "free space",
    "Free space where the server keeps tables, sorts and WAL, against the plan's estimate: 2 kB a new row, indexes "
    "included. SQL does not show it; it can be seen where the server runs on this machine.",
    "add storage, or say with --rows how many new rows are really expected.",
)


@dataclass(frozen=True)
class Filesystem:
    """Of one file system: what goes there, how many bytes of it, and how many are free."""

    holds: list[str]
    needed: float
    free: int

    def __str__(self) -> str:
        return f"{', '.join(self.holds)}: {size(self.free)} free, {size(self.needed)} needed"


def space(context: Context) -> Finding:
    """For all that is to come: the new rows, and what is sorted and logged meanwhile."""
    tables = context.request.rows * BYTES_PER_ROW
    needed = {"tables": tables, "sorts": tables * SORTS_SHARE, "WAL": context.value("wal_kept")}
    return _judged(context, needed, f"{size(sum(needed.values()))} for {context.request.rows:,} rows")


def for_steps(context: Context, steps: Sequence[Planned]) -> Finding:
    """For the steps alone: indexes on tables that are there, and a materialized view beside the one it replaces."""
    lines = set().union(*(step.lines for step in steps)) if steps else set()
    written = {found[1] for line in lines if (found := WRITTEN.match(line))}
    keys = {found[1] for line in lines if (found := KEYS.match(line))}
    bytes_ = context.value("size_by_estimate", relations=sorted(written))
    bytes_ += 2 * context.value("size_of_keys", relations=sorted(keys))  # one more column, and a safe margin
    return _judged(context, {"tables": bytes_, "sorts": bytes_, "WAL": bytes_}, f"{size(3 * bytes_)} for the steps")


def _judged(context: Context, needed: Mapping[str, float], estimate: str) -> Finding:
    places = [(row.what, row.directory) for row in context.rows("directories")]
    look = f"see on the server itself (df -h, or the provider's storage metric) that {estimate} are free."
    if any(directory is None for _, directory in places):
        return SPACE.unknown("only members of pg_read_all_settings may see where the server keeps its data", look)
    if (why := _elsewhere(context)) is not None:
        return SPACE.unknown(why, look)
    try:
        seen, unseen = _filesystems([(what, Path(directory)) for what, directory in places], needed)
    except OSError as error:
        return SPACE.unknown(f"{error.filename} cannot be looked at: {error.strerror}", look)
    short = [str(filesystem) for filesystem in seen if filesystem.free < filesystem.needed]
    if unseen and not short:
        return SPACE.unknown("; ".join([*map(str, seen), *unseen]), look)
    return judged(SPACE, "; ".join(map(str, seen)), short)


def _filesystems(places: list[tuple[str, Path]], needed: Mapping[str, float]) -> tuple[list[Filesystem], list[str]]:
    """The file systems, and what cannot be looked at."""
    unseen: list[str] = []
    holding: dict[int, list[str]] = defaultdict(list)
    free: dict[int, int] = {}
    for what, directory in places:
        try:
            device = os.stat(directory).st_dev
        except PermissionError as error:  # pg_wal is often a link to another disk, in a directory for its owner alone
            unseen.append(f"{what}: {directory} cannot be looked at: {error.strerror}")
            continue
        if what not in holding[device]:
            holding[device].append(what)
        free[device] = shutil.disk_usage(directory).free
    seen = [Filesystem(whats, sum(needed[what] for what in whats), free[at]) for at, whats in holding.items()]
    return seen, unseen


def _elsewhere(context: Context) -> str | None:
    """Why the server's files are not those of this machine; None if they are."""
    if not _is_near(context.connection.info):
        return "the server runs on another machine"
    directory = Path(next(row.directory for row in context.rows("directories") if row.what == "WAL")).parent
    if not directory.is_dir():
        return f"the server's data directory {directory} is not on this machine: it runs in a container"
    try:
        started = (directory / "postmaster.pid").read_text(encoding="utf-8").splitlines()[2]
    except PermissionError:  # not the server's own user; a socket hardly leads into a container
        return "it cannot be told whether the server runs here" if context.connection.info.hostaddr else None
    except (OSError, IndexError):
        started = "0"
    if abs(int(started) - context.value("started")) > 10:
        return f"{directory} on this machine belongs to another server"
    return None


def _is_near(info: psycopg.ConnectionInfo) -> bool:
    """Whether the connection goes through a socket, or to this machine's own address."""
    return not info.hostaddr or ipaddress.ip_address(info.hostaddr).is_loopback


QUESTIONS: Questions = {SPACE: space}
