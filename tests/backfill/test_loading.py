"""Loading: recognised by content, resumable, niches found or made, formats."""

import gzip
import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from sqlalchemy import Engine

from backfill.errors import BackfillError
from backfill.files import half_loaded
from backfill.loading import load
from backfill.source import Source
from operations import phase1
from operations.phase1 import Shape
from tests.backfill.conftest import HEADER, Sql, history, load_file, write_csv


def test_a_file_is_recognised_by_its_content(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", history(500))
    first = load_file(migrated, path)
    assert (first.records, first.rejected, first.already) == (500, 0, False)
    (tmp_path / "other name.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    for again in (path, tmp_path / "other name.csv.gz"):
        assert load_file(migrated, again).already
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(500,)]
    assert load_file(migrated, write_csv(tmp_path / "b.csv", history(500, seed=2))).already is False
    assert sql("SELECT count(*), count(DISTINCT event_id) FROM sidb.backfill_events") == [(1000, 1000)]


def test_equal_rows_are_all_meant(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    row = ("view", "web", "2025-05-01T00:00Z", "{}", "", "1", "")
    load_file(migrated, write_csv(tmp_path / "a.csv", [row] * 5))
    assert sql("SELECT count(*), count(DISTINCT event_id) FROM sidb.backfill_events") == [(5, 5)]


class Killed(Exception):  # noqa: N818
    """Stands for the death of the process between two chunks."""


def test_an_interrupted_load_goes_on_where_it_stopped(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv.gz", [*history(3_000), ("broken",), *history(3_000, seed=2)])

    def die(_source: Source, records: int, _rejected: int) -> None:
        if records >= 1_000:
            raise Killed

    with pytest.raises(Killed):
        load_file(migrated, path, report=die, chunk=1)
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(0,)]
    [(records, lines)] = sql("SELECT records, lines FROM sidb.backfill_files WHERE finished_at IS NULL")
    assert 1_000 <= records < 6_001
    assert lines > records
    with migrated.connect() as connection:
        assert [each[:2] for each in half_loaded(connection)] == [("a.csv.gz", records)]
    done = load_file(migrated, path)
    assert (done.records, done.rejected, done.already) == (6_001, 1, False)
    assert sql("SELECT count(*), count(DISTINCT event_id) FROM sidb.backfill_events") == [(6_000, 6_000)]
    assert sql("SELECT content FROM sidb.backfill_rejects") == [("broken",)]
    with migrated.connect() as connection:
        assert half_loaded(connection) == []


def test_two_loaders_of_one_file_do_not_double_it(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", history(3_000))
    told = []

    def meanwhile(_source: Source, records: int, _rejected: int) -> None:
        with pytest.raises(BackfillError, match="being loaded by another process") as refused:
            load_file(migrated, path)
        told.append(refused.value)

    load_file(migrated, path, report=meanwhile, chunk=1)
    assert len(told) > 1
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(3_000,)]


def test_unknown_phrases_are_created_or_rejected(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    row = ("view", "web", "2025-05-01T00:00Z", "{}", "", "")
    path = write_csv(tmp_path / "a.csv", [(*row, "brand new"), (*row, "brand new"), (*row, "")])
    rejecting = load_file(migrated, write_csv(tmp_path / "b.csv", [(*row, "nobody knows")]), unknown_niches="reject")
    assert rejecting.rejected == 1
    assert sql("SELECT reason FROM sidb.backfill_rejects") == [("no niche has the phrase 'nobody knows'",)]
    load_file(migrated, path)
    assert sql(
        "SELECT f.phrase, count(*) FROM sidb.backfill_events LEFT JOIN features AS f USING (niche_id) "
        "GROUP BY 1 ORDER BY 1"
    ) == [("brand new", 2), (None, 1)]
    assert sql("SELECT count(*) FROM features WHERE phrase = 'nobody knows'") == [(0,)]


def test_phrases_that_features_refuses_are_rejected_with_the_reason(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Found by halving; each by its own reason, and the same again in a later chunk."""
    sql("ALTER TABLE features ADD CONSTRAINT brief CHECK (length(phrase) < 40) NOT VALID")
    row = ("view", "web", "2025-05-01T00:00Z", "{}", "", "")
    long = [f"{word} is a phrase that is much too long for it" for word in ("one", "two")]
    phrases = [long[0], *(f"new {number}" for number in range(20)), long[1], long[0]]
    found = load_file(migrated, write_csv(tmp_path / "a.csv", [(*row, phrase) for phrase in phrases]), chunk=400)
    assert found.rejected == 3
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(20,)]
    assert sql("SELECT count(*) FROM features WHERE phrase LIKE 'new %'") == [(20,)]
    reasons = [reason for (reason,) in sql("SELECT reason FROM sidb.backfill_rejects ORDER BY line")]
    for phrase, reason in zip((long[0], long[1], long[0]), reasons, strict=True):
        assert reason.startswith(f"features refuses a niche of the phrase '{phrase}': ")
        assert '"brief"' in reason


def test_a_created_niche_does_not_come_to_the_top(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Phase 1 sorts by opportunity, the greatest first, and to PostgreSQL nothing is greater than NULL."""
    row = ("view", "web", "2025-05-01T00:00Z", "{}", "", "", "brand new")
    load_file(migrated, write_csv(tmp_path / "a.csv", [row]))
    with migrated.begin() as connection:
        phase1.score(connection, Shape.TABLE)
    assert sql("SELECT count(*), count(opportunity) FROM hot_niches_today") == [(50, 50)]
    assert sql("SELECT FROM hot_niches_today WHERE phrase = 'brand new'") == []


def test_formats_hold_the_same(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    rows = [dict(zip(HEADER, row, strict=True)) for row in history(200)]
    objects = [
        {key: json.loads(value) if key == "event_data" else value or None for key, value in row.items()} for row in rows
    ]
    write_csv(tmp_path / "a.csv", history(200))
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(each) + "\n" for each in objects))
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    content = (
        "SELECT count(*), sum(hashtextextended(concat_ws('|', event_timestamp, event_type, event_source, event_data, "
        "user_id, niche_id), 0)) FROM sidb.backfill_events"
    )
    found = []
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        sql("DROP TABLE IF EXISTS sidb.backfill_events, sidb.backfill_files, sidb.backfill_rejects")
        assert load_file(migrated, tmp_path / name).rejected == 0
        found += sql(content)
    assert found[0][0] == 200
    assert len(set(found)) == 1


def test_a_missing_file_is_a_clear_error(migrated: Engine, tmp_path: Path) -> None:
    with pytest.raises(BackfillError, match=r"gone\.csv cannot be read: No such file"):
        load(migrated, Source(tmp_path / "gone.csv", "gone.csv"))
