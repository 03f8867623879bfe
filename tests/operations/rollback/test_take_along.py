"""What others have built on what goes: put aside with --take-along, and given back as it was."""

import io
from functools import partial

import pytest
from alembic_online.errors import OnlineError
from rich.console import Console
from sqlalchemy import URL

from operations.phase1 import Shape
from operations.rollback import archives, restore, rollback
from operations.rollback.dependants import WRITES_WHOLE
from operations.status.look import look
from tests.engine.conftest import catalog, current
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.ended import stopped
from tests.fixtures.everything import difference, everything
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import abort, bring_back, execute, finding, roll_back, verdicts

ON_HOT_NICHES = "CREATE VIEW reporting.hot AS SELECT days_trending FROM public.hot_niches_today"
ROWS = """
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    SELECT n, 'chart', 'niche_trends', '{}', '{}', now() + interval '1 day' FROM generate_series(1, 20) AS s (n);
    UPDATE public.features SET trend_vector = '[["2025-01-01", 3]]', last_analyzed_at = now() WHERE niche_id <= 30;
    REFRESH MATERIALIZED VIEW reporting.counted
"""


def built_on(url: URL) -> URL:
    """A lived-in database, upgraded, on which others have built one of everything."""
    Alembic(url).upgrade()
    lived_in.dependants(url)
    lived_in.execute(url, "lived_in_take_along")
    administrator = lived_in.administrator(url)
    execute(administrator, ON_HOT_NICHES)
    execute(administrator, ROWS)
    return administrator


@pytest.mark.parametrize(("shape", "target"), [(Shape.TABLE, "1.0.0"), (Shape.MATVIEW, "2.0.3")])
def test_it_is_given_back_as_it_was(clone: Clone, shape: Shape, target: str) -> None:
    url = built_on(clone(f"lived_in_{shape}"))
    before, counts = everything(url), execute(url, COUNTS)
    with pytest.raises(OnlineError, match=r"view reporting.trends uses public") as refused:
        roll_back(url, target)
    assert refused.value.next_step.startswith("add --take-along")
    assert difference(before, everything(url)) == {}

    said = rollback.planned(url, rollback.prepare(url, target, take_along=True)).others
    assert {"view reporting.nested", f"column public.features.days ({WRITES_WHOLE})"} <= set(said)
    found = roll_back(url, target, take_along=True)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert "view reporting.nested" in finding(found, "others' objects").detail
    assert execute(url, "SELECT to_regclass('reporting.trends'), to_regclass('reporting.best')") == [
        (None, "reporting.best")
    ]
    assert archives.archives(url).tables[-1].table.endswith(" objects of others")
    assert "put aside of others: " in str(look(url).amiss[0])
    Alembic(url.set(username=lived_in.OWNER)).upgrade()
    found = bring_back(url)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert difference(before, everything(url)) == {}
    assert execute(url, COUNTS) == counts
    assert look(url).amiss == []


COUNTS = """
    SELECT (SELECT count(*) FROM reporting.counted), (SELECT sum(days) FROM public.features),
        (SELECT count(*) FROM reporting.nested)
"""


def test_indexes_and_grants_on_a_materialized_view_that_is_replaced(clone: Clone) -> None:
    """Phase 1's own takes its place, which has neither."""
    url = clone("lived_in_matview")
    Alembic(url).upgrade()
    administrator = lived_in.administrator(url)
    execute(administrator, ON_WIDE_VIEW.format(team=lived_in.TEAM))
    before = everything(url)
    with pytest.raises(OnlineError, match=r"index public.hot_niches_today.hot_trend_idx uses public.hot") as refused:
        roll_back(administrator, "2.0.3")
    assert "index public.hot_niches_today.hot_phrase_idx" in refused.value.what
    assert "(DROP INDEX public.hot_" in refused.value.next_step
    found = roll_back(administrator, "2.0.3", take_along=True)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert finding(found, "others' objects").detail.count("index public.hot_niches_today") == 2
    may = f"SELECT has_table_privilege('{lived_in.TEAM}', 'public.hot_niches_today', 'DELETE')"
    assert execute(administrator, may) == [(True,)], "what was granted since the upgrade"
    Alembic(url).upgrade()
    assert bring_back(administrator).exit_code == 0
    kept = "materialized view analytics_phase1.hot_niches_today"  # which has the grant now, too
    assert difference(before, everything(url)).keys() <= {kept}


