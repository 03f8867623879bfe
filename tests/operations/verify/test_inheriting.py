"""A table of others that inherits from features: none of its rows is counted, and none hides a fault."""

import pytest
from sqlalchemy import URL

from operations.reporting.collecting import collect
from tests.fixtures.databases import Clone
from tests.operations.verify.conftest import look, plant, verdicts

CHECKS = ("foreign keys", "check constraints", "not null", "sequences", "charts", "hot niches", "keys", "Phase 1 rows")
CHILD = """
    CREATE TABLE public.archived_niches () INHERITS (public.features);
    INSERT INTO public.archived_niches (
        niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at, last_analyzed_at,
        analytics_version
    )
    SELECT {}, 'as it was', 0.5, 0.5, 0.5, 9, {}, {}, 1
    FROM ONLY public.features AS f {}
"""
OF_HOT = CHILD.format(
    "f.niche_id", "h.updated_at", "f.last_analyzed_at", "INNER JOIN public.hot_niches_today AS h USING (niche_id)"
)
ONLY_THEIRS = CHILD.format("f.niche_id + 100000", "now()", "f.last_analyzed_at", "")
BY_CHART = CHILD.format("f.niche_id", "'2025-01-01Z'", "f.last_analyzed_at", "WHERE f.niche_id < 100")
QUIET = """
    SET session_replication_role = replica; UPDATE ONLY public.features SET updated_at = updated_at - interval '2 days';
    DELETE FROM public.hot_niches_today
"""


def details(url: URL) -> dict[str, str]:
    return {check: detail for check, detail in verdicts(look(url), "ok").items() if check in CHECKS}


@pytest.mark.parametrize("rows", [OF_HOT, ONLY_THEIRS, BY_CHART], ids=["of hot niches", "others", "of charts"])
def test_none_of_its_rows_is_counted(clone: Clone, rows: str) -> None:
    url = clone("backfilled_table")
    before = details(url)
    assert {"foreign keys", "check constraints", "not null", "charts", "hot niches"} <= before.keys()
    plant(url, rows)
    assert details(url) == before


def test_none_of_its_rows_hides_that_one_is_gone(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, BY_CHART)
    plant(url, "SET session_replication_role = replica; DELETE FROM ONLY public.features WHERE niche_id = 7")
    failed = verdicts(look(url), "failed")["foreign keys"]
    assert "of analytics.trend_cache refer to nothing: trend_cache_niche_id_fkey" in failed


def test_hot_niches_that_are_no_longer_hot_are_not_expected(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, ONLY_THEIRS)
    plant(url, QUIET)
    assert "hot niches" not in verdicts(look(url), "failed")


def test_a_report_counts_our_rows(clone: Clone) -> None:
    url = clone("backfilled_table")
    before = collect(url, []).rows
    assert before is not None
    assert before.now == 200
    plant(url, ONLY_THEIRS)
    assert collect(url, []).rows == before
