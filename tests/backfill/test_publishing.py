"""A load beside earlier loads: line by line, whatever the order, the line ends and the compression."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from backfill import publishing
from backfill.bookkeeping import create, drop_staged
from backfill.finishing import finish
from backfill.jobs import JOBS
from backfill.loading import Loaded, load
from backfill.publishing import NotSaid
from backfill.source import Source
from tests.backfill.conftest import Sql, load_file, run, verify
from tests.fixtures.databases import Alembic

CHILDREN = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'sidb.backfill_events'::regclass"
HEAD = "event_type,event_source,event_timestamp,event_data,user_id,niche_id\n"


def line(number: int, at: str | None = None) -> str:
    return f'view,web,{at or f"2025-05-01T00:00:{number % 60:02}Z"},"{{""n"": {number}}}",u{number},1\n'


def lines(*numbers: int) -> str:
    return HEAD + "".join(map(line, numbers))


Load = Callable[..., Loaded]


@pytest.fixture
def loads(migrated: Engine, tmp_path: Path) -> Load:
    """``loads("a.csv", content)``: write it and load it."""

    def written(name: str, content: str | bytes, **options: Any) -> Loaded:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_file(migrated, tmp_path / name, **options)

    return written


def staged(sql: Sql) -> list[int]:
    return sorted(row.n for row in sql("SELECT (event_data ->> 'n')::int AS n FROM sidb.backfill_events"))


def test_the_rejected_line_corrected_adds_that_line(loads: Load, sql: Sql) -> None:
    content = lines(*range(1_000))
    broken = content.replace("2025-05-01T00:00:01Z", "2025-02-30T00:00:01Z", 1)
    first = loads("a.csv", broken)
    assert (first.records, first.rejected, first.added) == (1_000, 1, 999)
    second = loads("a.csv", content)
    assert (second.records, second.rejected, second.added) == (1_000, 0, 1)
    assert staged(sql) == list(range(1_000))
    assert sql("SELECT count(*) FROM sidb.backfill_rejects") == [(0,)]


def test_a_log_that_has_grown_adds_what_is_new(loads: Load, sql: Sql) -> None:
    for end, added in ((100, 100), (101, 1), (101, 0), (150, 49)):
        loaded = loads("a.csv", lines(*range(end)))
        assert (loaded.added, loaded.already) == (added, added == 0)
        assert staged(sql) == list(range(end))
    # An earlier state of it is known by its content.
    assert loads("a.csv", lines(*range(100))).already


@pytest.mark.parametrize(
    "same",
    [
        lambda content: content.replace("\n", "\r\n"),
        lambda content: HEAD + "".join(reversed(content.splitlines(keepends=True)[1:])),
        lambda content: gzip.compress(content.encode() + b"\n"),
        lambda content: content.rstrip("\n"),
        lambda content: content.replace("Z,", "+00,"),
    ],
)
def test_a_copy_adds_nothing(loads: Load, sql: Sql, same: Callable[[str], Any]) -> None:
    loads("a.csv", lines(*range(101)))
    copy = same(lines(*range(101)))
    again = loads("a.csv.gz" if isinstance(copy, bytes) else "a.csv", copy)
    assert (again.records, again.added, again.already) == (101, 0, False)
    assert staged(sql) == list(range(101))


def test_equal_lines_stay_as_many_as_in_the_file(loads: Load, sql: Sql) -> None:
    loads("a.csv", lines(1, 1, 2))
    assert staged(sql) == [1, 1, 2]
    assert loads("a.csv", lines(2, 1, 1, 1, 3, 3)).added == 3
    assert staged(sql) == [1, 1, 1, 2, 3, 3]
    with pytest.raises(NotSaid, match="1 lines of an earlier load of that name are missing"):
        loads("a.csv", lines(2, 1, 1, 3, 3))
    assert staged(sql) == [1, 1, 1, 2, 3, 3]


def test_a_file_that_lacks_earlier_lines_is_refused_until_it_is_said(loads: Load, sql: Sql) -> None:
    loads("a.csv", lines(1, 2, 3))
    with pytest.raises(NotSaid, match="2 lines of an earlier load of that name") as refused:
        loads("a.csv", lines(3, 4))
    assert "--new" in refused.value.next_step
    assert staged(sql) == [1, 2, 3]
    assert sql("SELECT count(*) FROM sidb.backfill_files") == [(1,)]
    assert sql("SELECT to_regclass('sidb.backfill_load_2')") == [(None,)]
    replaced = loads("a.csv", lines(3, 4), meant="replace")
    assert (replaced.added, replaced.removed) == (1, 2)
    assert staged(sql) == [3, 4]
    with pytest.raises(NotSaid):  # what it replaced is known by its content no more
        loads("a.csv", lines(1, 2, 3))


def test_another_file_under_the_same_name(loads: Load, sql: Sql) -> None:
    """A log that is rotated: each day its own lines, which grow, and are not those of the day before."""
    loads("a.csv", lines(1, 2))
    assert loads("a.csv", lines(2, 3), meant="new").added == 2
    assert loads("a.csv", lines(2, 3, 4)).added == 1
    assert staged(sql) == [1, 2, 2, 3, 4]


def test_another_name_that_shares_lines_is_refused_until_it_is_said(loads: Load, sql: Sql) -> None:
    loads("a.csv", lines(1, 2, 3))
    assert loads("apart.csv", lines(7, 8)).added == 2
    for content in (lines(3, 4), lines(2), lines(1, 2, 3, 9)):
        with pytest.raises(NotSaid, match=r"are in already, from a\.csv \("):
            loads("b.csv", content)
    assert staged(sql) == [1, 2, 3, 7, 8]
    assert loads("b.csv", lines(3, 4), meant="new").added == 2
    assert staged(sql) == [1, 2, 3, 3, 4, 7, 8]
    # It grows as a file of its own; that it shares lines was said.
    assert loads("b.csv", lines(3, 4, 5)).added == 1
    with pytest.raises(NotSaid, match=r"1 lines of it are in already, from a\.csv"):
        loads("b.csv", lines(3, 4, 5, 1))
    assert loads("b.csv", lines(3, 4, 5, 1), meant="new").added == 1


def test_a_file_takes_the_place_of_its_earlier_load(loads: Load, migrated: Engine, sql: Sql) -> None:
    """Rows that it lacks go from the events, too; those that were moved stay what they are."""
    loads("a.csv", lines(1, 2, 3))
    run(migrated)
    before = dict(sql("SELECT user_id, event_id FROM analytics.analytics_events WHERE event_type = 'view'"))
    loaded = loads("a.csv", lines(2, 3, 4), meant="replace")
    assert (loaded.added, loaded.removed) == (1, 1)
    run(migrated)
    after = dict(sql("SELECT user_id, event_id FROM analytics.analytics_events WHERE event_type = 'view'"))
    assert set(after) == {"u2", "u3", "u4"}
    assert {user: before[user] for user in ("u2", "u3")}.items() <= after.items()
    assert sql("SELECT sum(events) FROM analytics.niche_daily_activity WHERE event_type = 'view'") == [(3,)]
    assert verify(migrated)[0].holds
    assert loads("a.csv", lines(2, 3, 4, 5)).added == 1


@pytest.mark.parametrize("meant", [None, "new", "replace"])
def test_after_finish_the_lines_are_still_known(loads: Load, migrated: Engine, sql: Sql, meant: Any) -> None:
    loads("a.csv", lines(1, 2, 2))
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    with migrated.connect() as connection:
        assert finish(connection, JOBS).rows == 3
    if meant is None:
        assert loads("a.csv", lines(1, 2, 2, 3)).added == 1
        with pytest.raises(NotSaid, match=r"from a\.csv"):
            loads("b.csv", lines(1))
        expected = [1, 2, 2, 3]
    else:
        loads("a.csv", lines(1, 3), meant=meant)
        expected = {"new": [1, 1, 2, 2, 3], "replace": [1, 3]}[meant]
    run(migrated)
    events = "SELECT (event_data ->> 'n')::int FROM analytics.analytics_events WHERE event_type = 'view' ORDER BY 1"
    assert [n for (n,) in sql(events)] == expected


def test_what_is_lost_with_the_events_can_be_loaded_again(loads: Load, migrated: Engine, sql: Sql) -> None:
    """Finished, grown, then the events are discarded: the grown file is not in, though a part of it is staged."""
    loads("a.csv", lines(1, 2))
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))
    with migrated.connect() as connection:
        finish(connection, JOBS)
    loads("a.csv", lines(1, 2, 3))
    migrated.dispose()
    Alembic(migrated.url).downgrade()
    Alembic(migrated.url).upgrade()
    run(migrated)
    assert loads("a.csv", lines(1, 2, 3)).added == 2
    assert staged(sql) == [1, 2, 3]


@pytest.mark.parametrize("few", [0, publishing.FEW])
def test_many_rows_stay_in_a_table_of_their_own(
    few: int, loads: Load, migrated: Engine, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "FEW", few)
    loads("a.csv", lines(*range(300)))
    loads("a.csv", lines(*range(310)))
    loads("b.csv", lines(*range(400, 500)))
    assert sql(CHILDREN) == [(0 if few else 3,)]
    run(migrated)
    assert verify(migrated)[0].holds
    assert loads("b.csv", lines(*range(450, 501)), meant="replace").removed == 50
    assert staged(sql) == [*range(310), *range(450, 501)]
    with migrated.begin() as connection:
        assert drop_staged(connection) == 361
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'backfill_load_%'") == [(0,)]


@pytest.mark.parametrize(("rows", "children"), [(30, 0), (31, 1)])
def test_how_many_rows_are_few(
    rows: int, children: int, loads: Load, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "FEW", 30)
    loads("a.csv", lines(*range(rows)))
    assert sql(CHILDREN) == [(children,)]
    assert staged(sql) == list(range(rows))


def test_how_many_tables_are_many(loads: Load, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a thousand files would be a thousand tables, each of which every batch asks."""
    monkeypatch.setattr(publishing, "FEW", 0)
    monkeypatch.setattr(publishing, "MOST_CHILDREN", 2)
    for number, children in enumerate((1, 2, 2)):
        loads(f"{number}.csv", lines(number))
        assert sql(CHILDREN) == [(children,)]
    assert staged(sql) == [0, 1, 2]


