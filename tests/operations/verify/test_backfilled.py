"""Old and new: what keeps the comparison with the history from being whole is named, with what to type."""

import pytest
from sqlalchemy import URL

from operations.findings import Finding
from tests.fixtures.databases import Clone
from tests.operations.verify.conftest import look, plant

RUN_ALL = "sidb backfill run --all"


def of(url: URL, percent: float = 100) -> dict[str, Finding]:
    return {finding.check: finding for finding in look(url, percent).findings}


def test_what_is_not_done_is_a_warning(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(
        url,
        "INSERT INTO sidb.backfill_set_aside (job, key, range_id, error) VALUES ('niche_trends', 1, 1, 'no');"
        "UPDATE sidb.backfill_targets SET oid = 1 WHERE target = 'analytics.ml_features';"
        "UPDATE sidb.backfill_ranges SET done_at = NULL WHERE job = 'hot_niches'",
    )
    found = of(url)
    for check, said, remedy in (
        ("trends", "; 1 rows were refused, and are set aside", "sidb backfill retry"),
        ("scores", "analytics.ml_features: another table than the one that was filled", RUN_ALL),
        ("hot trends", "0 rows compared; 1 ranges are still to be done", "sidb backfill run"),
    ):
        assert (found[check].verdict, found[check].remedy) == ("warning", remedy), found[check]
        assert found[check].detail.endswith(said)
    assert found["history"].verdict == "ok", "these are other jobs"


def test_a_file_that_is_half_loaded(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, "INSERT INTO sidb.backfill_files (digest, name) VALUES ('0', 'events.csv')")
    found = of(url)["history"]
    assert (found.verdict, found.detail) == ("warning", "events.csv: half loaded")
    again = "load the same file again, which continues it and is safe (sidb backfill load events.csv)"
    assert found.remedy == f"{again}, or give it up (sidb backfill load --forget events.csv)"
    plant(url, "UPDATE sidb.backfill_files SET finished_at = now() WHERE name = 'events.csv'")
    assert of(url)["history"].verdict == "ok"


def test_what_differs_is_not_hidden_by_what_is_set_aside(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(
        url,
        "INSERT INTO sidb.backfill_set_aside (job, key, range_id, error) VALUES ('niche_trends', 1, 1, 'no');"
        "UPDATE public.features SET trend_vector = '[]' WHERE niche_id = 150",
    )
    found = of(url)["trends"]
    assert (found.verdict, "missing or different: 150" in found.detail) == ("failed", True)


KEPT = (
    "INSERT INTO sidb.backfill_lines (event_timestamp, event_id, file_id, line)"
    " SELECT event_timestamp, event_id, file_id, coalesce(line, 0) FROM sidb.backfill_events;"
)


FINISH = "UPDATE sidb.backfill_ranges SET planned = 0 WHERE job = 'event_history';"
DROP = "DROP TABLE sidb.backfill_events CASCADE;"
EMPTY = "TRUNCATE sidb.backfill_events;"
LOSE_SOME = "DELETE FROM analytics.analytics_events WHERE event_type <> 'niche_scored' AND event_id % 7 = 0;"


@pytest.mark.parametrize("dropped", [DROP + FINISH, KEPT + EMPTY + FINISH], ids=["as by 2.2.0", "as now"])
def test_a_history_that_is_finished_was_proved_before(clone: Clone, dropped: str) -> None:
    url = clone("backfilled_table")
    plant(url, dropped)
    found = of(url)
    assert found["history"].verdict == "ok"
    assert found["history"].detail == "the backfill is finished: its history was proved, and its source dropped"
    assert "rows compared" in found["scores"].detail


def test_staging_that_no_finish_dropped_was_not_proved(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, DROP + LOSE_SOME)
    found = of(url)["history"]
    assert found.verdict == "failed", found
    assert found.detail == "sidb.backfill_events is gone, and its 4,048 rows were not proved: no finish dropped it"
    assert found.remedy.startswith("restore sidb.backfill_events"), found


@pytest.mark.parametrize("before", ["", KEPT], ids=["nothing finished", "with an earlier finish"])
def test_staging_that_was_emptied_was_not_proved(clone: Clone, before: str) -> None:
    url = clone("backfilled_table")
    plant(url, before + EMPTY + LOSE_SOME)
    found = of(url)["history"]
    lost = "0 rows compared; 4,048 staged rows are gone, and were not proved"
    assert (found.verdict, found.detail) == ("failed", lost), found
    assert found.remedy.startswith("restore sidb.backfill_events"), found


def test_what_is_staged_after_that_is_proved(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, KEPT)
    assert "rows compared" in of(url)["history"].detail


@pytest.mark.parametrize(("percent", "left_out"), [(100, False), (1, True)])
def test_of_a_sample_it_is_said_how_many_ranges_were_left_out(clone: Clone, percent: float, left_out: bool) -> None:
    url = clone("backfilled_table")
    plant(
        url,
        "UPDATE sidb.backfill_ranges SET upper = '100' WHERE job = 'niche_scores';"
        "INSERT INTO sidb.backfill_ranges (job, lower, upper, newest, planned, done_at)"
        " SELECT job, '100', '201', newest, planned, done_at FROM sidb.backfill_ranges WHERE job = 'niche_scores'",
    )
    found = of(url, percent)["scores"]
    assert ("of the ranges (1 left out)" in found.detail) == left_out, found
    assert found.detail.startswith("200 rows compared") != left_out
