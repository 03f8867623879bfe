"""Readers at volume: answered through indexes, touching few pages, whatever the niche and however the plan was made."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Literal, NamedTuple

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.dialects import postgresql

from models.reader import Reader, readers
from tests.fixtures.databases import Templates, conninfo
from tests.fixtures.volume import BUSIEST, TYPICAL, fill

Niche = Literal["typical", "busiest"]
PlanMode = Literal["custom", "generic"]
Plan = dict[str, Any]

NICHES: dict[Niche, int] = {"typical": TYPICAL, "busiest": BUSIEST}
PLAN_MODES: tuple[PlanMode, ...] = ("custom", "generic")

# What is asked beside the niche; the rest is left to the defaults.
ASKED: dict[str, dict[str, Any]] = {
    "content_recommendations": {"user_id": "user 7"},
    "niche_history": {"since": datetime.now(UTC).date() - timedelta(days=365)},
}

# Pages of 8 kB that an answer may touch, for the typical and for the busiest niche. Where the busiest needs many, each
# holds a row or two that the answer is made of: a year's 1,000 scorings, 1,300 correlated pairs.
MOST_PAGES: dict[str, tuple[int, int]] = {
    "competitor_analysis": (20, 60),
    "content_recommendations": (20, 40),
    "cross_platform": (20, 100),
    "hot_niches": (160, 160),
    "niche_history": (20, 1000),
    "niche_scout": (30, 40),
    "trend_chart": (10, 10),
    "trend_correlations": (20, 1100),
    "trending_niches": (200, 200),
}

# Statements as maintenance, the drain and erasure run them.
MAINTENANCE = {
    "delete expired trends": """
        DELETE FROM analytics.trend_cache WHERE trend_id IN (
            SELECT trend_id FROM analytics.trend_cache WHERE valid_until <= now() ORDER BY valid_until LIMIT 1000
        )
    """,
    "drain": "DELETE FROM analytics.niche_daily_activity_summary WHERE events = 0",
    "drain days before the horizon": "DELETE FROM analytics.niche_daily_activity_kept WHERE events = 0",
    "erase a user": "DELETE FROM analytics.content_recommendations WHERE user_id = 'user 7'",
}

# As where retention is on: a part of the activity is that of days whose events go.
HORIZON = """
    SELECT analytics.move_retention_horizon('analytics_events', (now() - interval '60 days')::date);
    ANALYZE analytics.niche_daily_activity_kept, analytics.niche_daily_activity_summary
"""

# To the letter of the plan, whoever uses them.
THE_PLANS_OWN = {f"idx_analytics_events_{what}" for what in ("timestamp", "type_source", "niche_id", "user_id")}


class Case(NamedTuple):
    reader: str
    niche: Niche
    mode: PlanMode


CASES = [Case(reader.name, niche, mode) for reader, niche, mode in product(readers(), NICHES, PLAN_MODES)]


@pytest.fixture(scope="module")
def volume(templates: Templates) -> Iterator[psycopg.Connection[Any]]:
    made = templates.clone("created")
    url = next(made)
    fill(create_engine(url, poolclass=NullPool))
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(HORIZON)
        yield connection
    next(made, None)


@pytest.fixture(scope="module")
def plans(volume: psycopg.Connection[Any]) -> dict[Case, Plan]:
    """How each case was run."""
    return {
        case: explain(volume, case, {"niche_id": NICHES[case.niche], **ASKED.get(case.reader, {})}) for case in CASES
    }


def explain(connection: psycopg.Connection[Any], case: Case, given: dict[str, Any]) -> Plan:
    statement = text(Reader(case.reader).sql).compile(dialect=postgresql.dialect(paramstyle="numeric_dollar"))
    arguments = sql.SQL(", ").join([sql.Literal(given.get(name)) for name in statement.positiontup or ()])
    run = sql.SQL("EXECUTE reader ({})").format(arguments)
    connection.execute(f"SET plan_cache_mode = force_{case.mode}_plan")
    connection.execute(f"PREPARE reader AS {statement}")
    connection.execute(run)  # a session's first run also reads the catalog
    answer = connection.execute(sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ") + run).fetchone()
    connection.execute("DEALLOCATE reader")
    assert answer is not None
    plan: Plan = answer[0][0]["Plan"]
    return plan


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def pages(plan: Plan) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_no_large_relation_is_read_whole(case: Case, plans: dict[Case, Plan], volume: psycopg.Connection[Any]) -> None:
    large = {
        name
        for (name,) in volume.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'm') AND reltuples > 1000")
    }
    assert len(large) > 5
    read_whole = {node["Relation Name"] for node in nodes(plans[case]) if node["Node Type"] == "Seq Scan"}
    assert not read_whole & large


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_few_pages_are_touched(case: Case, plans: dict[Case, Plan]) -> None:
    typical, busiest = MOST_PAGES[case.reader]
    plan = plans[case]
    assert plan["Actual Rows"] > 0
    assert pages(plan) <= (busiest if case.niche == "busiest" else typical)


@pytest.mark.parametrize("mode", PLAN_MODES)
def test_looking_in_vain_for_a_trending_niche_reads_the_index_alone(
    mode: PlanMode, volume: psycopg.Connection[Any]
) -> None:
    plan = explain(volume, Case("trending_niches", "typical", mode), {"minimum_days": 15})
    assert plan["Actual Rows"] == 0
    assert pages(plan) <= 120


def test_every_index_is_used(plans: dict[Case, Plan], volume: psycopg.Connection[Any]) -> None:
    used = {node.get("Index Name") for plan in plans.values() for node in nodes(plan)}
    for statement in MAINTENANCE.values():
        answer = volume.execute(f"EXPLAIN (FORMAT JSON) {statement}").fetchone()
        assert answer is not None
        used |= {node.get("Index Name") for node in nodes(answer[0][0]["Plan"])}
    whole = volume.execute("""
        SELECT x.relname, pg_partition_root(x.oid)::regclass::text
        FROM pg_class AS x
        WHERE x.relkind = 'i' AND x.relispartition
    """).fetchall()
    used |= {root.removeprefix("analytics.") for name, root in whole if name in used}
    declared = volume.execute("""
        SELECT i.indexrelid::regclass::text
        FROM pg_index AS i
        INNER JOIN pg_class AS c ON c.oid = i.indexrelid
        LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
        WHERE c.relnamespace = 'analytics'::regnamespace AND k.oid IS NULL
    """).fetchall()
    names = {name.removeprefix("analytics.") for (name,) in declared}
    assert names >= THE_PLANS_OWN
    assert names - THE_PLANS_OWN - used == set()
