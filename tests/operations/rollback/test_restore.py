"""Restore: up, rows, rollback, up, restore gives the same rows; what does not fit is named before anything changes."""

import io

import pytest
from alembic_online.catalog import Identity
from alembic_online.errors import OnlineError
from rich.console import Console
from sqlalchemy import Engine

from operations.phase1 import Shape
from operations.rollback import archives
from operations.verify.subject import WHOLE
from operations.verify.verification import verify
from tests.engine.conftest import catalog
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.ended import stopped
from tests.operations.rollback.conftest import (
    MOVES,
    SEQUENCES,
    TABLES,
    Fill,
    Role,
    bring_back,
    execute,
    finding,
    grant,
    privileges,
    roll_back,
    rows,
)


def there_and_back(engine: Engine, target: str) -> None:
    engine.dispose()
    roll_back(engine.url, target)
    Alembic(engine.url).upgrade()


def without_rights(found: dict[Identity, str]) -> dict[Identity, str]:
    return {identity: text for identity, text in found.items() if identity.kind != "privilege"}


@pytest.mark.parametrize("target", ["1.0.0", "2.0.0", "2.0.3"])
def test_the_same_rows_at_once(filled: Engine, role: Role, target: str) -> None:
    url = filled.url
    grant(url, role)
    before, complete, rights = rows(filled), catalog(url), privileges(url)
    sequences = execute(url, SEQUENCES)
    files = execute(url, FILES)
    there_and_back(filled, target)
    assert without_rights(catalog(url)) == without_rights(complete)
    found = bring_back(url)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert rows(filled) == before
    assert catalog(url) == complete
    assert privileges(url) == rights
    assert execute(url, SEQUENCES) == sequences
    assert execute(url, FILES) == files, "no table was written anew"
    execute(url, "INSERT INTO analytics.analytics_events VALUES (DEFAULT, 'view', 'test', now(), '{}', NULL, 1)")
    assert execute(url, ACTIVITY) == [(0,)]
    assert {line.state for line in archives.archives(url).tables} == {"restored"}


FILES = f"""
    SELECT relname, relfilenode FROM pg_class
    WHERE relnamespace = 'analytics'::regnamespace AND relname IN {TABLES} OR relname = 'analytics_events_first'
    ORDER BY 1
"""  # noqa: S608
ACTIVITY = """
    SELECT count(*) FROM analytics.niche_daily_activity AS shown
    FULL JOIN (
        SELECT niche_id, (event_timestamp AT TIME ZONE 'UTC')::date AS day, event_type, count(*) AS events
        FROM analytics.analytics_events WHERE niche_id IS NOT NULL GROUP BY 1, 2, 3
    ) AS counted USING (niche_id, day, event_type, events)
    WHERE shown.niche_id IS NULL OR counted.niche_id IS NULL
"""


HOT = """
    SELECT niche_id, trend_direction, trend_confidence, days_trending FROM public.hot_niches_today ORDER BY niche_id
"""


def test_hot_niches_have_their_trends_again(filled: Engine) -> None:
    """In both shapes: the table's are kept, the materialized view's come from the vectors that are back."""
    url = filled.url
    before = execute(url, HOT)
    assert any(days for *_, days in before)
    there_and_back(filled, "2.0.3")
    assert not any(days for *_, days in execute(url, HOT))
    bring_back(url)
    assert execute(url, HOT) == before
    found = verify(url, WHOLE, Console(file=io.StringIO())).findings
    assert [each for each in found if each.verdict == "failed"] == []


def test_others_triggers_find_what_they_name(filled: Engine) -> None:
    """Where the application finds it, not where the migration looks."""
    url = filled.url
    for statement in (
        f"ALTER ROLE {url.username} IN DATABASE {url.database} SET search_path = application, public",
        "CREATE SCHEMA application; CREATE TABLE application.audit (niche_id bigint);"
        "CREATE FUNCTION application.noted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " 'BEGIN INSERT INTO audit VALUES (NEW.niche_id); RETURN NEW; END';"
        "CREATE TRIGGER noted AFTER UPDATE ON features FOR EACH ROW EXECUTE FUNCTION application.noted()",
    ):
        execute(lived_in.administrator(url), statement)
    there_and_back(filled, "1.0.0")
    assert bring_back(url).exit_code == 0
    assert execute(lived_in.administrator(url), "SELECT count(*) FROM application.audit") == [(150,)]


def test_at_a_revision_that_does_not_count_activity_yet(filled: Engine) -> None:
    url = filled.url
    before = execute(url, "SELECT count(*), sum(niche_id) FROM analytics.analytics_events")
    roll_back(url, "1.0.0")
    Alembic(url).upgrade("2.0.4")
    found = bring_back(url)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert execute(url, "SELECT count(*), sum(niche_id) FROM analytics.analytics_events") == before
    Alembic(url).upgrade()
    assert execute(url, ACTIVITY) == [(0,)]


