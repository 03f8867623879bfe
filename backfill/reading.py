"""Reading history: CSV, JSON Lines (both also gzipped) and Parquet, record by record, as rows or as rejects.

The format is told from the content. Memory is bounded: no line may be longer than LONGEST.
"""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

from backfill.errors import BackfillError

COLUMNS = (
    "event_timestamp",
    "event_type",
    "event_source",
    "event_data",
    "user_id",
    "created_at",
    "niche_id",
    "phrase",
)
REQUIRED = COLUMNS[:4]
IGNORED = "event_id"  # the database gives a new one
LONGEST = 2**20
MOST_LINES = 10_000
INDEXED = 1000  # bytes; PostgreSQL indexes no value over 2,700


class Row(NamedTuple):
    """A record that looks right; texts as they stood in the file. `niche_id` and `phrase` are empty where not given."""

    event_timestamp: str
    event_type: str
    event_source: str
    event_data: str
    user_id: str | None
    created_at: str | None
    niche_id: str
    phrase: str
    line: int
    content: str


@dataclass(frozen=True)
class Bad:
    """A record that is not an event: where it begins, why not, and what it holds."""

    line: int
    reason: str
    content: str


class Unfit(ValueError):  # noqa: N818 - it says what is wrong with a record
    """Why a record is not an event."""


@dataclass
class Source:
    """A history file; reading it twice gives the same records in the same order."""

    path: Path
    name: str

    def __post_init__(self) -> None:
        self._file: IO[bytes] | None = None
        try:
            with self.path.open("rb") as file:
                head = file.read(4)
            self.size = self.path.stat().st_size
        except OSError as error:
            raise BackfillError(
                f"{self.name} cannot be read: {error.strerror}.", "see to its path and rights."
            ) from None
        self.is_gzip = head[:2] == b"\x1f\x8b"
        self.is_parquet = head == b"PAR1"

    @property
    def position(self) -> int:
        """Bytes of the file that were read, of `size`."""
        return self._file.tell() if self._file is not None and not self._file.closed else 0

    def digest(self) -> str:
        """What the file is recognised by: its content, whether or not it is compressed."""
        total = hashlib.blake2b(digest_size=32)
        with self._open() as stream:
            for block in iter(lambda: stream.read(2**20), b""):
                total.update(block)
        return total.hexdigest()

    def records(self) -> Generator[Row | Bad, None, None]:
        """Every record in the file's order. BackfillError: it is no history at all."""
        if self.is_parquet:
            from backfill.parquet import parquet_records

            yield from parquet_records(self.path, self.name)
            return
        with self._open() as stream:
            first = stream.peek(2**16).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
            if first == b"{":
                yield from json_records(Lines(stream))
            elif first == b"[":
                raise self._no_history("it is one JSON array", "write one JSON object a line")
            else:
                yield from self._csv_records(Lines(stream))

    def _csv_records(self, lines: "Lines") -> Iterator[Row | Bad]:
        reader = csv.reader(lines, strict=True)
        csv.field_size_limit(LONGEST)
        try:
            header = [name.strip().lower() for name in next(reader)]
        except StopIteration:
            raise self._no_history("it is empty", "see whether the export worked") from None
        except (csv.Error, Unfit) as error:
            raise self._no_history(f"its header cannot be read: {error}", "write CSV in UTF-8") from None
        columns = f"the columns are {', '.join(COLUMNS)}"
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            raise self._no_history("its columns are not separated by commas", "separate them by commas")
        for name in header:
            if name not in (*COLUMNS, IGNORED):
                raise self._no_history(f"its header names a column {name[:60]!r}", columns)
            if header.count(name) > 1:
                raise self._no_history(f"its header names {name} twice", "name each column once")
        for name in REQUIRED:
            if name not in header:
                raise self._no_history(f"its header lacks {name}", columns)
        yield from csv_records(lines, reader, header)

    def _no_history(self, why: str, next_step: str) -> BackfillError:
        return BackfillError(f"{self.name} was not loaded: {why}.", f"{next_step}, then load it again.")

    def _open(self) -> "_Stream":
        self._file = self.path.open("rb")
        return _Stream(self, gzip.GzipFile(fileobj=self._file) if self.is_gzip else self._file)