ON_WIDE_VIEW = """
    CREATE UNIQUE INDEX hot_trend_idx ON public.hot_niches_today (niche_id, trend_direction);
    COMMENT ON INDEX public.hot_trend_idx IS 'Theirs';
    CREATE INDEX hot_phrase_idx ON public.hot_niches_today (lower(phrase)) WHERE opportunity > 0;
    GRANT DELETE ON public.hot_niches_today TO {team};
    GRANT SELECT (trend_direction) ON public.hot_niches_today TO {team};
"""


def test_what_cannot_be_given_back_is_named_with_its_sql(clone: Clone) -> None:
    """The rest is; and the next restore tries it again."""
    url = built_on(clone("lived_in_table"))
    before = everything(url)
    roll_back(url, "2.0.0", take_along=True)
    Alembic(url.set(username=lived_in.OWNER)).upgrade()
    execute(url, "CREATE TABLE reporting.trends (taken text)")
    said = io.StringIO()
    found = restore.restore(url, 1, restore.Choice(skip=False, renumber=False), Console(file=said, width=200))
    assert (found.exit_code, verdicts(found)["others' objects"]) == (1, "failed")
    detail = finding(found, "others' objects").detail
    assert 'view reporting.trends: relation "trends" already exists' in detail
    assert "view reporting.nested" in detail, "it is built on that one"
    assert "CREATE VIEW reporting.trends AS\n SELECT niche_id,\n    trend_vector\n" in said.getvalue()
    assert "ALTER VIEW reporting.trends OWNER TO postgres;\n" in said.getvalue()
    assert execute(url, 'SELECT count(*) FROM reporting."order"') == [(20,)]
    execute(url, "DROP TABLE reporting.trends")
    assert verdicts(bring_back(url))["others' objects"] == "ok"
    assert difference(before, everything(url)) == {}
    with pytest.raises(OnlineError, match="restored already"):
        bring_back(url)


def test_given_up(clone: Clone) -> None:
    """Before a step is undone, all of it is given back; behind one, what can be, and the rest after an upgrade."""
    url = built_on(clone("lived_in_table"))
    before = everything(url)

    back = partial(roll_back, url, "2.0.0", take_along=True)
    stopped(back, "UPDATE .*alembic_version SET")
    assert current(url) == HEAD
    found = abort(url)
    assert found.next_step == "there is nothing more to do: the database is as it was before."
    assert "view reporting.nested" in finding(found, "others' objects").detail
    assert difference(before, everything(url)) == {}

    stopped(back, "trend_cache.* SET SCHEMA|SET SCHEMA.*trend_cache")
    found = abort(url)
    assert found.exit_code == 0
    assert "`sidb upgrade`, then `sidb restore 2`, which brings back " in found.next_step
    Alembic(url.set(username=lived_in.OWNER)).upgrade()
    found = restore.restore(url, 2, restore.Choice(skip=False, renumber=False), Console(file=io.StringIO()))
    assert found.exit_code == 0
    assert difference(before, everything(url)) == {}


def test_what_could_not_be_given_back_is_refused_beforehand(clone: Clone) -> None:
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    lived_in.dependants(url)
    execute(lived_in.administrator(url), "CREATE TABLE reporting.held (chart analytics.trend_cache)")
    before = catalog(url)
    with pytest.raises(OnlineError) as refused:
        roll_back(url, "2.0.0", take_along=True)
    said = refused.value.what
    assert "column reporting.held.chart uses analytics.trend_cache (it holds values, which would be lost)" in said
    assert "trends uses public.features.trend_vector (it belongs to postgres, whose rights this role does not" in said
    assert (
        "Keep these statements, which make them again with owners, comments and grants:\n\n"
        "CREATE VIEW reporting.charts AS" in said
    )
    assert "(DROP VIEW reporting.trends; DROP VIEW reporting.charts;" in refused.value.next_step
    assert (catalog(url), current(url)) == (before, HEAD)
