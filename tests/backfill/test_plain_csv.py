"""Plain CSV goes to COPY as it stands: the same rows and rejects as record by record, whatever the file holds."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from backfill import niches, reading
from backfill.plain_csv import Plain, PlainCsv
from backfill.reading import Source
from backfill.records import Bad, Row
from tests.backfill.conftest import HEADER, history, load_file, write_csv

PLAIN = len(HEADER) - 1  # columns: all but the phrase

# What a field may hold, as it stands in the file: plain, odd, or broken.
ODD = [
    "",
    '""',
    " ",
    '"',
    "x",
    "\\.",
    "\\N",
    '"a""b"',
    'a"b',
    '"a"b',
    "ä😀",
    "\0",
    "a\rb",
    '"a\nb"',
    '"a\n\\.\nb"',
    "a,b",
]
TEXTS = ["view", '"view"', "\\.", "\\N", "é", '"a, b"', " x ", "x" * 250, "x" * 1001, "😀" * 250, "😀" * 251, "NULL"]
TIMES = [
    "2025-05-01T00:00:00Z",
    "2025-05-01 02:00+02",
    "2025-05-01T00:00:00.1",
    "2025-05-01T00:00:00.123456-03:30",
    '"2025-05-01T00:00:00+15:59"',
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-15:00",
    "0000-01-01T00:00:00Z",
    "2025-02-30T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-05-01T24:00:00Z",
    "2025-05-01T23:59:60Z",
    "2025-05-01T00:00:00+16:00",
    "2025-05-01T00:00:00.1234567",
    "2025-05-01",
    "2025-5-1T00:00",
    "2025-W18-4",
    "infinity",
]
OBJECTS = [
    "{}",
    '"{}"',
    '"{""a"": 1}"',
    '"{""a"": ""b, c""}"',
    '"{""a"": ""\\u0041""}"',
    '"{""a"": ""é""}"',
    '"{""a"": 1} "',
    '"{""a"": 1',
    '"{""a"": NaN}"',
    '"{""a"": ""\\u0000""}"',
    '"{"a": 1}"',
    '"{\n}"',
    '" {}"',
    "{oops}",
    "[]",
]
NICHES = ["", '""', "1", '"2"', "007", "200", "987654", "9" * 18, "9" * 19, "-1", "1 ", "٣", '"1']
FIELDS = {
    "event_timestamp": TIMES,
    "event_type": TEXTS,
    "event_source": TEXTS,
    "event_data": OBJECTS,
    "user_id": [*TEXTS, "", '""'],
    "created_at": [*TIMES, "", '""'],
    "niche_id": NICHES,
}
GOOD = {"event_timestamp": "2025-05-01T00:00:00Z", "event_type": "view", "event_source": "web", "event_data": "{}"}


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file of any order of columns, most of its lines good, others with odd or broken fields or ends."""
    header = draw(st.permutations(list(FIELDS)))
    if draw(st.booleans()):
        header.remove(draw(st.sampled_from(["user_id", "created_at", "niche_id"])))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    good = ",".join(GOOD.get(name, "") for name in header)
    lines = [",".join(header) + end]
    lines += [good + end] * draw(st.integers(0, 10))
    # Few that are odd, and most in one field: a record that is refused hides what others of its chunk would do.
    for _ in range(draw(st.integers(0, 4))):
        fields = {name: GOOD.get(name, "") for name in header}
        for name in draw(st.lists(st.sampled_from(header), min_size=1, max_size=2, unique=True)):
            fields[name] = draw(st.sampled_from(FIELDS[name]) | st.sampled_from([*FIELDS[name], *ODD]))
        lines.append(",".join(fields.values()) + end)
    strays = ["\n", "\r\n", "\\.\n", "x\n", '"\n', good + "\n", good + "\r\n"]
    lines += draw(st.just([]) | st.lists(st.sampled_from(strays), max_size=2))
    content = "".join(lines[:1] + draw(st.permutations(lines[1:]))) + draw(st.sampled_from(["", good]))
    return content.encode().replace("é".encode(), draw(st.sampled_from(["é".encode()] * 4 + [b"\xe9"])))