def test_a_stream_has_no_name(migrated: Engine, tmp_path: Path, sql: Sql) -> None:
    def stream(content: str, **options: Any) -> Loaded:
        (tmp_path / "spool").write_text(content)
        return load(migrated, Source(tmp_path / "spool", "standard input", is_stream=True), **options)

    assert stream(lines(1, 2)).added == 2
    assert stream(lines(3, 4)).added == 2
    with pytest.raises(NotSaid, match="are in already, from standard input"):
        stream(lines(4, 5))
    assert stream(lines(4, 5), meant="new").added == 2
    assert staged(sql) == [1, 2, 3, 4, 4, 5]


FORMER = """
ALTER TABLE sidb.backfill_events DROP COLUMN file_id, DROP COLUMN line;
ALTER TABLE sidb.backfill_files DROP COLUMN series, DROP COLUMN lines, DROP COLUMN added, DROP COLUMN oldest,
    DROP COLUMN newest;
DROP TABLE sidb.backfill_lines;
"""


@pytest.fixture
def former(loads: Load, migrated: Engine, sql: Sql) -> None:
    """Staging as version 2.0.6 left it, with two files."""
    loads("a.csv", lines(1, 2, 2, 3))
    loads("z.csv", lines(20, 21))
    for statement in FORMER.split(";")[:-1]:
        sql(statement)
    create(migrated)


