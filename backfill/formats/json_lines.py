"""JSON Lines: one object a line. The server reads them; here they are only handed on, each line one text."""

from collections.abc import Iterator
from typing import Self

from backfill.formats.base import Bad, File, Piece, Record, flaw, not_loaded, stripped
from backfill.formats.lines import Lines, count
from backfill.queries import source


class JsonLines:
    """Each line a record, blank ones too: the server passes over these."""

    called = "JSON Lines"
    columns: tuple[str, ...] = ("record",)
    texts = source("texts_of_objects")
    # JSON holds no control character, so that one of them can stand for what COPY wants to separate columns by.
    options = "FORMAT text, DELIMITER E'\\x01', ENCODING 'UTF8'"

    @classmethod
    def of(cls, file: File) -> Self | None:
        first = file.content.peek(2**16).lstrip()[:1]
        if first == b"[":
            raise not_loaded(file.name, "it is one JSON array", "write one JSON object a line")
        return cls(Lines(file.content)) if first == b"{" else None

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def pieces(self, skip: int) -> Iterator[Piece | Bad]:
        self._lines.skip(skip)
        while block := self._lines.block():
            if isinstance(block, Bad):
                yield block
            else:
                yield Piece(self._lines.line - count(block), self._lines.line, block)

    def records(self, piece: Piece) -> Iterator[Record]:
        lines = piece.content.removesuffix(b"\n").split(b"\n")
        for line, content in enumerate(lines, piece.line):
            yield Record(line, stripped(content))

    def sift(self, piece: Piece) -> Iterator[Record | Bad]:
        for record in self.records(piece):
            reason = flaw(record.content)
            if b"\1" in record.content:
                reason = "not JSON: it holds a control character"
            yield Bad(record.line, reason, record.content) if reason else record

    def ends_copy(self, content: bytes) -> bool:
        return False  # it would begin with a backslash, and none is left alone

    def runs_together(self, content: bytes) -> bool:
        return False

    def encoded(self, content: bytes) -> bytes:
        return content.replace(b"\\", b"\\\\")

    def numbered(self, number: int, record: Record) -> bytes:
        return b"%d\1%b\n" % (number, self.encoded(record.content).replace(b"\r", rb"\r"))
