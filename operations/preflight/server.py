"""The server itself: what it is, how it is set, how many connections it has left."""

from dataclasses import dataclass
from typing import Literal

from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

NEWEST_TESTED = 18
STANDBY = "it is a standby, which follows another server"

SERVER = Check(
    "server",
    "Version, encoding, and that it is a primary that takes writes, reached without a transaction pooler. Older than "
    "PostgreSQL 15 is refused when connecting.",
    "point DATABASE_URL at the primary itself.",
)
SETTINGS = Check(
    "settings",
    "Settings under which a migration would hang, its triggers not fire, or its work be lost.",
    "set what is named with ALTER SYSTEM, or see who set it for this role or database (\\drds in psql), and reload.",
)
NO_STANDBY = "synchronous_standby_names names replicas of which none is there: no commit returns"
CONNECTIONS = Check(
    "connections",
    "Connections left beside the application's: the migrator takes four, each backfill worker one.",
    "end sessions that nobody needs, or raise max_connections (CONNECTION LIMIT of the role or database).",
)


def server(context: Context) -> Finding:
    seen = context.row("server")
    wrong = []
    if seen.standby:
        wrong.append(STANDBY)
    elif seen.read_only:
        wrong.append("default_transaction_read_only is on: see who set it (\\drds in psql) and why, and reset it")
    if seen.encoding != "UTF8":
        wrong.append(f"the database's encoding is {seen.encoding}, not UTF8")
    doubtful = []
    if seen.pid != context.connection.info.backend_pid:
        doubtful.append("a pooler is in between; the upgrade refuses one that pools transactions")
    if context.connection.info.server_version // 10_000 > NEWEST_TESTED:
        doubtful.append(f"version {seen.version} is newer than {NEWEST_TESTED}, the newest tested")
    return judged(SERVER, f"PostgreSQL {seen.version}, a primary, {seen.encoding}", wrong, doubtful)


@dataclass(frozen=True)
class Wanted:
    """A setting that has to be so, and what happens if it is not."""

    name: str
    value: str
    otherwise: str
    verdict: Literal["failed", "warning"] = "warning"


WANTED = (
    Wanted("session_replication_role", "origin", "triggers do not fire", "failed"),
    Wanted("track_activities", "on", "nobody sees who is in the migration's way"),
    Wanted("track_counts", "on", "autovacuum does not know what to do"),
    Wanted("autovacuum", "on", "new tables are neither analysed nor vacuumed"),
    Wanted("fsync", "on", "a crash may lose everything"),
    Wanted("full_page_writes", "on", "a crash may damage tables"),
)


def settings(context: Context) -> Finding:
    values = {row.name: row.value for row in context.rows("settings", names=[wanted.name for wanted in WANTED])}
    wrong: dict[str, list[str]] = {"failed": [], "warning": []}
    for wanted in WANTED:
        if (value := values.get(wanted.name, wanted.value)) != wanted.value:
            wrong[wanted.verdict].append(f"{wanted.name} is {value}: {wanted.otherwise}")
    if context.value("waits_for_standby"):
        wrong["failed"].append(NO_STANDBY)
    return judged(SETTINGS, f"{len(WANTED)} looked at", wrong["failed"], wrong["warning"])


def connections(context: Context) -> Finding:
    seen, limits = context.row("connections"), context.limits
    wrong = []
    free = seen.allowed - seen.used
    used = f"{seen.used} of {seen.allowed} connections are in use"
    if free < limits.free_connections or seen.used > limits.connections_share * seen.allowed:
        wrong.append(used)
    for left, whose in ((seen.left_in_database, "this database"), (seen.left_to_role, "this role")):
        if left is not None and left < limits.free_connections:
            wrong.append(f"{whose} may have {left} more")
    return judged(CONNECTIONS, used, wrong)


QUESTIONS: Questions = {
    SERVER: server,
    SETTINGS: settings,
    CONNECTIONS: connections,
}
