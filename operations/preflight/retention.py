"""Log and WAL retention, raised for the time of a rollout and put back afterwards.

What is raised is written to sidb.raised_setting and committed before the server is told, and forgotten only once the
old value is in force again: whoever is killed in between, `finish` puts back what was. Source: the plan's Preparation.
"""

import time
from collections.abc import Mapping
from typing import Any

from psycopg import sql

from operations.bookkeeping import RAISED_SETTINGS, open_records
from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

RAISED = {
    "wal_keep_size": "4GB",  # a replica without a slot may be stopped for a while and still catch up
    "max_slot_wal_keep_size": "4GB",  # where limited: one with a slot as well
    "log_truncate_on_rotation": "off",  # a log named after the day of the week is appended to, not overwritten
    "log_lock_waits": "on",  # who waited for whom is in the log
}
"""Settings and the least that they are raised to; none of them needs a restart or slows the server down."""

RETENTION = Check(
    "retention",
    f"Logs and WAL are kept for longer during the rollout: {', '.join(f'{n} = {v}' for n, v in RAISED.items())}.",
    "sidb preflight --prepare",
)
LOG = Check(
    "server log",
    "Where the server's log goes: what PostgreSQL does not write to files itself, it cannot keep for longer.",
    "keep it for longer where it is collected: journald, the container's log driver, the provider's console.",
)
RESTORED = Check(
    "settings put back",
    "What the rollout had raised is as it was before.",
    "have an administrator run the statements named, then run it again.",
)

RELOAD = "SELECT pg_reload_conf()"
IN_FORCE_SECONDS = 5


def retention(context: Context) -> Finding:
    """How it is now."""
    low = [f"{setting.name} is {setting.value}" for setting in _settings(context) if not setting.enough]
    remembered = [old.name for old in _remembered(context)]
    well = f"raised, to be put back: {', '.join(remembered)}" if remembered else "as much as a rollout needs"
    return judged(RETENTION, well, [], low)


def log(context: Context) -> Finding:
    seen = context.row("log")
    if seen.collected:
        return LOG.ok(f"in files: {seen.file}" if seen.file else "in files")
    return LOG.warning(f"goes to {seen.destination}, not to files of the server (logging_collector is off)")


def prepare(context: Context) -> list[Finding]:
    """Raise what is too low; where this role may not, say the statements."""
    findings = []
    raised = {}
    for setting in _settings(context):
        if setting.enough:
            continue
        change, undo = _set(setting.name, setting.wanted), _put_back(setting.name, setting.value, setting.in_auto_conf)
        if setting.obstacle:
            remedy = f"as an administrator: {change}; {RELOAD}; and after the rollout: {undo}; {RELOAD};"
            findings.append(RETENTION.warning(f"{setting.name} is {setting.value}: {setting.obstacle}", remedy))
            continue
        open_records(context.connection, RAISED_SETTINGS)
        # Where the file that a value comes from is hidden, the value itself is what is put back.
        in_auto_conf = setting.in_auto_conf is not False
        context.do(
            "remember", name=setting.name, before=setting.value, in_auto_conf=in_auto_conf, raised=setting.wanted
        )
        context.connection.execute(change.encode())
        raised[setting.name] = setting.wanted
    return [*_in_force(context, RETENTION, raised), *findings] or [retention(context)]


def restore(context: Context) -> list[Finding]:
    """Put back what was raised, unless somebody else changed it since. Any number of times."""
    obstacles = {setting.name: setting.obstacle for setting in _settings(context)}
    findings = []
    back, done = {}, []
    for old in _remembered(context):
        statement = _put_back(old.name, old.before, old.in_auto_conf)
        if old.value not in (old.raised, old.before):
            findings.append(RESTORED.warning(f"{old.name} is {old.value} by now, and stays so", "see who set it."))
        elif not obstacles[old.name]:
            context.connection.execute(statement.encode())  # again, where a run was killed after it
            back[old.name] = old.before
        elif old.value == old.raised:
            remedy = f"as an administrator: {statement}; {RELOAD}; then run it again."
            findings.append(RESTORED.failed(f"{old.name} is {old.value}: {obstacles[old.name]}", remedy))
            continue
        done.append(old.name)
    findings = [*_in_force(context, RESTORED, back), *findings]
    for name in done:
        context.do("forget", name=name)
    return findings or [RESTORED.ok("nothing is raised")]


def _settings(context: Context) -> list[Any]:
    return context.rows("raised", names=list(RAISED), values=list(RAISED.values()))


def _remembered(context: Context) -> list[Any]:
    return context.rows("remembered") if context.value("has_remembered") else []


def _set(name: str, value: str) -> str:
    return sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)).as_string(None)


def _put_back(name: str, value: str, in_auto_conf: bool | None) -> str:
    return f"ALTER SYSTEM RESET {name}" if in_auto_conf is False else _set(name, value)


def _in_force(context: Context, check: Check, wanted: Mapping[str, str]) -> list[Finding]:
    """Have the server read its files again; a finding on the settings that it should have now."""
    if not wanted:
        return []
    context.connection.execute(RELOAD)
    deadline = time.monotonic() + IN_FORCE_SECONDS
    while True:
        now = {row.name: row.value for row in context.rows("in_force", names=list(wanted))}
        late = [f"{name} is {now[name]}, not yet {value}" for name, value in wanted.items() if now[name] != value]
        if not late or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    told = ", ".join(f"{name} = {value}" for name, value in wanted.items())
    return [judged(check, told, [], late, "see in the server's log why it did not take it, and in pg_file_settings.")]


QUESTIONS: Questions = {LOG: log}