def test_into_tables_that_hold_rows(fill: Fill) -> None:
    """Rows and values written since stay; what collides is named, and an option says what to do with it."""
    engine = fill(Shape.TABLE)
    url = engine.url
    there_and_back(engine, "1.0.0")
    execute(url, NEW_ROWS)
    complete = catalog(url)
    with pytest.raises(OnlineError) as caught:
        bring_back(url)
    for line in (
        "analytics.analytics_events: 2 rows whose event_id a newer row has (1, 2)",
        "analytics.ml_features: 2 rows whose vector_id a newer row has (1, 2)",
        "analytics.ml_features: 1 rows whose niche_id, feature_set, model_version a newer row has (3)",
        "analytics.trend_cache: 1 rows whose niche_id is gone from public.features (60)",
    ):
        assert line in caught.value.what
    assert "--renumber" in caught.value.next_step
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events") == [(2,)], "nothing was changed"
    assert execute(url, "SELECT count(*) FROM analytics.insight_registry") == [(0,)]
    with pytest.raises(OnlineError, match="ml_features: 1 rows whose niche_id, feature_set") as again:
        bring_back(url, renumber=True)
    assert again.value.next_step == "`sidb restore 1 --renumber --skip` leaves them in the archive."

    found = bring_back(url, skip=True, renumber=True)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert "analytics.trend_cache 59 rows, 1 left in the archive" in finding(found, "restored").detail
    # What was written anew has another id under the same key, and is there.
    assert "analytics.ml_features 29 rows, 1 left in the archive" in finding(found, "restored").detail
    assert execute(url, COUNTS) == [(3_002, 59, 30, 149)]
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events WHERE event_data @> '{\"n\": 1}'") == [(1,)]
    assert execute(url, "SELECT event_source FROM analytics.analytics_events WHERE event_id = 1") == [("new",)]
    assert execute(url, "SELECT analytics_version FROM public.features WHERE niche_id IN (1, 2) ORDER BY niche_id") == [
        (7,),
        (2,),
    ]
    assert execute(url, ACTIVITY) == [(0,)]
    assert catalog(url) == complete
    execute(url, "INSERT INTO analytics.analytics_events VALUES (DEFAULT, 'view', 'test', now(), '{}', NULL, 1)")
    assert "rows stay in sidb_archive_1" in found.next_step
    archives.drop(url, 1)
    assert execute(url, "SELECT to_regnamespace('sidb_archive_1')") == [(None,)]
    with pytest.raises(OnlineError, match="restored already, or was dropped"):
        bring_back(url)


NEW_ROWS = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'new', now(), '{}', 5 FROM generate_series(1, 2);
    INSERT INTO analytics.ml_features (niche_id, feature_set, model_version, dimension, vector)
    VALUES (3, 'scores', '1', 1, '{1}');
    INSERT INTO analytics.ml_features (niche_id, feature_set, model_version, dimension, vector)
    SELECT niche_id, feature_set, model_version, dimension, vector FROM sidb_archive_1.ml_features WHERE niche_id = 4;
    UPDATE public.features SET analytics_version = 7 WHERE niche_id = 1;
    DELETE FROM public.features WHERE niche_id = 60;
    DELETE FROM sidb_archive_1.analytics_events WHERE niche_id = 60;
    INSERT INTO sidb_archive_1.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'web', now(), '{}', 7 FROM generate_series(1, 15);
    INSERT INTO public.features (niche_id, phrase) VALUES (201, 'new');
"""
COUNTS = """
    SELECT (SELECT count(*) FROM analytics.analytics_events), (SELECT count(*) FROM analytics.trend_cache),
        (SELECT count(*) FROM analytics.ml_features),
        (SELECT count(*) FROM public.features WHERE analytics_version > 0)
"""


def test_while_a_rollback_is_pending(fill: Fill) -> None:
    """It moves away what the restore of another archive would bring."""
    engine = fill(Shape.TABLE)
    url = engine.url
    there_and_back(engine, "2.0.3")

    stopped(lambda: roll_back(url, "2.0.1"), MOVES)
    before = catalog(url)
    with pytest.raises(OnlineError, match=r"The rollback to 2\.0\.1, begun .* was interrupted \(tables") as caught:
        bring_back(url)
    assert "sidb rollback --abort" in caught.value.next_step
    assert catalog(url) == before


def test_into_a_table_on_which_others_have_built_meanwhile(fill: Fill) -> None:
    """It cannot be exchanged without dropping what is theirs: the rows join it."""
    engine = fill(Shape.TABLE)
    url = engine.url
    before = rows(engine)
    there_and_back(engine, "2.0.0")
    execute(url, "CREATE VIEW public.report AS SELECT niche_id FROM analytics.trend_cache")
    found = bring_back(url)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert "analytics.trend_cache 60 rows; " in finding(found, "restored").detail + "; "
    assert execute(url, "SELECT count(*) FROM public.report") == [(60,)]
    assert rows(engine) == before


def test_upgraded_by_another_role_than_before(clone: Clone) -> None:
    """What the owner granted is granted again, by whoever owns it now."""
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    administrator = lived_in.administrator(url)
    execute(url, f"GRANT SELECT ON analytics.current_trends TO {lived_in.TEAM} WITH GRANT OPTION")
    roll_back(administrator, "1.0.0")
    Alembic(administrator).upgrade()
    found = bring_back(administrator)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert execute(administrator, MAY_GRANT) == [(True,)]


MAY_GRANT = f"SELECT has_table_privilege('{lived_in.TEAM}', 'analytics.current_trends', 'SELECT WITH GRANT OPTION')"


def test_before_the_upgrade(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    roll_back(url, "2.0.0")
    with pytest.raises(OnlineError, match=r"cannot be restored yet: analytics.content_recommendations, ") as caught:
        bring_back(url)
    assert caught.value.next_step.startswith("sidb upgrade")
