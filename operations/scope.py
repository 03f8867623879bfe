"""What the engine is told of this project: what is ours in a database, and how the target is built."""

import logging
import time
from collections.abc import Hashable
from importlib.metadata import version
from typing import Any

import psycopg
from alembic_online import Scope
from sqlalchemy import URL, Connection, text

from models import ANALYTICS, HOT_NICHES_TODAY, ROLES, Base, views
from operations import fingerprint
from operations.bookkeeping import BOOKKEEPING
from operations.settings import Settings

log = logging.getLogger("alembic.online")

PHASE1 = "1.0.0"
TOLD_AFTER = 2.0  # seconds that a fingerprint takes before the log mentions it


def _variant(connection: Connection) -> Hashable:
    """Whether `hot_niches_today` is a materialized view, and the files of which the target is built."""
    kind = text("SELECT relkind FROM pg_class WHERE oid = to_regclass('public.hot_niches_today')")
    return connection.scalar(kind) == "m", tuple(path.read_bytes() for path in sorted(views.SQL.rglob("*.sql")))


def _build(connection: Connection, variant: Any) -> None:
    Base.metadata.create_all(connection, checkfirst=False)
    is_materialized_view, _files = variant
    if is_materialized_view:
        connection.execute(text(f"DROP TABLE public.{HOT_NICHES_TODAY.name}"))
        connection.exec_driver_sql(HOT_NICHES_TODAY.sql, execution_options={"no_parameters": True})


def _scratch_url() -> URL | None:
    return Settings.from_environment().scratch_database_url


def _fingerprint(connection: psycopg.Connection[Any]) -> None:
    """Keep what Phase 1's rows are before anything touches them, for `sidb verify`."""
    began = time.monotonic()
    try:
        niches = fingerprint.take(connection, fingerprint.BEFORE_UPGRADE)
    except psycopg.errors.InsufficientPrivilege as error:
        log.warning("Phase 1's rows are not fingerprinted, and cannot be compared later: %s", error)
        return
    if (seconds := time.monotonic() - began) > TOLD_AFTER:
        log.info("Fingerprint of %d niches, for `sidb verify`: %.1f s", niches, seconds)


SCOPE = Scope(
    metadata=Base.metadata,
    schemas=(ANALYTICS,),
    shared=("public.features", "public.hot_niches_today"),
    retained_schemas=("analytics_phase1",),
    group_roles=ROLES,
    name="sidb",
    version=version("social-intelligence-db"),
    bookkeeping=BOOKKEEPING,
    build=_build,
    variant=_variant,
    scratch_url=_scratch_url,
    scratch_setting="SCRATCH_DATABASE_URL",
    before_leaving={PHASE1: _fingerprint},
    rollback_command="sidb rollback",
)