class _Stream(io.BufferedReader):
    """The content, uncompressed; damage to the compression is an error of the whole file."""

    def __init__(self, source: Source, raw: Any) -> None:
        super().__init__(_Checked(source, raw), 2**18)


class _Checked(io.RawIOBase):
    def __init__(self, source: Source, raw: IO[bytes]) -> None:
        self._source, self._raw = source, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._raw.readinto(buffer)  # type: ignore[attr-defined, no-any-return]
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            why = "is cut off" if isinstance(error, EOFError) else "is damaged"
            raise self._source._no_history(f"its compressed content {why}", "fetch it anew") from None

    def close(self) -> None:
        self._raw.close()
        if self._source._file is not None:
            self._source._file.close()
        super().close()


class Lines:
    """The lines of a stream as text, for csv.reader; those of the record being read can be given back."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._readline = stream.readline
        self._waiting: deque[tuple[int, str]] = deque()
        self._read = 0
        self._bytes = 0
        self.record: list[tuple[int, str]] = []

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        if self._waiting:
            numbered = self._waiting.popleft()
        else:
            raw = self._readline(LONGEST + 1)
            if not raw:
                raise StopIteration
            self._read += 1
            numbered = (self._read, self._text(raw))
        self.record.append(numbered)
        if len(self.record) > 1:
            self._bytes += len(numbered[1])
            if self._bytes > LONGEST or len(self.record) > MOST_LINES:
                raise csv.Error("a quote is opened and not closed")
        return numbered[1]

    def begin(self) -> None:
        """The next line begins a record."""
        self.record = []
        self._bytes = 0

    def give_up(self, reason: str) -> Bad:
        """Refuse the first line of the present record; the others are read again, each as the beginning of one."""
        (line, content), *others = self.record
        self._waiting.extendleft(reversed(others))
        self.begin()
        return Bad(line, reason, content)

    def _text(self, raw: bytes) -> str:
        if len(raw) > LONGEST:
            while (more := self._readline(LONGEST)) and not more.endswith(b"\n"):
                pass
            raise _BadLine(self._read, f"the line is longer than {LONGEST:,} bytes", raw[:INDEXED])
        if self._read == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if b"\0" in raw:
            raise _BadLine(self._read, "the line holds a NUL byte", raw)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise _BadLine(self._read, f"not UTF-8 at byte {error.start + 1} of the line", raw) from None


class _BadLine(Unfit):
    def __init__(self, line: int, reason: str, raw: bytes) -> None:
        super().__init__(reason)
        self.bad = Bad(line, reason, raw.replace(b"\0", b"\\0").decode(errors="backslashreplace"))


def csv_records(lines: Lines, reader: Any, header: list[str]) -> Iterator[Row | Bad]:
    """The records after the header."""
    width = len(header)
    # A column that the file does not have is read from an empty field behind the last.
    pick = itemgetter(*(header.index(name) if name in header else width for name in COLUMNS))
    while True:
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield lines.give_up(f"not CSV: {error}")
            continue
        except _BadLine as error:
            if lines.record:
                yield lines.give_up("not CSV: a quote is opened and not closed")
            yield error.bad
            continue
        if not fields:
            continue
        line, content = lines.record[0]
        if len(lines.record) > 1:
            content = "".join(text for _, text in lines.record)
        if len(fields) != width:
            yield Bad(line, f"{len(fields)} fields, and the header has {width}", content)
            continue
        fields.append("")
        at, kind, source, data, user, created, niche, phrase = pick(fields)
        try:
            row = Row(at, kind, source, data, user or None, created or None, niche, phrase, line, content)
            check(row)
        except Unfit as error:
            yield Bad(line, str(error), content)
        else:
            yield row


def json_records(lines: Lines) -> Iterator[Row | Bad]:
    """One object a line."""
    while True:
        lines.begin()
        try:
            text = next(lines)
        except StopIteration:
            return
        except _BadLine as error:
            yield error.bad
            continue
        if not text.strip():
            continue
        line = lines.record[0][0]
        try:
            yield from_object(json_value(text, "", exactly), line, text)
        except Unfit as error:
            yield Bad(line, str(error), text)


def from_object(value: object, line: int, content: str) -> Row:
    """A row from an object with the columns as keys; raises Unfit."""
    if not isinstance(value, dict):
        raise Unfit("not a JSON object")
    for name in value:
        if name not in COLUMNS and name != IGNORED:
            raise Unfit(f"unknown column {name[:60]!r}")
    texts: dict[str, str] = {}
    for name in COLUMNS:
        given = value.get(name)
        if name == "event_data":
            given = json.dumps(given, ensure_ascii=False) if isinstance(given, dict) else given
        elif name == "niche_id" and isinstance(given, int) and not isinstance(given, bool):
            given = str(given)
        if given is None:
            given = ""
        if not isinstance(given, str):
            raise Unfit(f"{name} is not a {'JSON object' if name == 'event_data' else 'text'}")
        texts[name] = given
    at, kind, source, data, user, created, niche, phrase = (texts[name] for name in COLUMNS)
    row = Row(at, kind, source, data, user or None, created or None, niche, phrase, line, content)
    check(row)
    return row


def check(row: Row) -> None:
    """What can be told quickly; the database tells the rest. Raises Unfit."""
    for name, value in (("event_timestamp", row.event_timestamp), ("created_at", row.created_at)):
        if value is not None:
            instant(name, value)
    if not row.event_type or not row.event_source:
        raise Unfit(f"{'event_source' if row.event_type else 'event_type'} is empty")
    longest = max(len(row.event_type), len(row.event_source), len(row.user_id or ""), len(row.phrase))
    if longest * 4 > INDEXED:
        for name in ("event_type", "event_source", "user_id", "phrase"):
            if len((getattr(row, name) or "").encode(errors="replace")) > INDEXED:
                raise Unfit(f"{name} is longer than {INDEXED:,} bytes")
    if row.event_data[:1] != "{":
        json_object(row.event_data)
    if row.niche_id:
        if not (row.niche_id.isascii() and row.niche_id.isdigit() and len(row.niche_id) < 19):
            raise Unfit(f"niche_id {row.niche_id[:40]!r} is not a number")
    elif row.phrase and not row.phrase.strip():
        raise Unfit("phrase is blank")


def check_all(row: Row) -> Row:
    """All that this program can tell, and the times as PostgreSQL is sure to read them. Raises Unfit."""
    json_object(row.event_data)
    for name in ("event_type", "event_source", "event_data", "user_id", "phrase"):
        value = getattr(row, name) or ""
        if "\0" in value:
            raise Unfit(f"{name} holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unfit(f"{name} holds half a surrogate pair") from None
    created_at = row.created_at and instant("created_at", row.created_at).isoformat()
    at = instant("event_timestamp", row.event_timestamp).isoformat()
    return row._replace(event_timestamp=at, created_at=created_at)


def instant(name: str, value: str) -> datetime:
    """ISO 8601; without a zone, UTC is meant."""
    try:
        at = datetime.fromisoformat(value)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    except ValueError:
        raise Unfit(f"{name} is empty" if not value else f"{name} {value[:40]!r} is not a time (ISO 8601)") from None


def json_object(text: str) -> None:
    if not text:
        raise Unfit("event_data is empty")
    if not isinstance(json_value(text, "event_data is ", read_float=float), dict):
        raise Unfit("event_data is not a JSON object")


def json_value(text: str, what: str, read_float: Callable[[str], float]) -> object:
    """The value; NaN and infinities are refused. Raises Unfit."""
    try:
        return json.loads(text, parse_float=read_float, parse_constant=_no_number)
    except Unfit:
        raise
    except RecursionError:
        raise Unfit(f"{what}nested too deeply") from None
    except ValueError as error:
        raise Unfit(f"{what}not JSON: {error}") from None


def exactly(text: str) -> float:
    """A number that is written anew later: refused if that would lose digits."""
    number = float(text)
    if len(text) > 15 and Decimal(text) != Decimal(repr(number)):
        raise Unfit(f"the number {text[:40]} has more digits than can be kept")
    return number


def _no_number(text: str) -> NoReturn:
    raise Unfit(f"{text} is not a JSON number")
