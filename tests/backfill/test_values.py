"""One reading of every value, PostgreSQL's, whatever stands beside it in the file."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from backfill.chunks import Chunk
from tests.backfill.conftest import Sql, load_file

HEAD = "event_type,event_source,event_timestamp,event_data\n"
DEEP = '{"a":' + "[" * 1_000 + "]" * 1_000 + "}"
VALUES = {
    "2025-05-01+02:00": "{}",
    "2025-05-01T00:00:00.1234567Z": "{}",
    "2025-05-01T00:00:00.123456+15:59": "{}",
    "0001-01-01+02:00": "{}",
    "9999-12-31": "{}",
    "infinity": "{}",
    "-Infinity": "{}",
    "20250501T000000Z": "{}",
    "2025-05-01 00:00": '{"n": 123456789012345678901234567890, "e": 1e-400, "d": 1.50}',
    "2025-05-02 00:00": DEEP,
}
REFUSED = "view,web,2025-02-30,{}\n"  # by a value of it
NO_RECORD = "view,web\n"  # by COPY


def csv_of(values: dict[str, str]) -> list[str]:
    return [f'view,web,{at},"{data.replace(chr(34), chr(34) * 2)}"\n' for at, data in values.items()]


@pytest.mark.parametrize("neighbour", ["", REFUSED, NO_RECORD, "\n", 'view,"web\r\n2",2025-05-01,{}\r\n'])
def test_a_neighbour_changes_no_reading(neighbour: str, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + neighbour + "".join(csv_of(VALUES)), newline="")
    loaded = load_file(migrated, tmp_path / "a.csv")
    assert loaded.rejected == (neighbour in (REFUSED, NO_RECORD))
    for at, data in VALUES.items():
        found = sql(
            "SELECT count(*) FROM sidb.backfill_events WHERE event_source = 'web' "
            "AND event_timestamp = CAST(:at AS timestamptz) AND event_data = CAST(:data AS jsonb)",
            at=at,
            data=data,
        )
        assert found == [(1,)], at


def test_json_lines_are_read_as_csv_is(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    def objects(data: str) -> str:
        fixed = '{"event_type": "view", "event_source": "web", '
        return "".join(f'{fixed}"event_timestamp": {json.dumps(at)}, "event_data": {data}}}\n' for at in VALUES)

    (tmp_path / "a.csv").write_text(HEAD + "".join(csv_of(VALUES)))
    load_file(migrated, tmp_path / "a.csv")
    content = "".join(objects(data).splitlines(keepends=True)[n] for n, data in enumerate(VALUES.values()))
    (tmp_path / "a.jsonl").write_text("\n" + content.replace("{}", "{\t}\r"))
    assert load_file(migrated, tmp_path / "a.jsonl", meant="new").rejected == 0
    assert sql("SELECT count(*), count(DISTINCT line) FROM sidb.backfill_events") == [(20, 10)]
    number = "SELECT DISTINCT event_data ->> 'e', event_data ->> 'd' FROM sidb.backfill_events WHERE event_data ? 'e'"
    assert sql(number) == [("0." + "0" * 399 + "1", "1.50")]


@pytest.mark.parametrize("setting", ["timezone = 'Asia/Tokyo'", "datestyle = 'German'", "search_path = 'nowhere'"])
def test_settings_of_the_role_change_no_reading(setting: str, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    sql(f"ALTER DATABASE {migrated.url.database} SET {setting}")
    migrated.dispose()  # sessions from now on have it
    (tmp_path / "a.csv").write_text(HEAD + "view,web,2025-05-01 00:00,{}\nview,web,01.05.2025,{}\n")
    assert load_file(migrated, tmp_path / "a.csv").rejected == 1
    found = sql("SELECT extract(epoch FROM event_timestamp)::bigint FROM sidb.backfill_events")
    assert found == [(1_746_057_600,)]


def test_many_refused_lines_take_few_statements_more_than_good_ones(
    migrated: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3,000 of 6,000 by a value, 3,000 of 6,000 by COPY: they are not looked for one by one from here."""
    asked: Counter[str] = Counter()
    copied = Chunk._copy

    def copy(self: Chunk, *arguments: Any) -> int:
        asked[path.name] += 1
        return copied(self, *arguments)

    def count(*_: Any) -> None:
        asked[path.name] += 1

    monkeypatch.setattr(Chunk, "_copy", copy)
    event.listen(Engine, "before_cursor_execute", count)
    good = "view,web,2025-05-01,{}\n"
    try:
        for name, bad in (("good", good), ("value", REFUSED), ("copy", NO_RECORD)):
            (path := tmp_path / name).write_text(HEAD + (good + bad) * 3_000)
            loaded = load_file(migrated, path, meant="new")
            assert (loaded.records, loaded.rejected) == (6_000, 0 if bad is good else 3_000)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert asked["good"] > 0
    assert max(asked.values()) < asked["good"] + 10, asked


def test_a_number_is_no_time(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """Seconds since 1970 would be a day of the year 170000; eight digits are a date of ISO 8601."""
    numbers = ("1700001210", "1700001210123", "45292", "250501")
    rows = "".join(f"view,web,{at},{{}},\n" for at in (*numbers, "20250501")) + "view,web,2025-05-01,{},1700001210\n"
    (tmp_path / "a.csv").write_text(HEAD.replace("\n", ",created_at\n") + rows)
    loaded = load_file(migrated, tmp_path / "a.csv")
    assert (loaded.rejected, loaded.added) == (5, 1)
    reasons = [reason for (reason,) in sql("SELECT reason FROM sidb.backfill_rejects ORDER BY line")]
    assert reasons[0] == "event_timestamp '1700001210' is a number, not a time (ISO 8601)"
    assert reasons[-1] == "created_at '1700001210' is a number, not a time (ISO 8601)"
