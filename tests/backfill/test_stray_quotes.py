"""A quote that opens within a field costs its line, and no other, wherever the next one stands."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill import chunks
from backfill.formats import lines
from backfill.formats.csv import Csv
from tests.backfill.conftest import Sql, load_file
from tests.backfill.test_broken_files import GOOD, HEAD, csv_line

STRAY = b'view,5" pipe,2025-05-01,{},u,1,\n'
LINE = "not CSV: a quote is opened and not closed"
LINES = 1_400_000  # more bytes than a line may have, and those before it in its block


@pytest.mark.parametrize("between", [0, 1, 9, 4_000], ids="{} lines between".format)
def test_two_stray_quotes_make_no_event_of_what_is_between(
    between: int, migrated: Engine, sql: Sql, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(HEAD + GOOD + STRAY + GOOD * between + STRAY + GOOD)
    loaded = load_file(migrated, tmp_path / "a.csv")
    assert (loaded.records, loaded.rejected) == (between + 4, 2)
    found = sql("SELECT line, reason, content FROM sidb.backfill_rejects ORDER BY line")
    assert found == [(line, LINE, STRAY.decode().rstrip()) for line in (3, between + 4)]
    assert sql("SELECT DISTINCT event_source FROM sidb.backfill_events") == [("web",)]


@pytest.mark.parametrize(
    "line",
    [
        csv_line(user='he said "no"\nand left, "so"'),
        csv_line(user='"\n"'),
        b'view,web,2025-05-01,{}, "u\n",1,\n',
        b'view,"web",2025-05-01,{},"a ""b""\n""c""",1,"niche\n1"\n',
    ],
    ids=["quotes in it", "quotes alone", "after a space", "two of them"],
)
def test_a_text_of_several_lines_is_one_field(line: bytes, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEAD + GOOD + line + GOOD)
    assert load_file(migrated, tmp_path / "a.csv").rejected == 0
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(3,)]


def test_where_each_line_is_a_record_nobody_looks_for_quotes(
    migrated: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take time, and no record can have swallowed another one."""
    monkeypatch.setattr(Csv, "runs_together", lambda *_: pytest.fail("it was looked for"))
    (tmp_path / "a.csv").write_bytes(HEAD + (GOOD + csv_line(user="5'")) * 10)
    assert load_file(migrated, tmp_path / "a.csv").added == 20


def test_a_text_of_a_million_lines_is_too_long(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """More than a line may be, and so read line by line; what stands behind it is read as ever."""
    (tmp_path / "a.csv").write_bytes(HEAD + b'view,web,2025-05-01,{},"' + b"\n" * LINES + b'",1,\n' + GOOD * 3)
    loaded = load_file(migrated, tmp_path / "a.csv")
    assert (loaded.added, loaded.rejected) == (3, 2)
    assert sql("SELECT line, reason FROM sidb.backfill_rejects ORDER BY line") == [(2, LINE), (LINES + 2, LINE)]


def test_a_chunk_has_so_many_lines_at_most(
    migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what is refused of the shortest lines would take a multiple of the chunk's memory."""
    monkeypatch.setattr(chunks, "MOST_LINES", 10_000)
    monkeypatch.setattr(lines, "BLOCK", 2**14)
    records: list[int] = []
    (tmp_path / "a.csv").write_bytes(HEAD + b"x\n" * 40_000 + GOOD)
    loaded = load_file(migrated, tmp_path / "a.csv", report=lambda _source, read, _rejected: records.append(read))
    assert (loaded.added, loaded.rejected) == (1, 40_000)
    assert records == [2**14, 2**15, 40_001], "two blocks each"
    rejected = "SELECT count(*), min(line), max(line) FROM sidb.backfill_rejects"
    assert sql(rejected) == [(40_000, 2, 40_001)]
    assert sql("SELECT count(*) FROM sidb.backfill_rejects WHERE line <> reject_id + 1") == [(0,)], "in their order"
