"""Plain CSV: lines that COPY takes as they stand, many at once, because reading them record by record ends in the same.

A line is plain if csv.reader and COPY read the same fields from it, and if `records.check` is content with whatever
PostgreSQL accepts of these fields. What PostgreSQL refuses is read record by record after all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backfill.records import INDEXED
from backfill.tables import StagedEvent

BLOCK = 2**16  # bytes that are looked at together

# A character is of 4 bytes at most. Possessive throughout: there is one way to read a line, and no going back.
_UNQUOTED, _QUOTED = (rf"[^{marks}\r\n\0]{{1,{INDEXED // 4}}}+" for marks in ('",', '"'))
_TEXT = f'{_UNQUOTED}|"{_QUOTED}"'
_OBJECT = r'"\{[^"\r\n\0]*+(?:""[^"\r\n\0]*+)*+"|\{[^",\r\n\0]*+'
_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6}+)?+)?+"
    r"(?:Z|[+-](?:0[0-9]|1[0-5])(?::[0-5][0-9])?+)?+"
)
_TIME = f'{_INSTANT}|"{_INSTANT}"'
_OPTIONAL = {
    "user_id": f'{_TEXT}|""|',
    "created_at": f'{_TIME}|""|',
    "niche_id": r'[0-9]{1,18}+|"[0-9]{1,18}+"|""|',
}
_FIELDS = {
    "event_timestamp": _TIME,
    "event_type": _TEXT,
    "event_source": _TEXT,
    "event_data": _OBJECT,
} | _OPTIONAL


@dataclass(frozen=True)
class Plain:
    """Plain lines, each a record: the number of the first, and the niche_id of each, quoted where it is."""

    form: "PlainCsv"
    line: int
    content: bytes
    niche_ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.niche_ids)

    def cut(self, most: int) -> tuple["Plain", "Plain"]:
        """The first so many lines, and the others."""
        if len(self) <= most:
            return self, replace(self, content=b"", niche_ids=())
        lines = self.content.splitlines(keepends=True)
        content, rest = b"".join(lines[:most]), b"".join(lines[most:])
        return (
            Plain(self.form, self.line, content, self.niche_ids[:most]),
            Plain(self.form, self.line + most, rest, self.niche_ids[most:]),
        )


class PlainCsv:
    """What a plain line is under this header, and how COPY takes it; None of it where COPY has no such column."""

    def __init__(self, header: Sequence[str]) -> None:
        self.header = tuple(header)
        fields = [f"({_FIELDS[name]})" if name == "niche_id" else f"(?:{_FIELDS[name]})" for name in header]
        group = "" if "niche_id" in header else "()"
        self._record = re.compile(f"^{','.join(fields)}{group}\\r?\\n", re.MULTILINE)
        self.copy = f"COPY {StagedEvent.__table__} ({', '.join(header)}) FROM STDIN (FORMAT csv, ENCODING 'UTF8'"
        # An empty field is none, in quotes too.
        optional = [name for name in header if name in _OPTIONAL]
        self.copy += f", FORCE_NULL ({', '.join(optional)}))" if optional else ")"

    @classmethod
    def of(cls, header: Sequence[str]) -> "PlainCsv | None":
        """None where a column is not staged as it stands: a phrase, or the event_id that is ignored."""
        return cls(header) if set(header) <= _FIELDS.keys() else None

    def read(self, block: bytes, line: int) -> Plain | None:
        """Whole lines as plain ones, if all of them are."""
        try:
            text = block.decode()
        except UnicodeDecodeError:
            return None
        if not self._record.match(text):
            return None  # soon told, where the whole file is of another kind
        found = self._record.findall(text)
        if len(found) != text.count("\n") or text[-1] != "\n":
            return None
        return Plain(self, line, block, found)