ROWS = text(
    "SELECT event_timestamp::text, event_type, event_source, event_data, user_id, niche_id, created_at::text "
    "FROM sidb.backfill_events ORDER BY event_id"
)
REJECTS = text("SELECT line, reason, content FROM sidb.backfill_rejects ORDER BY line, reason, content")
FILES = text("SELECT records, rejected, finished_at IS NOT NULL FROM sidb.backfill_files")
FORGET = text("TRUNCATE sidb.backfill_events, sidb.backfill_files, sidb.backfill_rejects")


def left(engine: Engine) -> Any:
    """What was loaded, all of it and in its order; and it is forgotten."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL timezone = 'UTC'"))
        found = [connection.execute(each).all() for each in (ROWS, REJECTS, FILES)]
        connection.execute(FORGET)
        return found


def record_by_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PlainCsv, "of", lambda _header: None)


def agree(engine: Engine, path: Path, block: int, chunk: int) -> None:
    """Both ways leave the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        load_file(engine, path, chunk=chunk)
        found = left(engine)
        record_by_record(patch)
        load_file(engine, path, chunk=chunk)
    assert found == left(engine)


def test_each_odd_field_alone(migrated: Engine, tmp_path: Path) -> None:
    """A record a chunk, so that none that is refused has others read anew."""
    header = list(FIELDS)
    good = {name: GOOD.get(name, "") for name in header}
    odd = [(good | {name: value}).values() for name in header for value in (*FIELDS[name], *ODD)]
    # Quotes that are left open swallow what comes after them.
    lines = sorted((",".join(fields) for fields in odd), key=lambda line: line.count('"') % 2)
    (tmp_path / "a.csv").write_text("\n".join([",".join(header), *lines, ""]), newline="")
    agree(migrated, tmp_path / "a.csv", block=1, chunk=1)


@settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
@given(content=files(), block=st.sampled_from([1, 200, 2**16]), chunk=st.sampled_from([3, 1000]))
def test_any_mixture(migrated: Engine, tmp_path: Path, content: bytes, block: int, chunk: int) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    agree(migrated, tmp_path / "a.csv", block, chunk)


def plain_share(path: Path) -> float:
    """The part of a file's records that COPY takes as they stand."""
    counts = [(isinstance(each, Plain), len(each) if isinstance(each, Plain) else 1) for each in records(path)]
    return sum(count for plain, count in counts if plain) / sum(count for _, count in counts)


def records(path: Path) -> Iterator[Row | Bad | Plain]:
    return Source(path, path.name).records()


@pytest.mark.parametrize("form", [{}, {"quoting": csv.QUOTE_ALL}, {"lineterminator": "\n"}])
def test_what_programs_export_is_plain(form: dict[str, Any], tmp_path: Path) -> None:
    assert plain_share(write_csv(tmp_path / "a.csv", history(1_000), PLAIN, **form)) == 1


def test_a_phrase_is_looked_up_record_by_record(tmp_path: Path) -> None:
    assert plain_share(write_csv(tmp_path / "a.csv", history(100))) == 0


class Killed(Exception):  # noqa: N818
    """Stands for the death of the process between two chunks."""


@pytest.mark.parametrize("plainly", [True, False])
def test_each_way_goes_on_where_the_other_stopped(plainly: bool, migrated: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [*history(1_500), ("broken",), *history(1_500, seed=2)], PLAIN)
    load_file(migrated, path)
    undisturbed = left(migrated)

    def die(_source: Source, records: int, _rejected: int) -> None:
        if records >= 770:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", 2**12)
        if not plainly:
            record_by_record(patch)
        with pytest.raises(Killed):
            load_file(migrated, path, report=die, chunk=70)
    with pytest.MonkeyPatch.context() as patch:
        if plainly:
            record_by_record(patch)
        load_file(migrated, path, chunk=900)
    assert left(migrated) == undisturbed
    assert [len(each) for each in undisturbed] == [3_000, 1, 1]


def test_more_niches_than_are_kept_in_mind(migrated: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(niches, "KNOWN", 20)
    for width in (PLAIN, len(HEADER)):
        loaded = load_file(migrated, write_csv(tmp_path / f"{width}.csv", history(3_000), width))
        assert (loaded.records, loaded.rejected) == (3_000, 0)
