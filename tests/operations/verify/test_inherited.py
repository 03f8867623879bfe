"""A table of others that inherits from `features` and holds a hot niche, too: neither missed nor taken for a fault."""

import pytest

from operations.phase1 import Shape
from tests.fixtures.databases import Clone
from tests.operations.verify.conftest import look, plant

# About what others have that the test makes itself.
pytestmark = pytest.mark.clean

HOT = "(SELECT min(niche_id) FROM public.hot_niches_today)"
COPIED = f"""
    CREATE TABLE public.features_archive () INHERITS (public.features);
    INSERT INTO public.features_archive SELECT * FROM ONLY public.features WHERE niche_id = {HOT};
    INSERT INTO public.features_archive (niche_id, phrase, opportunity, updated_at)
    SELECT 900001, 'only archived', 9, max(updated_at) FROM ONLY public.features;
"""  # noqa: S608
REFRESHED = {
    Shape.MATVIEW: "REFRESH MATERIALIZED VIEW public.hot_niches_today; SELECT analytics.refresh_stale_views()",
    Shape.TABLE: """
        DELETE FROM public.hot_niches_today;
        INSERT INTO public.hot_niches_today
            (niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at)
        SELECT niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at
        FROM public.features WHERE updated_at > now() - interval '24 hours' ORDER BY opportunity DESC LIMIT 50
    """,
}


@pytest.mark.parametrize("database", ["migrated", "backfilled"])
def test_what_phase_1_shows_of_it_is_no_fault(clone: Clone, shape: Shape, database: str) -> None:
    url = clone(f"{database}_{shape}")
    plant(url, COPIED + REFRESHED[shape])
    found = look(url).findings
    assert [each for each in found if each.verdict == "failed"] == []
    [hot] = [each for each in found if each.check == "hot niches"]
    assert hot.verdict == "ok", hot


def test_one_row_more_is_a_fault(clone: Clone) -> None:
    url = clone("migrated_table")
    twice = f"INSERT INTO public.hot_niches_today SELECT * FROM public.hot_niches_today WHERE niche_id = {HOT}"  # noqa: S608
    plant(url, COPIED + REFRESHED[Shape.TABLE] + ";" + twice)
    [hot] = [each for each in look(url).findings if each.check == "hot niches"]
    assert hot.verdict == "failed"
    assert "is there 4 times" in hot.detail
