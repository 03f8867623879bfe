"""What the engine is told of this project: what is ours in a database, and how the target is built."""

import logging
import re
import time
from collections.abc import Hashable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

import psycopg
from alembic_online import Additions, Scope
from sqlalchemy import URL, Connection, text

from backfill.pacing import Throttle
from models import ANALYTICS, HOT_NICHES_TODAY, PARTITIONS, ROLES, Base, views
from operations import fingerprint, grants, rights
from operations.bookkeeping import BOOKKEEPING
from operations.health import share_now
from operations.obstacles import obstacles
from operations.queries import query
from operations.settings import BackfillSettings, Settings
from operations.status.half_way import refuse_half_way

QUALIFIED = {"schema_translate_map": {None: Scope.default_schema}}
"""Execution options for statements built of the models, which name Phase 1's tables without their schema."""

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


def _keep_phase1(connection: psycopg.Connection[Any]) -> None:
    """Keep what Phase 1's rights and rows are before anything touches them, for `sidb verify`."""
    rights.take(connection, before_upgrade=True)
    began = time.monotonic()
    try:
        share = BackfillSettings.from_environment().share
        throttle = Throttle(partial(share_now, connection, share))
        niches = fingerprint.take(connection, fingerprint.BEFORE_UPGRADE, throttle)
    except psycopg.errors.InsufficientPrivilege as error:
        log.warning("Phase 1's rows are not fingerprinted, and cannot be compared later: %s", error)
        return
    if (seconds := time.monotonic() - began) > TOLD_AFTER:
        log.info("Fingerprint of %d niches, for `sidb verify`: %.1f s", niches, seconds)


def _unmet_by_phase1(connection: Connection) -> Sequence[str]:
    """Where Phase 1's relations do not hold what Phase 2 builds on, by the rule by which 1.0.0 adopts them."""
    return connection.scalars(text(query("verify/phase1_lacks"))).all()


def _set_aside(connection: Connection) -> Sequence[str]:
    """The months that an expiry has detached and is still to export or drop, as far as this role may know them."""
    if connection.exec_driver_sql(query("retention/usable")).scalar() is not True:
        return ()
    return connection.exec_driver_sql(query("retention/set_aside")).scalars().all()


ON_FEATURES = Additions(
    columns=("trend_vector", "last_analyzed_at", "analytics_version"),
    constraints=("features_trend_vector_check", "features_analytics_version_check"),
    triggers=("features_mark_trending_niches",),
)
ON_HOT_NICHES_TODAY = Additions(
    columns=("trend_direction", "trend_confidence", "days_trending"),
    constraints=(
        "hot_niches_today_trend_direction_check",
        "hot_niches_today_trend_confidence_check",
        "hot_niches_today_days_trending_check",
    ),
    triggers=("hot_niches_today_fill_trend",),
    # Phase 1's own query within ours, its columns, and its storage parameters.
    view=re.compile(
        r"hot_niches_today((?: WITH \([^\n]*\))?) AS\n SELECT (.*),\s+trend\.direction AS trend_direction,.*"
        r" FROM \((.*)\) hot\s+CROSS JOIN LATERAL",
        re.DOTALL,
    ),
)

SCOPE = Scope(
    metadata=Base.metadata,
    schemas=(ANALYTICS, PARTITIONS),
    shared={"public.features": ON_FEATURES, "public.hot_niches_today": ON_HOT_NICHES_TODAY},
    prerequisites=_unmet_by_phase1,
    retained_schemas=("analytics_phase1",),
    group_roles=ROLES,
    name="sidb",
    version=version("social-intelligence-db"),
    bookkeeping=BOOKKEEPING,
    build=_build,
    set_aside=_set_aside,
    variant=_variant,
    scratch_url=_scratch_url,
    scratch_setting="SCRATCH_DATABASE_URL",
    before_leaving={PHASE1: _keep_phase1},
    before_steps=refuse_half_way,
    obstacles=obstacles,
    after_upgrade=grants.make_up,
    changes_required=True,
    rollback_command="sidb rollback",
)
