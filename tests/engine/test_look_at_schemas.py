"""A schema `analytics` that another team already has is refused before the first step, and stays theirs."""

import pytest
from sqlalchemy import URL

from tests.engine.conftest import current, refusal
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD
from tests.operations.preflight.conftest import ask, execute

OURS = "'Advanced analytics of the Social Intelligence service (Phase 2)'"
TAKEN = {
    "a view": ("CREATE VIEW analytics.report AS SELECT 1 AS one", "it holds view analytics.report"),
    "a table of the same name": (
        "CREATE TABLE analytics.trend_cache (n int)",
        "it holds table analytics.trend_cache",
    ),
    "many": (
        "CREATE TABLE analytics.a (n int); CREATE TABLE analytics.b (n int); CREATE TABLE analytics.c (n int);"
        " CREATE TYPE analytics.d AS ENUM ('e'); CREATE FUNCTION analytics.f() RETURNS int LANGUAGE sql RETURN 1",
        "it holds function analytics.f(), table analytics.a, table analytics.b and 2 more",
    ),
    "rights of everybody": ("GRANT USAGE ON SCHEMA analytics TO PUBLIC", "everybody has rights on it"),
    "a comment": ("COMMENT ON SCHEMA analytics IS 'of the web team'", "its comment is 'of the web team'"),
}


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("phase1_table")


@pytest.mark.parametrize(("statement", "why"), TAKEN.values(), ids=TAKEN)
def test_it_is_another_teams(url: URL, statement: str, why: str) -> None:
    execute(url, "CREATE SCHEMA analytics", statement)
    said = refusal(Alembic(url).upgrade)
    assert f"\n  schema analytics is there, and is not Phase 2's: {why}\n" in said
    assert "have its owner rename it (ALTER SCHEMA analytics RENAME TO …)" in said
    assert current(url) is None
    found = ask(url, "schemas")
    assert (found.verdict, why in found.detail) == ("failed", True)
    execute(url, "ALTER SCHEMA analytics RENAME TO theirs")
    assert ask(url, "schemas").verdict == "ok"
    Alembic(url).upgrade()
    assert current(url) == HEAD


@pytest.mark.parametrize("statement", ["", "CREATE EXTENSION pg_trgm SCHEMA analytics"])
def test_an_empty_one_is_used(url: URL, statement: str) -> None:
    execute(url, "CREATE SCHEMA analytics", *filter(None, [statement]))
    assert ask(url, "schemas").verdict == "ok"
    Alembic(url).upgrade()
    assert current(url) == HEAD


@pytest.mark.parametrize(
    ("template", "schema", "taken"),
    [
        ("phase1_table", "analytics_partitions", True),
        ("phase1_matview", "analytics_phase1", True),
        ("phase1_table", "analytics_phase1", False),
    ],
)
def test_the_other_schemas_that_revisions_make(clone: Clone, template: str, schema: str, taken: bool) -> None:
    url = clone(template)
    execute(url, f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.mine (n int)")
    assert (ask(url, "schemas").verdict == "failed") is taken
    if taken:
        assert f"schema {schema} is there, and is not Phase 2's: it holds table {schema}.mine" in refusal(
            Alembic(url).upgrade
        )
        assert current(url) is None


def test_what_a_downgrade_left_for_others_is_not_refused(clone: Clone) -> None:
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    lived_in.in_analytics(url)
    execute(url, "GRANT USAGE ON SCHEMA analytics TO PUBLIC")
    Alembic(url).downgrade("1.0.0")
    assert ask(url, "schemas").verdict == "ok"
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_one_whose_comment_was_changed_can_be_called_ours_again(clone: Clone) -> None:
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    lived_in.in_analytics(url)
    execute(url, "COMMENT ON SCHEMA analytics IS NULL")
    Alembic(url).downgrade("1.0.0")
    statement = f"COMMENT ON SCHEMA analytics IS {OURS};"
    assert statement in refusal(Alembic(url).upgrade)
    execute(administrator(url), statement)
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_an_upgrade_that_was_interrupted_goes_on(url: URL) -> None:
    Alembic(url).upgrade("2.0.0")
    execute(url, "CREATE VIEW analytics.theirs AS SELECT 1 AS one")
    assert ask(url, "schemas").verdict == "ok"
    Alembic(url).upgrade("2.0.1")
    assert current(url) == "2.0.1"
