"""What a proof names, and in which order: the newest ranges first, the lowest keys, ten of them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from backfill import planning, verification
from backfill.jobs import EVENT_HISTORY, NICHE_TRENDS
from backfill.verification import NAMED, Count, Proof, prove
from tests.backfill.conftest import AS_OF, Sql, load_file, run, write_csv

DAYS = 5


@pytest.fixture
def proved(migrated: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """Days of one, two, … events, the newest with the most, each a range; and ranges of 50 niches."""
    monkeypatch.setattr(planning, "MOST_ROWS", 1)
    rows = [
        ("view", "web", (AS_OF - timedelta(days=DAYS - day)).isoformat(), "{}", "", "1", "")
        for day in range(DAYS)
        for _ in range(day + 1)
    ]
    load_file(migrated, write_csv(tmp_path / "a.csv", rows))
    run(migrated)
    with migrated.connect() as connection:
        yield connection


def test_the_newest_come_first(proved: Connection) -> None:
    compared: list[int] = []
    proof = prove(proved, EVENT_HISTORY, AS_OF, lambda _, rows: compared.append(rows))
    assert compared == [5, 4, 3, 2, 1]
    assert (proof.holds, proof.rows, proof.left_out) == (True, 15, 0)


def test_ten_keys_are_named_the_lowest(proved: Connection, sql: Sql) -> None:
    sql("UPDATE features SET trend_vector = '[]' WHERE niche_id BETWEEN 21 AND 40")
    [each] = prove(proved, NICHE_TRENDS, AS_OF).differences
    assert (each.missing, each.extra) == (list(range(21, 31)), list(range(21, 31)))


@pytest.mark.parametrize("gone", [NAMED, NAMED + 1])
def test_so_it_is_with_what_others_have_done(gone: int, proved: Connection, sql: Sql) -> None:
    """Range by range; `…` says that there are more."""
    sql("DELETE FROM analytics.analytics_events WHERE event_type = 'view' AND event_id <= :gone", gone=gone)
    proof = prove(proved, EVENT_HISTORY, AS_OF)
    assert proof.holds
    count = proof.allowed["deleted"]
    assert (count.rows, len(count.keys)) == (gone, NAMED)
    [said] = proof.told()
    assert said.startswith(f"{gone} rows were deleted since, and stay so: ")
    assert said.endswith(", …") == (gone > NAMED)


def test_within_a_range_the_lowest(proved: Connection, sql: Sql) -> None:
    sql("INSERT INTO sidb.backfill_events (event_timestamp, event_type, event_source, event_data, file_id) "
        "SELECT :at, 'view', 'web', '{}', 1 FROM generate_series(1, 30)", at=AS_OF - timedelta(days=1))  # fmt: skip
    sql("UPDATE sidb.backfill_ranges SET planned = 100 WHERE job = 'event_history'")
    gone = [key for (key,) in sql("SELECT event_id FROM sidb.backfill_events ORDER BY event_id DESC LIMIT 30")]
    found = prove(proved, EVENT_HISTORY, AS_OF).allowed["deleted"]
    assert (found.rows, found.keys) == (30, sorted(gone)[:NAMED])


@pytest.mark.parametrize(("share", "chosen"), [(1.0, 5), (0.99, 5), (0.5, 3), (0.01, 1)])
def test_a_sample_is_a_range_at_least_and_says_what_it_left_out(share: float, chosen: int, proved: Connection) -> None:
    compared: list[int] = []
    proof = prove(proved, EVENT_HISTORY, AS_OF, lambda _, rows: compared.append(rows), share)
    assert (len(compared), proof.left_out) == (chosen, 5 - chosen)
    assert proof.holds, "what a sample did not look at is no finding"


def test_rows_set_aside_are_those_of_the_job(proved: Connection, sql: Sql) -> None:
    sql("INSERT INTO sidb.backfill_set_aside (job, key, range_id, error) VALUES ('niche_scores', 1, 1, 'refused')")
    assert prove(proved, EVENT_HISTORY, AS_OF).set_aside == 0
    sql("INSERT INTO sidb.backfill_set_aside (job, key, range_id, error) VALUES ('event_history', 1, 1, 'refused')")
    proof = prove(proved, EVENT_HISTORY, AS_OF)
    assert (proof.set_aside, proof.unfinished, proof.holds) == (1, 0, False)


def test_counts_of_several_ranges_are_one() -> None:
    count = Count()
    count.add(12, list(range(10)))
    count.add(3, [20, 21, 22])
    assert (count.rows, count.keys) == (15, list(range(10)))
    proof = Proof("event_history", allowed={"deleted": Count(2, [1, 2])}, erased=1_000, expired=7)
    assert list(proof.told()) == [
        "2 rows were deleted since, and stay so: 1, 2",
        "1,000 records of its files are left out: their users were erased",
        "7 records of its files are left out, or gone: their time is over",
    ]


def test_where_nothing_was_loaded_there_is_nothing_to_prove(migrated: Engine) -> None:
    run(migrated)
    proofs = verification.verify(migrated, [EVENT_HISTORY, NICHE_TRENDS], AS_OF)
    assert [(proof.rows, proof.holds) for proof in proofs] == [(0, True), (200, True)]


def test_a_range_that_is_to_be_walked_again_meanwhile_is_not_compared(proved: Connection, sql: Sql) -> None:
    def walk_again(*_: object) -> None:
        sql("UPDATE sidb.backfill_ranges SET done_at = NULL")

    proof = prove(proved, EVENT_HISTORY, AS_OF, walk_again)
    assert (proof.rows, proof.unfinished, proof.holds) == (5, 4, False)
