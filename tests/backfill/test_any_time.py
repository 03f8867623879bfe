"""Events of any time that timestamptz holds: the last year, the first, before Christ, and infinity."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill.batch_size import BatchSize
from backfill.jobs import EVENT_HISTORY
from backfill.jobs.event_history import FIRST_DAY, FUTURE, LAST_DAY, PAST
from tests.backfill.conftest import Sql, begin, history, load_file, run, verify, write_csv
from tests.backfill.test_console import Console

TIMES = (
    "9999-12-31 00:00:00+00",
    "9999-12-31 23:59:59.999999-12",
    "0001-01-01 00:00:00+02",
    "0001-01-01 00:00:00+00 BC",
    "4714-11-24 00:00:00+00 BC",
    "294276-12-31 23:59:59.999999+00",
    "infinity",
    "-infinity",
    "2025-05-01 00:00:00+00",
)
STAGE = (
    "INSERT INTO sidb.backfill_events (event_timestamp, event_type, event_source, event_data, niche_id, file_id) "
    "SELECT CAST(:at AS timestamptz), 'view', 'web', '{}', 1, 99 FROM generate_series(1, 3)"
)


def test_whatever_timestamptz_holds_is_moved_and_proved(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    begin(migrated)
    load_file(migrated, write_csv(tmp_path / "h.csv", history(100, days=3)))
    for at in TIMES:
        sql(STAGE, at=at)
    sql("UPDATE features SET updated_at = 'infinity' WHERE niche_id = 1")
    sql("UPDATE features SET updated_at = '-infinity' WHERE niche_id = 2")
    sidb = Console(migrated)
    assert json.loads(sidb("status", "--json"))["jobs"][0]["job"] == "event_history"
    run(migrated, pace=BatchSize(most=2))
    proofs = verify(migrated)
    assert [proof for proof in proofs if not proof.holds] == []
    assert proofs[0].rows == 100 + 3 * len(TIMES)
    for at in TIMES:
        count = "SELECT count(*) FROM analytics.analytics_events WHERE event_source = 'web' AND event_timestamp = "
        assert sql(count + "CAST(:at AS timestamptz) AND event_data = '{}'", at=at) == [(3,)], at
    sql("DELETE FROM analytics.analytics_events WHERE event_timestamp = 'infinity' AND event_source = 'web'")
    sql("UPDATE analytics.analytics_events SET user_id = 'x' WHERE event_timestamp = '-infinity' AND niche_id = 1")
    said = sidb("verify", "--json")
    assert {what: count["rows"] for what, count in json.loads(said)[0]["allowed"].items()} == {
        "deleted": 3,
        "changed": 3,
    }
    sidb("status")
    sidb("run", "--all", "--now")


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (PAST, "-infinity"),
        (FUTURE, "infinity"),
        (0, "1970-01-01"),
        (20209, "2025-05-01"),
        (FIRST_DAY, "day -2,440,588 after 1970-01-01"),
    ],
)
def test_bounds_for_people(day: int, shown: str) -> None:
    assert EVENT_HISTORY.shown(day) == shown


def test_the_last_days_are_postgresqls(sql: Sql) -> None:
    day = "SELECT CAST(CAST(:at AS timestamptz) AT TIME ZONE 'UTC' AS date) - date '1970-01-01'"
    assert sql(day, at="4714-11-24 00:00:00+00 BC") == [(FIRST_DAY,)]
    assert sql(day, at="294276-12-31 23:59:59+00") == [(LAST_DAY,)]
