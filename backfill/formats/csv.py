"""CSV with a header. Where a record ends follows from the quotes before it, as for COPY, which reads the fields."""

import csv
import re
from collections.abc import Iterator
from typing import Self

from backfill.formats.base import (
    COLUMNS,
    IGNORED,
    LONGEST,
    REQUIRED,
    Bad,
    File,
    Piece,
    Record,
    flaw,
    not_loaded,
    stripped,
)
from backfill.formats.lines import Lines, count

_OPEN = "not CSV: a quote is opened and not closed"
_STRAY = re.compile(rb'[^,"\s]"')
_END_OF_COPY = re.compile(rb"^\\\.\r?$", re.MULTILINE)


class Csv:
    """Records under a header. BackfillError: it is none of a history."""

    called = "CSV"

    @classmethod
    def of(cls, file: File) -> Self | None:
        return cls(Lines(file.content), file.name)

    def __init__(self, lines: Lines, name: str) -> None:
        self._lines = lines
        self.columns = _header(lines, name)

    @property
    def options(self) -> str:
        return f"FORMAT csv, ENCODING 'UTF8', FORCE_NULL ({', '.join(self.columns)})"

    @property
    def texts(self) -> str:
        """Columns that the file lacks are the constant NULL: the server looks for no niche where it names none."""
        texts = ", ".join(f"r.{name}" if name in self.columns else f"NULL::text AS {name}" for name in COLUMNS)
        records = "pg_temp.backfill_records AS r"
        return f"SELECT r.ctid AS place, r.number, {texts}, NULL::text AS flaw FROM {records}"  # noqa: S608 - known names

    def pieces(self, skip: int) -> Iterator[Piece | Bad]:
        self._lines.skip(skip - self._lines.line + 1)
        while block := self._lines.block():
            if isinstance(block, Bad):
                yield block
            else:
                yield from self._closed(self._lines.line - count(block), block)

    def _closed(self, line: int, block: bytes) -> Iterator[Piece | Bad]:
        """The block, and the lines that its last record needs besides. An unclosed quote costs only its line."""
        end: Bad | None = None
        while block:
            is_open, parts, size = block.count(b'"') % 2 == 1, [block], 0
            while is_open and end is None and size <= LONGEST and (more := self._lines.one()):
                if isinstance(more, Bad):
                    end = more
                else:
                    parts.append(more)
                    size += len(more)
                    is_open = more.count(b'"') % 2 == 0
            block = b"".join(parts) if len(parts) > 1 else block
            start = self._open(block) if is_open else len(block)
            if start:
                content = block[:start]
                after = line + count(content)
                yield Piece(line, after, content)
                line = after
            if start < len(block):
                start = _end_of_line(block, begun := start)
                line += 1
                yield Bad(line - 1, _OPEN, stripped(block[begun:start]), line)
            block = block[start:]
        if end:
            yield end

    def _open(self, content: bytes) -> int:
        """Where the record begins whose quote is never closed; the end, if a stray quote before it has misled."""
        at = 0
        while at < len(content):
            end = _end(content, at)
            if content.count(b'"', at, end) % 2:
                return at
            at = _end_of_line(content, at) if self._flaw(stripped(content[at:end])) == _OPEN else end
        return at

    def records(self, piece: Piece) -> Iterator[Record]:
        at, line = 0, piece.line
        while at < len(piece.content):
            end = _end(piece.content, at)
            yield Record(line, stripped(piece.content[at:end]))
            line += piece.content.count(b"\n", at, end)
            at = end

    def sift(self, piece: Piece) -> Iterator[Record | Bad]:
        at, line = 0, piece.line
        while at < len(piece.content):
            end = _end(piece.content, at)
            content = stripped(piece.content[at:end])
            if content and (reason := self._flaw(content)):
                if reason == _OPEN:  # what was taken for the rest is read again, each line as the beginning of a record
                    end = _end_of_line(piece.content, at)
                yield Bad(line, reason, stripped(piece.content[at:end]))
            elif content:
                yield Record(line, content)
            line += piece.content.count(b"\n", at, end)
            at = end

    def _flaw(self, content: bytes) -> str | None:
        """Why COPY would refuse this record."""
        if content.count(b'"') % 2:
            return _OPEN
        bare = _bare(content)
        fields = bare.count(b",") + 1
        if b"\n" in content and (fields != len(self.columns) or _STRAY.search(bare)):
            return _OPEN
        if fields != len(self.columns):
            return f"{fields} fields, and the header has {len(self.columns)}"
        if _END_OF_COPY.search(content):
            return r"a line that is \. and nothing else ends a COPY"
        return flaw(content)

    def ends_copy(self, content: bytes) -> bool:
        return rb"\." in content and _END_OF_COPY.search(content) is not None

    def runs_together(self, content: bytes) -> bool:
        """Where a quote opens within a field, as in 5" pipe, what follows up to the next one is hardly meant."""
        return _STRAY.search(_bare(content)) is not None

    def encoded(self, content: bytes) -> bytes:
        return content

    def numbered(self, number: int, record: Record) -> bytes:
        return b"%d,%b\n" % (number, record.content)


def _bare(content: bytes) -> bytes:
    """With a single quote for each text in quotes; all are closed."""
    return b'"'.join(content.split(b'"')[::2])


def _end(content: bytes, at: int) -> int:
    """Where the record ends that begins there: at a line end with all quotes closed."""
    end, quotes = at, 0
    while end == at or (quotes % 2 and end < len(content)):
        begun, end = end, _end_of_line(content, end)
        quotes += content.count(b'"', begun, end)
    return end


def _end_of_line(content: bytes, at: int) -> int:
    return content.find(b"\n", at) + 1 or len(content)


def _header(lines: Lines, name: str) -> tuple[str, ...]:
    line = lines.one()
    if b"\r" in (line.content if isinstance(line, Bad) else stripped(line)):
        raise not_loaded(name, "its lines end in CR alone", "let them end in LF or CRLF")
    if isinstance(line, Bad):
        raise not_loaded(name, "its header cannot be read: it is too long", "write CSV in UTF-8")
    try:
        [names] = csv.reader([line.decode()], strict=True) if line else [[]]
    except (csv.Error, UnicodeDecodeError, ValueError) as error:
        raise not_loaded(name, f"its header cannot be read: {error}", "write CSV in UTF-8") from None
    header = [each.strip().lower() for each in names]
    if not header:
        why = "its first line is empty" if line else "it is empty"
        raise not_loaded(name, why, "see whether the export worked")
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise not_loaded(name, "its columns are not separated by commas", "separate them by commas")
    check_columns(header, name)
    return tuple(header)


def check_columns(header: list[str], name: str) -> None:
    """BackfillError: these are no columns of a history."""
    columns = f"the columns are {', '.join(COLUMNS)}"
    for each in header:
        if each not in (*COLUMNS, IGNORED):
            raise not_loaded(name, f"its header names a column {each[:60]!r}", columns)
        if header.count(each) > 1:
            raise not_loaded(name, f"its header names {each} twice", "name each column once")
    for each in REQUIRED:
        if each not in header:
            raise not_loaded(name, f"its header lacks {each}", columns)
