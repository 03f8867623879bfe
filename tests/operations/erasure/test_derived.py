"""What was derived of a user's events follows: vectors and charts, hot niches, marks of materialized views."""

import io
from pathlib import Path

import psycopg
import pytest
from rich.console import Console
from sqlalchemy import Engine

from operations.erasure import niches
from operations.verify.subject import WHOLE
from operations.verify.verification import verify as verify_all
from tests.backfill.conftest import run as run_backfill
from tests.backfill.conftest import verify
from tests.fixtures.databases import conninfo
from tests.fixtures.lived_in import administrator
from tests.operations.erasure.conftest import ANN, ANNA, erase, fill, resume, staged
from tests.operations.rollback.conftest import execute

VECTOR = """
    SELECT niche_id, (
        SELECT sum((point ->> 1)::bigint) FROM jsonb_array_elements(trend_vector) AS point
    )::bigint, last_analyzed_at, updated_at
    FROM ONLY public.features WHERE niche_id <= 10 ORDER BY niche_id
"""
STALE = "SELECT DISTINCT view_name FROM analytics.stale_views ORDER BY 1"


def test_niches_are_analysed_anew_as_of_when_they_were(migrated: Engine, tmp_path: Path) -> None:
    """Ten niches have an event of each user on a day; afterwards of one. Nothing else of a niche changes."""
    url = migrated.url
    staged(migrated, tmp_path)
    before = execute(url, VECTOR)
    assert [count for _, count, *_ in before] == [2] * 10
    done = erase(url, ANN)
    after = execute(url, VECTOR)
    assert [count for _, count, *_ in after] == [1] * 10
    assert [rest for _, _, *rest in after] == [rest for _, _, *rest in before]
    assert (done.niches_analysed, done.niches_left) == (10, None)
    assert execute(url, "SELECT count(*) FROM sidb.erasure_niche") == [(0,)]
    assert all(proof.holds for proof in verify(migrated))
    found = verify_all(url, WHOLE, Console(file=io.StringIO())).findings
    assert [each for each in found if each.verdict == "failed"] == []


@pytest.mark.parametrize(
    "done_so",
    [
        "",
        "UPDATE public.features SET last_analyzed_at = 'infinity'",
        "CREATE TABLE public.copies () INHERITS (public.features);"
        " INSERT INTO public.copies SELECT * FROM ONLY public.features;"
        " UPDATE ONLY public.copies SET last_analyzed_at = now()",
    ],
    ids=["never", "in no time", "in a child"],
)
def test_niches_that_nobody_analysed_stay_so(migrated: Engine, done_so: str) -> None:
    url = migrated.url
    fill(url)
    execute(administrator(url), done_so)
    before = execute(url, WHEN)
    done = erase(url, ANN)
    assert (done.niches_analysed, done.niches_left) == (0, None)
    assert execute(url, WHEN) == before


WHEN = "SELECT last_analyzed_at::text, updated_at FROM ONLY public.features ORDER BY niche_id"


def test_views_are_marked(migrated: Engine) -> None:
    url = migrated.url
    fill(url)
    execute(url, "SELECT analytics.refresh_stale_views()")
    execute(url, "DELETE FROM analytics.stale_views")
    erase(url, ANN)
    assert [row[0] for row in execute(url, STALE)] == ["platform_comparison", "trending_niches"]


