"""Files of history as the disk has them: names of any bytes, files that change or go meanwhile, rights."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill import files
from backfill.errors import BackfillError
from backfill.files import half_loaded
from backfill.formats import lines
from backfill.source import Source
from tests.backfill.conftest import Sql, begin, history, load_file, write_csv
from tests.backfill.test_broken_files import GOOD, HEAD
from tests.backfill.test_console import Console
from tests.backfill.test_kills import ended, in_child


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"caf\xe9.csv", "caf\\xe9.csv"), (b"a[red].csv", "a[red].csv"), (b"a\nb.csv", "a\nb.csv"), (b" .csv", " .csv")],
    ids=["no UTF-8", "brackets", "two lines", "a blank"],
)
def test_a_name_of_any_bytes(name: bytes, shown: str, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    sidb = Console(migrated)
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    Path(path).write_bytes(HEAD + GOOD)
    assert f"{tmp_path}/{shown} loaded: 1 rows" in sidb("load", path)
    assert "is in already" in sidb("load", path)
    assert sql("SELECT name FROM sidb.backfill_files") == [(f"{tmp_path}/{shown}",)]
    sql("UPDATE sidb.backfill_files SET finished_at = NULL")
    assert f"half loaded: {tmp_path}/{shown}" in sidb("status")
    assert f"{tmp_path}/{shown} is given up: 1 records" in sidb("load", "--forget", path)
    Path(path).unlink()
    assert f"{tmp_path}/{shown} cannot be read: No such file or directory." in sidb("load", path, code=1)


def grow(path: Path) -> None:
    """Within the same tick of a clock that file systems go by."""
    before = path.stat()
    with path.open("ab") as file:
        file.write(b"view,web,2025-05-01T00:00:00Z,{},late,1,\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def overwrite(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"x" * (len(content) - len(content) // 2))


def exchange(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)


@pytest.mark.parametrize("change", [grow, overwrite, exchange])
def test_a_file_that_changes_while_it_is_loaded_is_refused(
    change: Callable[[Path], None], migrated: Engine, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a log that somebody writes to, the last line may be half a one."""
    monkeypatch.setattr(lines, "BLOCK", 2**14)
    path = write_csv(tmp_path / "h.csv", history(2_000))
    changed: list[int] = []

    def meanwhile(_source: Source, records: int, _rejected: int) -> None:
        if not changed:
            changed.append(records)
            change(path)

    with pytest.raises(BackfillError, match=r"h\.csv was not loaded: it changed while it was being read\.") as refused:
        load_file(migrated, path, report=meanwhile, chunk=1)
    assert "copy it" in refused.value.next_step
    assert 0 < changed[0] < 2_000
    with migrated.connect() as connection:
        assert half_loaded(connection) == []
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(0,)]
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'backfill_load_%'") == [(0,)]
    write_csv(path, history(2_000))
    assert load_file(migrated, path).added == 2_000


def test_a_file_that_is_gone_meanwhile_is_told_in_a_sentence(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "h.csv", history(100))
    source = Source(path, "h.csv")
    path.unlink()
    for work in (source.digest, source.refuse_changed, lambda: source.opened().__enter__()):
        with pytest.raises(BackfillError, match=r"h\.csv cannot be read: No such file or directory\."):
            work()


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "h.csv", history(1))
    path.chmod(0)

    def read() -> None:
        os.setuid(12_345)  # to root everything is readable
        Source(path, "h.csv")

    tmp_path.chmod(0o755)
    assert ended(in_child(read)) == 1  # a BackfillError


def test_half_loaded_files_come_in_the_order_of_their_loads(migrated: Engine, sql: Sql) -> None:
    begin(migrated)
    insert = "INSERT INTO sidb.backfill_files (digest, name, records, finished_at) VALUES "
    sql(insert + "('a', 'z.csv', 1, NULL), ('b', 'whole.csv', 2, now()), ('c', 'a.csv', 3, NULL)")
    sql("UPDATE sidb.backfill_files SET records = 4 WHERE name = 'z.csv'")  # its row lies behind the others by now
    with migrated.connect() as connection:
        assert [(each.name, each.records) for each in half_loaded(connection)] == [("z.csv", 4), ("a.csv", 3)]


def test_what_is_whole_is_not_given_up(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Of the loads of one name, the half-loaded ones go; who has read them is not asked again."""
    load_file(migrated, write_csv(tmp_path / "h.csv", [*history(50), ("broken",)]))
    insert = "INSERT INTO sidb.backfill_files (digest, name, records) VALUES "
    sql(insert + "('a', 'h.csv', 10), ('b', 'h.csv', 20), ('c', 'other.csv', 40)")
    sql("INSERT INTO sidb.backfill_rejects (file_id, file, line, reason, content) "
        "SELECT file_id, name, 1, '', '' FROM sidb.backfill_files WHERE finished_at IS NULL")  # fmt: skip
    with migrated.begin() as connection:
        assert files.forget(connection, "h.csv") == 30
    assert sql("SELECT name, records FROM sidb.backfill_files ORDER BY file_id") == [("h.csv", 51), ("other.csv", 40)]
    assert sql("SELECT file, reason = '' FROM sidb.backfill_rejects ORDER BY 1") == [
        ("h.csv", False),
        ("other.csv", True),
    ]
    with migrated.begin() as connection, pytest.raises(BackfillError, match=r"No file h\.csv is half loaded"):
        files.forget(connection, "h.csv")


def test_who_gives_up_a_file_waits_for_no_loader(migrated: Engine, sql: Sql) -> None:
    """One of the files of that name is being loaded: none of them goes."""
    begin(migrated)
    insert = "INSERT INTO sidb.backfill_files (digest, name) VALUES ('a', 'h.csv'), ('b', 'h.csv') RETURNING file_id"
    [_, (second,)] = sql(insert)
    with migrated.begin() as loader:
        loader.exec_driver_sql(f"SELECT pg_advisory_xact_lock({files.claim_key(second)})")
        with (
            pytest.raises(BackfillError, match=r"h\.csv is being loaded by another process"),
            migrated.begin() as other,
        ):
            files.forget(other, "h.csv")
    assert sql("SELECT count(*) FROM sidb.backfill_files") == [(2,)]
