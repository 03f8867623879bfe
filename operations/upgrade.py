"""`sidb upgrade` and `sidb history`: Alembic's upgrade with the engine's options, its plan, and the ledger."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from alembic_online import Entry, Keeper, Ledger, OnlineError, Options, UsageError, version_table
from alembic_online.database import engine
from alembic_online.sessions import driver, migration_engine
from rich.console import Console
from rich.text import Text
from sqlalchemy import URL, Connection, NullPool

from operations import output, replicas
from operations.embedded import CLONE
from operations.findings import Finding
from operations.scope import SCOPE


class UnclearError(OnlineError):
    """It is not known at which of our revisions the database is."""


@dataclass(frozen=True)
class Pending:
    """A step that an upgrade would run; `locks` as its revision declares them, `sql` what it would execute."""

    revision: str
    title: str
    locks: dict[str, str]
    sql: str


@dataclass(frozen=True)
class Plan:
    """Where the database is, and what an upgrade would run."""

    current: str | None
    steps: list[Pending]


@dataclass(frozen=True)
class History:
    """The ledger, the oldest attempt first.

    `unrecorded`: the revision at which the database is, where no step of the ledger led there: exported files or
    another tool did.
    """

    steps: list[Entry]
    unrecorded: str | None = None


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did: the ledger's entries of this run, and how the replicas are after it."""

    steps: list[Entry]
    replicas: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """An attempt as `show_history` prints it."""

    step: str
    outcome: str
    started: str
    seconds: str | None
    waited: str
    attempts: int
    blocked: int | None


def run(url: URL, revision: str, options: Options, console: Console) -> Upgraded:
    """Upgrade the database of `url` as `alembic upgrade` does that of the settings; a line a step on the console."""
    before = {entry.step_id for entry in history(url).steps}
    migrate(lambda config: command.upgrade(config, revision), url, options, console)
    steps = [entry for entry in history(url).steps if entry.step_id not in before]
    return Upgraded(steps, replicas.findings(url, options.replicas))


def migrate(
    run: Callable[[Config], None], url: URL, options: Options, console: Console, keeper: Keeper | None = None
) -> None:
    """One of Alembic's commands on the database of `url`, shown step by step. Raises OnlineError."""
    config = _config()
    config.attributes.update(connection=migration_engine(url, SCOPE), options=options, keeper=keeper)
    with said(console), console.status("Migrating"):
        _alembic(lambda: run(config))


def revision_of(connection: Connection) -> str | None:
    """The revision at which a database is; None: none. Raises UnclearError where there are several."""
    heads = _heads(connection)
    if len(heads) > 1:
        raise UnclearError(
            f"{SCOPE.default_schema}.alembic_version has {len(heads)} rows ({', '.join(sorted(heads))}), and should"
            " have one: at which revision the database is, is not known; nothing was changed.",
            version_table.which(heads, recorded(driver(connection))),
        )
    return heads[0] if heads else None


def known_revision_of(connection: Connection) -> str | None:
    """The same; UnclearError also where this code does not have it."""
    found = revision_of(connection)
    if found is not None and found not in {script.revision for script in script_directory().walk_revisions()}:
        raise UnclearError(
            f"The database is at {found}, which this code does not have; nothing was changed.",
            version_table.correction(recorded(driver(connection))),
        )
    return found


def recorded(connection: psycopg.Connection[Any]) -> str | None:
    """The revision to which the last step led that is recorded; None: none, or this role may not read the record."""
    return version_table.recorded(Ledger(connection, SCOPE), script_directory())


def plan(url: URL, revision: str) -> Plan:
    """What `run` would do. Changes nothing."""
    script = script_directory()
    with engine(url, poolclass=NullPool).connect() as connection:
        current = known_revision_of(connection)
    scripts: list[Script] = []
    _alembic(lambda: scripts.extend(script.iterate_revisions(revision, current or "base")))
    return Plan(current, [_pending(pending) for pending in reversed(scripts)])


def history(url: URL) -> History:
    """Every attempt at a step; empty where no migration was run by this code."""
    with engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        found = Ledger(driver(connection), SCOPE).history()
        at = _heads(connection)
        last = recorded(driver(connection))
    return History(found, at[0] if len(at) == 1 and at[0] != last else None)


def script_directory() -> ScriptDirectory:
    """The revisions."""
    return ScriptDirectory.from_config(_config())


def show_plan(planned: Plan, console: Console) -> None:
    console.print(f"The database is at {planned.current or 'no revision yet'}.")
    if not planned.steps:
        console.print("There is nothing to do.")
    for step in planned.steps:
        console.print(Text(f"\n{step.revision}  {step.title}", style=output.TITLE))
        for relation, mode in step.locks.items():
            console.print(f"  locks {relation}: {mode}")
        console.print(step.sql, soft_wrap=True)


def show_history(found: History, console: Console) -> None:
    if found.steps:
        console.print(output.table([_line(entry) for entry in found.steps]))
    elif not found.unrecorded:
        console.print("No migration was run here yet.")
    if found.unrecorded:
        console.print(
            f"The database is at {found.unrecorded}, and the ledger does not hold the step that led there: exported"
            " files or another tool ran it.",
            soft_wrap=True,
        )


def _heads(connection: Connection) -> tuple[str, ...]:
    options = {"version_table_schema": SCOPE.default_schema}
    return MigrationContext.configure(connection, opts=options).get_current_heads()


def _line(entry: Entry) -> Line:
    return Line(
        f"{entry.revision} {entry.direction}",
        entry.outcome if entry.validated is not False else "not valid",
        f"{entry.started:%Y-%m-%d %H:%M}",
        None if entry.seconds is None else f"{entry.seconds:.2f} s",
        f"{entry.seconds_waited:.2f} s",
        entry.lock_tries,
        entry.blocked_sessions,
    )


def _pending(script: Script) -> Pending:
    buffer = StringIO()
    config = Config(CLONE / "alembic.ini", output_buffer=buffer)
    config.attributes["configure_logging"] = False
    origin = script.down_revision or "base"
    _alembic(lambda: command.upgrade(config, f"{origin}:{script.revision}", sql=True))
    return Pending(script.revision, script.doc.rstrip("."), dict(script.module.locks["upgrade"]), buffer.getvalue())


def _config() -> Config:
    config = Config(CLONE / "alembic.ini")
    config.attributes["configure_logging"] = False
    return config


def _alembic(run: Callable[[], None]) -> None:
    """Alembic's own errors are about what was asked for: an unknown revision, two heads."""
    try:
        run()
    except OnlineError:
        raise
    except CommandError as error:
        raise UsageError(str(error), "see `sidb upgrade --help`, and `alembic history` for the revisions.") from None


class _Lines(logging.Handler):
    """A line for each thing that is said; warnings stand out on a terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else ""
        output.say(self.console, record.getMessage(), style)


@contextmanager
def said(console: Console) -> Iterator[None]:
    """What the engine says meanwhile, who is in the way above all: a line each, and once within one another."""
    logger = logging.getLogger("alembic.online")
    if any(isinstance(each, _Lines) for each in logger.handlers):
        yield
        return
    handler, level = _Lines(console), logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(level)