def test_a_niche_that_the_application_holds(migrated: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are analysed; it is told of, and done once it is let go."""
    url = migrated.url
    staged(migrated, tmp_path)
    monkeypatch.setattr(niches, "ROUNDS", 8)
    with psycopg.connect(conninfo(url)) as holder:
        holder.execute("SELECT FROM ONLY public.features WHERE niche_id = 3 FOR UPDATE")
        done = erase(url, ANN)
        assert (done.niches_left, done.exit_code) == ("1 of them were held by the application throughout", 1)
        counts = {niche: count for niche, count, *_ in execute(url, VECTOR)}
        assert (counts.pop(3), set(counts.values())) == (2, {1})
    assert resume(url).exit_code == 0
    assert [count for _, count, *_ in execute(url, VECTOR)] == [1] * 10


@pytest.mark.clean
def test_a_trigger_that_would_make_them_niches_of_today(migrated: Engine, tmp_path: Path) -> None:
    """As the backfill does: rather stale vectors than times of others that change."""
    url = migrated.url
    staged(migrated, tmp_path)
    execute(administrator(url), TOUCHES)
    before = execute(url, VECTOR)
    done = erase(url, ANN)
    assert done.exit_code == 1
    assert "features_touch" in (done.niches_left or "")
    assert execute(url, VECTOR) == before
    execute(administrator(url), "DROP FUNCTION public.touch() CASCADE")
    assert resume(url).exit_code == 0
    assert [count for _, count, *_ in execute(url, VECTOR)] == [1] * 10


def test_a_scoring_that_is_no_number_stops_nothing(migrated: Engine, tmp_path: Path) -> None:
    url = migrated.url
    scoring = (
        "niche_scored",
        "scorer",
        "2025-05-20T00:00Z",
        '{"demand_score": "n/a", "supply_score": 0.5}',
        "",
        "5",
        "",
    )
    staged(migrated, tmp_path, scoring)
    [proof] = [each for each in verify(migrated) if each.job == "niche_trends"]
    assert proof.holds
    assert erase(url, ANN).exit_code == 0
    assert [count for _, count, *_ in execute(url, VECTOR)] == [1] * 10


@pytest.mark.clean
def test_a_niche_that_cannot_be_analysed_is_told_of(migrated: Engine, tmp_path: Path) -> None:
    """The rows go, and the other niches are analysed."""
    url = migrated.url
    staged(migrated, tmp_path)
    execute(administrator(url), REFUSES)
    done = erase(url, ANN)
    assert (done.niches_analysed, done.exit_code, done.left) == (9, 1, 0)
    assert "1 of them cannot be analysed: niche 3 (SQLSTATE P0001)" in (done.niches_left or "")
    assert ANN not in (done.niches_left or "")
    execute(administrator(url), "DROP FUNCTION public.refuse() CASCADE")
    assert resume(url).exit_code == 0
    assert [count for _, count, *_ in execute(url, VECTOR)] == [1] * 10


@pytest.mark.clean
def test_a_trigger_on_hot_niches(migrated: Engine, tmp_path: Path) -> None:
    url = migrated.url
    staged(migrated, tmp_path)
    execute(administrator(url), TOUCHES.replace("public.features", "public.hot_niches_today"))
    execute(url, "UPDATE public.hot_niches_today SET trend_direction = NULL")
    before = execute(url, "SELECT niche_id, updated_at FROM public.hot_niches_today ORDER BY 1")
    done = erase(url, ANN)
    assert done.exit_code == 1
    assert "others' triggers on public.hot_niches_today (features_touch)" in (done.niches_left or "")
    assert execute(url, "SELECT niche_id, updated_at FROM public.hot_niches_today ORDER BY 1") == before
    execute(administrator(url), "DROP FUNCTION public.touch() CASCADE")
    assert resume(url).exit_code == 0
    assert execute(url, "SELECT count(*) FROM public.hot_niches_today WHERE trend_direction IS NULL") == [(0,)]


TOUCHES = """
    CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
    CREATE TRIGGER features_touch BEFORE UPDATE ON public.features FOR EACH ROW EXECUTE FUNCTION public.touch()
"""


def test_the_backfill_goes_on_after_it(migrated: Engine, tmp_path: Path) -> None:
    staged(migrated, tmp_path)
    erase(migrated.url, ANN)
    run_backfill(migrated)
    assert execute(migrated.url, "SELECT DISTINCT user_id FROM analytics.analytics_events WHERE user_id > ''") == [
        (ANNA,)
    ]
    assert all(proof.holds for proof in verify(migrated))


REFUSES = f"""
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.niche_id = 3 THEN RAISE 'no, {ANN}'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER features_refuse BEFORE UPDATE ON public.features FOR EACH ROW EXECUTE FUNCTION public.refuse()
"""
