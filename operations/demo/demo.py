"""The demo: a sample Phase 1 database, migrated and backfilled, in a database of its own of the embedded server.

Every part can be run again: Phase 1 is built in one transaction, migration and backfill go on where they stopped, and a
scorer that ran shows in ``features``. So a demo that was killed is finished by the next one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from alembic_online.database import engine
from alembic_online.errors import OnlineError
from rich.console import Console
from sqlalchemy import URL, Connection, Engine, NullPool, func, inspect, select, table

from models import ANALYTICS, Feature, HotNicheToday
from operations import maintenance, output, phase1
from operations.database import embedded_address
from operations.demo.history import EVENTS, backfill
from operations.embedded import CLONE, Server
from operations.phase1 import Shape
from operations.reporting import checks
from operations.reporting.collecting import check, collect
from operations.reporting.page import write
from operations.scope import SCOPE
from operations.verify.subject import WHOLE

NICHES = 20_000
TOP = 10

Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """A revision that was applied."""

    revision: str
    title: str
    seconds: float


@dataclass(frozen=True)
class Relation:
    """A table or view that can be read."""

    name: str
    kind: str
    rows: int


@dataclass(frozen=True)
class HotNiche:
    """A row of hot_niches_today, with the three columns of Phase 2."""

    phrase: str | None
    opportunity: Decimal | None
    trend_direction: str | None
    trend_confidence: Decimal | None
    days_trending: int | None


@dataclass(frozen=True)
class Demo:
    """What a run did: niches built, steps applied, scorer run; and what there is now. `psql` opens the database."""

    database: str
    niches_built: int
    steps: list[Step]
    scored: bool
    rows_backfilled: int
    relations: list[Relation]
    hot_niches: list[HotNiche]
    psql: str
    report: Path
    """The page about its rollout."""

    @property
    def did_nothing(self) -> bool:
        return not (self.niches_built or self.steps or self.scored or self.rows_backfilled)


def run(server: Server, shape: Shape, say: Say, niches: int = NICHES, events: int = EVENTS) -> Demo:
    """Build, migrate and score what is not yet; `say` hears of each part as it begins or ends. Raises OnlineError."""
    database = f"demo_{shape}"
    if not server.is_running():
        say("Starting the embedded PostgreSQL")
    url = embedded_address(server, database)
    with _alone_in(url) as demo:
        built = _build(demo, shape, niches, say)
        steps = _migrate(demo, say)
        scored = _score(demo, shape, say)
        say("sidb backfill")
        backfilled = backfill(demo, say, events)
        _maintain(url, say)
        say("sidb report")
        made = checks.report(collect(url, check(url, WHOLE, Console(quiet=True))))
        page = write(made, CLONE / "build" / "demo", database)
        with demo.connect() as connection:
            return Demo(
                database=database,
                niches_built=built,
                steps=steps,
                scored=scored,
                rows_backfilled=backfilled,
                relations=list(_relations(connection)),
                hot_niches=_hot_niches(connection),
                psql=server.psql_command(database),
                report=page,
            )


def show(demo: Demo, console: Console) -> None:
    """What there is now, and what to type next."""
    if demo.did_nothing:
        console.print(f"There is nothing to do: {demo.database} is migrated, scored and backfilled.")
    console.print()
    console.print(f"Tables and views of {demo.database}", style=output.TITLE)
    console.print(output.table(demo.relations))
    console.print()
    console.print(f"hot_niches_today, the top {TOP}, with the three new columns", style=output.TITLE)
    console.print(output.table(demo.hot_niches))
    console.print()
    console.print("Next", style=output.TITLE)
    for action, typed in (
        ("look at it", demo.psql),
        ("run the tests", "make test"),
        ("delete it", ".venv/bin/sidb server remove"),
        ("its report", str(demo.report)),
    ):
        console.print(f"  {action + ':':<15}{typed}", soft_wrap=True)


@contextmanager
def _alone_in(url: URL) -> Iterator[Engine]:
    """An engine for the demo's database. The lock has its own connection, in no transaction: it holds up nothing."""
    demo = engine(url, path=SCOPE.path, poolclass=NullPool)
    with demo.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(func.hashtextextended("sidb demo", 0)))):
            raise OnlineError(
                f"Another demo is at work in {url.database}.", "wait until it is done, then run it again."
            )
        yield demo


def _build(demo: Engine, shape: Shape, niches: int, say: Say) -> int:
    with demo.begin() as connection:
        if inspect(connection).has_table(Feature.__tablename__):
            return 0
        say(f"Building Phase 1: {niches:,} niches, hot_niches_today as a {_named(shape)}")
        phase1.create(connection, shape)
        phase1.sample(connection, niches)
        phase1.refresh(connection, shape)
    return niches


def _migrate(demo: Engine, say: Say) -> list[Step]:
    say("alembic upgrade head")
    steps: list[Step] = []
    since = time.monotonic()

    def applied(*, step: Any, **_: Any) -> None:
        nonlocal since
        now = time.monotonic()
        steps.append(Step(step.up_revision_id, step.up_revision.doc.rstrip("."), round(now - since, 3)))
        say(f"  {steps[-1].revision}  {steps[-1].title:<30}{steps[-1].seconds:6.2f} s")
        since = now

    config = Config(CLONE / "alembic.ini")
    config.attributes.update(connection=demo, configure_logging=False, on_version_apply=applied)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise OnlineError(
            f"The migration of {demo.url.database} stopped: {error}",
            "if it was a change of yours, correct it; `sidb server remove` begins anew.",
        ) from error
    return steps


def _score(demo: Engine, shape: Shape, say: Say) -> bool:
    with demo.begin() as connection:
        first, last = connection.execute(select(func.min(Feature.updated_at), func.max(Feature.updated_at))).one()
        if first == last:  # the scorer gives all niches the same time
            return False
        say("Running Phase 1's nightly scorer on it, unchanged")
        phase1.score(connection, shape)
    return True


def _maintain(url: URL, say: Say) -> None:
    done = [task for task in maintenance.run(url).tasks if task.amount]
    if done:
        say("sidb maintain")
    for task in done:
        say(f"  {task.task:<14}{task.amount:,}")


def _relations(connection: Connection) -> Iterator[Relation]:
    inspector = inspect(connection)
    for schema in ("public", ANALYTICS):
        for kind, names in (
            ("table", inspector.get_table_names(schema)),
            ("materialized view", inspector.get_materialized_view_names(schema)),
            ("view", inspector.get_view_names(schema)),
        ):
            for name in sorted(names):
                rows = connection.scalar(select(func.count()).select_from(table(name, schema=schema)))
                yield Relation(f"{schema}.{name}", kind, rows or 0)


def _hot_niches(connection: Connection) -> list[HotNiche]:
    hot = HotNicheToday
    columns = (hot.phrase, hot.opportunity, hot.trend_direction, hot.trend_confidence, hot.days_trending)
    top = select(*columns).order_by(hot.opportunity.desc(), hot.phrase).limit(TOP)
    return [HotNiche(*row) for row in connection.execute(top)]


def _named(shape: Shape) -> str:
    return "materialized view" if shape is Shape.MATVIEW else "table"
