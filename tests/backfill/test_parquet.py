"""Parquet as others write it: each value is kept as it is, or its row rejected."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from sqlalchemy import Engine

from tests.backfill.conftest import Sql, load_file

ROW = {"event_timestamp": "2025-05-01", "event_type": "view", "event_source": "web", "event_data": "{}"}
FAR = [datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(1, 1, 1), datetime(2025, 1, 1, 1, 2, 3, 123456)]
NESTED = pyarrow.struct([("at", pyarrow.timestamp("ns")), ("n", pyarrow.int64())])
MAP = pyarrow.map_(pyarrow.string(), pyarrow.string())

# kind of column: its name, its values, and what is kept of them as text
KEPT: dict[str, tuple[str, Any, str]] = {
    "decimal": ("niche_id", pyarrow.array([Decimal(7)], pyarrow.decimal128(20, 0)), "7"),
    "whole number": ("niche_id", pyarrow.array([7], pyarrow.int64()), "7"),
    "texts as bytes": ("user_id", pyarrow.array(["naïve".encode()]), "naïve"),
    "large text": ("user_id", pyarrow.array(["u"], pyarrow.large_string()), "u"),
    "dictionary": ("user_id", pyarrow.array(["u"]).dictionary_encode(), "u"),
    "dictionary of times": ("created_at", pyarrow.array([FAR[2]]).dictionary_encode(), "2025-01-01 01:02:03.123456+00"),
    "nothing": ("user_id", pyarrow.array([None]), "None"),
    "empty text": ("user_id", pyarrow.array([""]), "None"),
    "lines": ("user_id", pyarrow.array(['a\n"b",']), 'a\n"b",'),
    "date": ("created_at", pyarrow.array([date(2025, 5, 1)]), "2025-05-01 00:00:00+00"),
    "nanoseconds": (
        "created_at",
        pyarrow.array([1_700_000_000_123_456_789], pyarrow.timestamp("ns", "Asia/Tokyo")),
        "2023-11-14 22:13:20.123457+00",
    ),
    "struct": (
        "event_data",
        pyarrow.array([{"a": 1, "b": [1, None], "c": {"d": "x"}}]),
        '{"a": 1, "b": [1, null], "c": {"d": "x"}}',
    ),
    "struct with a time": ("event_data", pyarrow.array([{"at": FAR[2]}]), '{"at": "2025-01-01T01:02:03.123456"}'),
    "struct with bytes": ("event_data", pyarrow.array([{"a": b"x"}]), '{"a": "x"}'),
    "map": ("event_data", pyarrow.array([[("a", "1"), ("b", None)]], MAP), '{"a": "1", "b": null}'),
}

REJECTED: dict[str, tuple[str, Any, str]] = {
    "a decimal with places": ("niche_id", pyarrow.array([Decimal("7.00")], pyarrow.decimal128(20, 2)), '"7.00"'),
    "a fraction": ("niche_id", pyarrow.array([7.5]), "of the type float, which is no text"),
    "true": ("user_id", pyarrow.array([True]), "of the type bool, which is no text"),
    "bytes that are no text": ("user_id", pyarrow.array([b"\xff"]), "can't decode byte 0xff"),
    "a list": ("event_data", pyarrow.array([[1, 2]]), "of the type list, which is no text"),
    "NaN": ("event_data", pyarrow.array([{"a": float("nan")}]), 'Token "NaN" is invalid'),
    "a decimal in JSON": (
        "event_data",
        pyarrow.array([{"a": Decimal("1.5")}]),
        "of the type Decimal, which JSON does not have",
    ),
    "nanoseconds in JSON": ("event_data", pyarrow.array([{"at": 1, "n": 1}], NESTED), "anosecond"),
    "a key twice": ("event_data", pyarrow.array([[("a", "1"), ("a", "2")]], MAP), "duplicate key"),
    "NUL": ("user_id", pyarrow.array(["a\0b"]), "NUL byte"),
    "epoch seconds": ("event_timestamp", pyarrow.array([1_748_736_000]), "is a number, not a time"),
    "no time of PostgreSQL's": ("event_timestamp", pyarrow.array([2**62], pyarrow.timestamp("us")), "is not a time"),
}


def write(path: Path, columns: dict[str, Any], **form: Any) -> Path:
    parquet.write_table(pyarrow.table(columns), path, **form)
    return path


def beside_good_ones(column: str, values: Any) -> dict[str, Any]:
    """A row between two that lack the column, or have it as text."""
    one = {name: pyarrow.array([value]) for name, value in ROW.items()}
    return one | {column: values}


@pytest.mark.parametrize("kind", KEPT)
def test_a_value_is_kept(kind: str, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    column, values, expected = KEPT[kind]
    loaded = load_file(migrated, write(tmp_path / "a.parquet", beside_good_ones(column, values)))
    assert loaded.rejected == 0, sql("SELECT reason FROM sidb.backfill_rejects")
    [(found,)] = sql(f"SELECT {column}::text FROM sidb.backfill_events")  # noqa: S608
    assert str(found) == expected


@pytest.mark.parametrize("kind", REJECTED)
def test_or_its_row_is_rejected(kind: str, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    column, values, reason = REJECTED[kind]
    loaded = load_file(migrated, write(tmp_path / "a.parquet", beside_good_ones(column, values)))
    assert (loaded.records, loaded.rejected) == (1, 1)
    [(line, said)] = sql("SELECT line, reason FROM sidb.backfill_rejects")
    assert reason in said
    assert line == 1


def test_times_of_any_year_in_int96(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """As Spark and Impala wrote them: what does not fit nanoseconds would become a time of another century."""
    columns = {name: pyarrow.array([value] * 3) for name, value in ROW.items()}
    columns["event_timestamp"] = pyarrow.array(FAR, pyarrow.timestamp("us"))
    path = write(tmp_path / "a.parquet", columns, use_deprecated_int96_timestamps=True)
    assert parquet.ParquetFile(path).schema.column(0).physical_type == "INT96"
    load_file(migrated, path)
    found = sql("SELECT event_timestamp AT TIME ZONE 'UTC' FROM sidb.backfill_events")
    assert sorted(at for (at,) in found) == sorted(FAR)


def test_names_of_columns_in_any_case(migrated: Engine, tmp_path: Path) -> None:
    columns = {f" {name.upper()}": pyarrow.array([value]) for name, value in ROW.items()}
    assert load_file(migrated, write(tmp_path / "a.parquet", columns)).added == 1


def test_a_rejected_row_costs_no_other(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Wherever it stands in what is read at once."""
    rows = 2_500
    columns = {name: pyarrow.array([value] * rows) for name, value in ROW.items()}
    bad = {0, 1, 999, 1_000, 1_500, 2_499}
    columns["user_id"] = pyarrow.array([b"\xff" if row in bad else b"u%d" % row for row in range(rows)])
    loaded = load_file(migrated, write(tmp_path / "a.parquet", columns))
    assert (loaded.records, loaded.rejected) == (rows, len(bad))
    assert [line - 1 for (line,) in sql("SELECT line FROM sidb.backfill_rejects ORDER BY line")] == sorted(bad)
    assert sql("SELECT count(DISTINCT user_id) FROM sidb.backfill_events") == [(rows - len(bad),)]
