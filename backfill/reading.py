"""Reading history: CSV, JSON Lines (both also gzipped) and Parquet, record by record, as rows or as rejects.

The format is told from the content. Memory is bounded: no line may be longer than LONGEST.
"""

import csv
import gzip
import hashlib
import io
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from backfill.errors import BackfillError
from backfill.parquet import parquet_records
from backfill.plain_csv import BLOCK, Plain, PlainCsv
from backfill.records import (
    COLUMNS,
    IGNORED,
    INDEXED,
    REQUIRED,
    Bad,
    Row,
    Unfit,
    check,
    exactly,
    from_object,
    json_value,
)

LONGEST = 2**20
MOST_LINES = 10_000


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

    def records(self) -> Generator[Row | Bad | Plain, None, None]:
        """Every record in the file's order, plain ones together. BackfillError: it is no history at all."""
        if self.is_parquet:
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

    def _csv_records(self, lines: "Lines") -> Iterator[Row | Bad | Plain]:
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
        form, records = PlainCsv.of(header), csv_records(lines, reader, header)
        while form and (found := lines.plain(form) or next(records, None)):
            yield found
        yield from records

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

    def __init__(self, stream: IO[bytes], before: int = 0) -> None:
        self._stream = stream
        self._readline: Callable[[int], bytes] = stream.readline
        self._ahead, self._ahead_left = io.BytesIO(), 0
        self._waiting: deque[tuple[int, str]] = deque()
        self._read = before
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

    def plain(self, form: PlainCsv) -> Plain | None:
        """The next lines together, if all are plain; if not, they are read one by one before the next are tried."""
        if self._waiting or self._ahead_left:
            return None
        block = self._stream.read(BLOCK)
        block += self._stream.readline(LONGEST - BLOCK)
        if found := form.read(block, self._read + 1):
            self._read += len(found)
            return found
        self._ahead, self._ahead_left = io.BytesIO(block), len(block)
        self._readline = self._readline_ahead
        return None

    def _readline_ahead(self, most: int) -> bytes:
        raw = self._ahead.readline(most)
        self._ahead_left -= len(raw)
        if not self._ahead_left:
            self._readline = self._stream.readline
        return raw if raw.endswith(b"\n") else raw + self._stream.readline(most - len(raw))

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
            more = raw
            while more and not more.endswith(b"\n"):
                more = self._readline(LONGEST)
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


def one_by_one(block: Plain | Iterable[Row | Bad]) -> Iterable[Row | Bad]:
    """Its records; plain lines are read as all others are."""
    if not isinstance(block, Plain):
        return block
    lines = Lines(io.BytesIO(block.content), before=block.line - 1)
    return csv_records(lines, csv.reader(lines, strict=True), block.form.header)


def csv_records(lines: Lines, reader: Any, header: Sequence[str]) -> Iterator[Row | Bad]:
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
