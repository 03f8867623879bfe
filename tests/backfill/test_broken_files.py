"""Broken files: a line is staged or rejected with a reason, or the file refused with a clear error; none is lost."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from backfill.errors import BackfillError
from backfill.formats.base import LONGEST, Bad, Piece, Record
from backfill.source import Source
from tests.backfill.conftest import Sql, load_file

HEAD = b"event_type,event_source,event_timestamp,event_data,user_id,niche_id,phrase\n"
GOOD = b'view,web,2025-05-01T00:00:00Z,"{""a"": 1}",u,1,\n'
JSON = b'{"event_type": "view", "event_source": "web", "event_timestamp": "2025-05-01T00:00:00Z", "event_data": {}}\n'


def csv_line(**fields: str) -> bytes:
    given = {
        "type": "view",
        "source": "web",
        "at": "2025-05-01T00:00:00Z",
        "data": "{}",
        "user": "",
        "id": "",
        "phrase": "",
    }
    return ",".join('"' + value.replace('"', '""') + '"' for value in (given | fields).values()).encode() + b"\n"


def json_line(**fields: object) -> bytes:
    return json.dumps(json.loads(JSON) | fields).encode() + b"\n"


def zipped(content: bytes) -> bytes:
    with zipfile.ZipFile(made := io.BytesIO(), "w") as archive:
        archive.writestr("h.csv", content)
    return made.getvalue()


# kind of file: its content, and what is said about it
REFUSED = {
    "empty": (b"", "it is empty"),
    "gzipped Parquet": (gzip.compress(b"PAR1" + HEAD), "compressed as a whole"),
    "truncated gzip": (gzip.compress(HEAD + GOOD * 1000)[:-20], "is cut off"),
    "damaged gzip": (gzip.compress(HEAD + GOOD)[:30] + b"\xff" * 8 + gzip.compress(HEAD + GOOD)[38:], "is damaged"),
    "garbage after gzip": (gzip.compress(HEAD + GOOD) + b"garbage", "is damaged"),
    "gzip of gzip": (gzip.compress(gzip.compress(HEAD + GOOD)), "compressed twice"),
    "xz": (lzma.compress(HEAD + GOOD), "compressed with xz"),
    "bzip2": (bz2.compress(HEAD + GOOD), "compressed with bzip2"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(50), "compressed with zstd"),
    "zip": (zipped(HEAD + GOOD), "a zip archive, or a workbook"),
    "gzip of nothing": (gzip.compress(b""), "it is empty"),
    "wrong delimiter": (HEAD.replace(b",", b";") + GOOD, "not separated by commas"),
    "tabs": (HEAD.replace(b",", b"\t") + GOOD, "not separated by commas"),
    "lines that end in CR": ((HEAD + GOOD).replace(b"\n", b"\r"), "lines end in CR alone"),
    "endless line of CR": ((HEAD + GOOD * 30_000).replace(b"\n", b"\r"), "lines end in CR alone"),
    "blank first line": (b"\n" + HEAD + GOOD, "its first line is empty"),
    "endless header": (HEAD[:-1] + b" " * LONGEST + b"\n" + GOOD, "its header cannot be read: it is too long"),
    "a million columns": (b"," * 1_000_000 + b"\n" + GOOD, "names a column ''"),
    "an empty column at the end": (HEAD.replace(b"\n", b",\n") + GOOD, "names a column ''"),
    "missing column": (HEAD.replace(b"event_data,", b"") + GOOD, "lacks event_data"),
    "duplicate header": (HEAD.replace(b"user_id", b"event_type") + GOOD, "names event_type twice"),
    "unknown column": (HEAD.replace(b"user_id", b"colour") + GOOD, "names a column 'colour'"),
    "no header": (GOOD, "names a column"),
    "JSON array": (b"[" + JSON + b"]", "one JSON array"),
    "UTF-16": (HEAD.decode().encode("utf-16"), "cannot be read"),
    "binary": (bytes(range(128, 256)) * 50, "cannot be read"),
    "damaged parquet": (b"PAR1" + b"\0" * 100, "was not loaded"),
}

# kind of line: the line among good ones, and the reason of its rejection
REJECTED_CSV = {
    "too few fields": (b"view,web\n", "2 fields, and the header has 7"),
    "too many fields": (GOOD.replace(b"\n", b",x\n"), "8 fields"),
    "NUL byte": (GOOD.replace(b"web", b"w\0b"), "NUL byte"),
    "bad UTF-8": (GOOD.replace(b"web", b"w\xff"), "not UTF-8 at byte 7"),
    "100 MB line": (b"x" * 100_000_000 + b"\n", "longer than"),
    "impossible date": (csv_line(at="2025-02-30T00:00:00Z"), "out of range"),
    "impossible hour": (csv_line(at="2025-02-03T25:00:00Z"), "out of range"),
    "epoch seconds": (csv_line(at="1748736000"), "out of range"),
    "week date": (csv_line(at="2025-W18-4"), "invalid input syntax"),
    "month first": (csv_line(at="05/01/2025"), "out of range"),
    "the time of loading": (csv_line(at="now"), "'now' is not a time"),
    "no time": (csv_line(at=""), "event_timestamp is empty"),
    "empty type": (csv_line(type=""), "event_type is empty"),
    "empty source": (csv_line(source=""), "event_source is empty"),
    "endless type": (csv_line(type="x" * 5000), "longer than 1,000 bytes"),
    "no payload": (csv_line(data=""), "event_data is empty"),
    "payload is no JSON": (csv_line(data="{oops}"), 'invalid input syntax for type json: Token "oops"'),
    "payload is an array": (csv_line(data="[1]"), "not a JSON object"),
    "payload with NaN": (csv_line(data='{"a": NaN}'), 'Token "NaN" is invalid'),
    "payload with NUL": (csv_line(data='{"a": "\\u0000"}'), "nicode"),
    "payload with half a surrogate": (csv_line(data='{"a": "\\ud800"}'), "nicode"),
    "payload nested too deeply": (
        csv_line(data='{"a":' + "[" * 40_000 + "]" * 40_000 + "}"),
        "stack depth limit exceeded",
    ),
    "niche is a word": (csv_line(id="cats"), 'invalid input syntax for type bigint: "cats"'),
    "niche is unknown": (csv_line(id="987654"), "niche 987654 does not exist"),
    "niche out of range": (csv_line(id="9" * 30), "out of range for type bigint"),
    "blank phrase": (csv_line(phrase="  "), "phrase is blank"),
    "an empty field at the end": (GOOD.replace(b"\n", b",\n"), "8 fields"),
    "a header in the middle, with its mark": (b"\xef\xbb\xbf" + HEAD, "invalid input syntax for type bigint"),
    "unclosed quote": (b'view,web,2025-05-01T00:00:00Z,"{""a"": 1},u,1,\n', "not CSV"),
    "text after a quote": (b'view,web,"2025-05-01T00:00:00Z"x,{},u,1,\n', "invalid input syntax"),
    "a line that ends COPY": (b'view,web,2025-05-01T00:00:00Z,{},"u\n\\.\n",1,\n', "a line that is"),
}

REJECTED_JSON = {
    "not JSON": (b"{oops}\n", "invalid input syntax for type json"),
    "not an object": (b"[1]\n", "not a JSON object"),
    "a mere number": (b"17\n", "not a JSON object"),
    "unknown key": (json_line(colour="red"), "unknown column 'colour'"),
    "payload is a text": (json_line(event_data="x"), "invalid input syntax for type json"),
    "payload is a number": (json_line(event_data=3), "event_data is not a JSON object"),
    "user is a number": (json_line(user_id=3), "user_id is not a text"),
    "niche is true": (json_line(niche_id=True), "type bigint"),
    "NUL in a text": (json_line(user_id="a\0b"), "nsupported Unicode escape sequence"),
    "half a surrogate": (json_line(user_id="\ud800"), "nicode low surrogate"),
    "a number that cannot be kept": (JSON.replace(b"{}", b'{"a": 1e-20000}'), "overflows numeric format"),
    "a control character": (JSON.replace(b"web", b"w\1b"), "control character"),
    "impossible created_at": (json_line(created_at="2025-13-01"), "out of range"),
    "a mark in the middle": (b"\xef\xbb\xbf" + JSON, 'Token "\ufeff" is invalid'),
    "a niche with a point": (json_line(niche_id=5.0), 'invalid input syntax for type bigint: "5.0"'),
    "cut off": (JSON[:40] + b"\n", "invalid input syntax for type json"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_no_history_is_refused_whole(kind: str, migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    content, complaint = REFUSED[kind]
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(BackfillError) as refused:
        load_file(migrated, tmp_path / "broken")
    assert complaint in refused.value.what
    assert refused.value.what.startswith("broken ")
    assert refused.value.next_step
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(0,)]


def test_bad_lines_are_rejected_and_the_others_staged(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    for name, head, good, cases in (("a.csv", HEAD, GOOD, REJECTED_CSV), ("a.jsonl", b"", JSON, REJECTED_JSON)):
        content, lines = [head + good], {}
        number = 2 + bool(head)
        for kind, (line, reason) in cases.items():
            content += [line, good]
            lines[number] = (kind, reason, line)
            number += line.count(b"\n") + 1
        (tmp_path / name).write_bytes(b"".join(content))
        loaded = load_file(migrated, tmp_path / name)
        found = {
            line: (reason, text)
            for line, reason, text in sql(
                "SELECT line, reason, content FROM sidb.backfill_rejects WHERE file = :name ORDER BY line", name=name
            )
        }
        assert set(found) == set(lines)
        for at, (kind, reason, line) in lines.items():
            assert reason in found[at][0], kind
            if len(line) < 1000 and line.isascii() and b"\0" not in line:
                assert found[at][1] == line.decode().rstrip("\n"), kind
        assert loaded.rejected == len(cases)
        assert loaded.records == 2 * len(cases) + 1
    staged = len(REJECTED_CSV) + len(REJECTED_JSON) + 2
    assert sql("SELECT count(*) FROM sidb.backfill_events") == [(staged,)]


def test_what_looks_odd_and_is_right_is_staged(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    odd = [
        b"\n",
        csv_line(at="2025-05-01"),
        csv_line(at="20250501T000000Z"),
        csv_line(at="2025-05-01 02:00:00.000000+02"),
        csv_line(data=' {"a": 12345678901234567890.5}'),
        csv_line(type="naïve 😀"),
        csv_line(user="line\r\nbreak"),
        csv_line(id=" 0000000000000000000000000001"),
        csv_line(data='{"a": 1, "a": 2}'),
        GOOD.rstrip(),
    ]
    head = HEAD.upper().replace(b",", b" , ").replace(b"\n", b"\r\n")
    (tmp_path / "odd.csv").write_bytes(b"\xef\xbb\xbf" + head + b"".join(odd))
    assert load_file(migrated, tmp_path / "odd.csv").rejected == 0
    assert sql("SELECT count(*), count(DISTINCT event_timestamp) FROM sidb.backfill_events") == [(9, 1)]
    kept = "SELECT count(*) FROM sidb.backfill_events WHERE event_data = CAST(:data AS jsonb)"
    assert sql(kept, data='{"a": 2}') == [(1,)]
    assert sql("SELECT count(*) FROM sidb.backfill_events WHERE user_id = :u", u="line\r\nbreak") == [(1,)]


def records(path: Path, content: bytes) -> list[Record | Bad]:
    path.write_bytes(content)
    with Source(path, "fuzzed").opened() as form:
        return [
            each for piece in form.pieces(0) for each in (form.sift(piece) if isinstance(piece, Piece) else [piece])
        ]


LINES = st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=8)


@settings(max_examples=300, deadline=None)
@given(LINES, st.booleans())
def test_fuzzed_lines_never_cost_a_good_one(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], csv: bool
) -> None:
    good, head = (GOOD, HEAD) if csv else (JSON, b"")
    content = head + good + b"".join(line + b"\n" + good for line in lines)
    found = records(tmp_path_factory.mktemp("fuzz") / "f", content)
    kept = sum(isinstance(each, Record) and each.content == good.rstrip() for each in found)
    # A stray quote may swallow the beginning of the good line after it, never more than that.
    assert kept >= 1 + len(lines) - (sum(line.count(b'"') % 2 for line in lines) if csv else 0)
    assert all(each.line >= 1 for each in found)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES, st.booleans())
def test_fuzzed_lines_are_staged_or_rejected(
    migrated: Engine, sql: Sql, tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], csv: bool
) -> None:
    good, head = (GOOD, HEAD) if csv else (JSON, b"")
    path = tmp_path_factory.mktemp("fuzz") / "f"
    path.write_bytes(head + good + b"".join(line + b"\n" + good for line in lines))
    loaded = load_file(migrated, path, meant="new")
    sql("TRUNCATE sidb.backfill_events, sidb.backfill_files, sidb.backfill_rejects")
    odd = sum(line.count(b'"') % 2 for line in lines) if csv else 0
    assert loaded.records - loaded.rejected >= 1 + len(lines) - odd


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    try:
        found = records(tmp_path_factory.mktemp("fuzz") / "f", content)
    except BackfillError as error:
        assert str(error).startswith("fuzzed was not loaded")  # noqa: PT017 - either is right
    else:
        assert all(isinstance(each, Record) or each.reason for each in found)


def test_an_endless_quote_costs_one_line(tmp_path: Path) -> None:
    lines = [b'view,web,2025-05-01T00:00:00Z,"{\n', *[b"view,web,2025-05-01T00:00:00Z,{},,,\n"] * (LONGEST // 30)]
    found = records(tmp_path / "f", HEAD + b"".join(lines))
    assert [each.line for each in found if isinstance(each, Bad)] == [2]
    assert len(found) == len(lines)


ENDS = (1, 2, 4, 5, 6, 7)


@pytest.mark.parametrize("skip", ENDS)
def test_reading_goes_on_after_any_line(skip: int, tmp_path: Path) -> None:
    """Each record begins where the file says, whichever line was the last of an earlier try."""
    (tmp_path / "f").write_bytes(HEAD + b'a\n"b\nc"\nd\ne\nf\ng')
    with Source(tmp_path / "f", "f").opened() as form:
        pieces = [each for each in form.pieces(skip) if isinstance(each, Piece)]
        lines = [record.line for piece in pieces for record in form.records(piece)]
    assert lines == [line for line in (2, 3, 5, 6, 7, 8) if line > skip]
