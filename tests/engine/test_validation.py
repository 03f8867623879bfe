"""What a step left is validated, and what is not as it should be is refused before the next one."""

from tests.engine.conftest import applied, current, ledger, refusal, run
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.revisions import HEAD


def test_an_invalid_index(clone: Clone) -> None:
    """Before the first step it is nobody's who may leave one but a step's that builds it anew."""
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.5")
    run(
        url,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'analytics.idx_trend_cache_valid_until'::regclass",
    )
    before = ledger(url)
    said = refusal(Alembic(url).upgrade)
    assert said.splitlines()[:2] == [
        "Before the first step, not everything is as it should be; nothing was changed.",
        "  index analytics.idx_trend_cache_valid_until on analytics.trend_cache is invalid",
    ]
    assert "REINDEX INDEX CONCURRENTLY" in said
    assert (current(url), ledger(url)) == ("2.0.5", before)
    run(url, "REINDEX INDEX CONCURRENTLY analytics.idx_trend_cache_valid_until")
    Alembic(url).upgrade()
    assert ledger(url)[-1].validated


SETS_INVALID = """
CREATE FUNCTION public.meddle() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE pg_index SET indisvalid = false
    WHERE indexrelid = to_regclass('analytics.ml_features_pkey') AND to_regclass('analytics.trend_cache') IS NOT NULL;
END
$$;
CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.meddle();
"""


def test_an_index_that_becomes_invalid_meanwhile(clone: Clone) -> None:
    url = clone("phase1_table")
    run(url, SETS_INVALID)
    said = refusal(Alembic(url).upgrade)
    assert "applied, but not everything is as it should be; no further step was run." in said
    assert "  index analytics.ml_features_pkey on analytics.ml_features is invalid" in said.splitlines()
    assert (ledger(url)[-1].outcome, ledger(url)[-1].validated) == ("applied", False)
    assert refusal(Alembic(url).upgrade) == said, "it is looked at again before anything else is done"
    run(url, "DROP EVENT TRIGGER meddle", "REINDEX INDEX CONCURRENTLY analytics.ml_features_pkey")
    Alembic(url).upgrade()
    assert ledger(url)[-1].validated


UNEXPECTED = """
CREATE FUNCTION public.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('analytics.trend_cache') IS NOT NULL AND to_regclass('analytics.stray') IS NULL THEN
        CREATE TABLE analytics.stray (stray text);
    END IF;
END
$$;
CREATE EVENT TRIGGER meddle ON ddl_command_end EXECUTE FUNCTION public.meddle();
"""


def test_a_step_that_changes_something_else(clone: Clone) -> None:
    url = clone("phase1_table")
    run(url, UNEXPECTED)
    said = refusal(Alembic(url).upgrade)
    assert "2.0.1 upgrade: applied, but not everything is as it should be" in said
    assert "  not expected: added table analytics.stray\n" in said
    assert current(url) == "2.0.1", "the next step was not run"
    run(url, "DROP EVENT TRIGGER meddle", "DROP TABLE analytics.stray")
    Alembic(url).upgrade()
    assert applied(url)[-1] == f"{HEAD} upgrade"


def test_a_stamp_accepts_what_is_there(clone: Clone) -> None:
    url = clone("phase1_table")
    run(url, UNEXPECTED)
    refusal(Alembic(url).upgrade)
    Alembic(url).stamp("2.0.1")
    Alembic(url).upgrade()
    assert current(url) == HEAD