@pytest.mark.usefixtures("former")
def test_what_an_older_version_staged_is_compared_as_well(loads: Load, sql: Sql) -> None:
    assert loads("a.csv", lines(1, 2, 2, 3, 4)).added == 1
    assert loads("a.csv", lines(1, 2, 2, 3, 4, 5)).added == 1
    assert staged(sql) == [1, 2, 2, 3, 4, 5, 20, 21]
    with pytest.raises(NotSaid, match=r"from a load of version 2\.0\.6 or older"):
        loads("b.csv", lines(20))
    with pytest.raises(NotSaid, match="cannot be replaced"):
        loads("b.csv", lines(20), meant="replace")
    assert loads("b.csv", lines(20), meant="new").added == 1
    assert loads("apart.csv", lines(30)).added == 1


@pytest.mark.usefixtures("former")
def test_what_an_older_version_half_loaded_begins_anew(loads: Load, sql: Sql) -> None:
    sql("UPDATE sidb.backfill_files SET finished_at = NULL, records = 2 WHERE name = 'a.csv'")
    sql("DELETE FROM sidb.backfill_events WHERE event_data ->> 'n' = '3' OR event_id IN (SELECT max(event_id) "
        "FROM sidb.backfill_events WHERE event_data ->> 'n' = '2')")  # fmt: skip
    assert staged(sql) == [1, 2, 20, 21]
    assert loads("a.csv", lines(1, 2, 2, 3)).added == 2
    assert staged(sql) == [1, 2, 2, 3, 20, 21]


@pytest.mark.usefixtures("former")
def test_what_an_older_version_dropped_is_not_guessed_at(loads: Load, sql: Sql) -> None:
    sql("DELETE FROM sidb.backfill_events")
    with pytest.raises(NotSaid, match=r"version 2\.0\.6 or older loaded a file of that name, and dropped it"):
        loads("a.csv", lines(1, 2, 2, 3, 4))
    assert loads("a.csv", lines(1, 2, 2, 3, 4), meant="new").added == 5
    assert loads("apart.csv", lines(30)).added == 1
