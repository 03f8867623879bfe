"""What a format of history is. It only splits: whole records go on as they stand, for COPY to take them as texts."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

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
"""Bytes of a record, at most."""


@dataclass(frozen=True)
class Piece:
    """Whole records as they stand in the file: from this line on, up to and without line `after`."""

    line: int
    after: int
    content: bytes


@dataclass(frozen=True)
class Record:
    """One record: the line on which it begins, and its content without the line end."""

    line: int
    content: bytes


@dataclass(frozen=True)
class Bad:
    """A record that is not an event: where it begins, why not, and what it holds; `after` as in Piece."""

    line: int
    reason: str
    content: bytes
    after: int = 0


@dataclass(frozen=True)
class File:
    """A file as it is opened: the content is uncompressed, and has no byte-order mark."""

    path: Path
    is_gzip: bool
    content: io.BufferedReader
    name: str


class Format(Protocol):
    """How the records of a file are told apart, and handed to COPY."""

    called: str
    """For people."""

    @classmethod
    def of(cls, file: File) -> Self | None:
        """The file's records; None: it is in another format. BackfillError: it is in this one, and no history."""

    columns: tuple[str, ...]
    """Of the table of texts, those that COPY fills."""

    @property
    def texts(self) -> str:
        """The query that gives the texts of the columns from what COPY filled."""

    @property
    def options(self) -> str:
        """Of COPY."""

    def pieces(self, skip: int) -> Iterator[Piece | Bad]:
        """The file's records in its order, after so many lines."""

    def records(self, piece: Piece) -> Iterator[Record]:
        """The records of a piece one by one, as COPY counts them."""

    def sift(self, piece: Piece) -> Iterator[Record | Bad]:
        """The same where COPY refused one: those that are no record are told apart, and blank lines left out."""

    def ends_copy(self, content: bytes) -> bool:
        """Whether COPY would take something in there for its end, and pass over what follows."""

    def runs_together(self, content: bytes) -> bool:
        """Whether COPY would take several lines in there for one record that are none."""

    def encoded(self, content: bytes) -> bytes:
        """What COPY reads as this content."""

    def numbered(self, number: int, record: Record) -> bytes:
        """What COPY reads as this record, with a number before its columns."""


def flaw(content: bytes) -> str | None:
    """Why these bytes are no text."""
    if b"\0" in content:
        return "the line holds a NUL byte"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start + 1} of the line"
    return None


def stripped(content: bytes) -> bytes:
    """Without the line end."""
    return content.removesuffix(b"\n").removesuffix(b"\r")


def not_loaded(name: str, why: str, next_step: str) -> BackfillError:
    """A file that is no history at all."""
    return BackfillError(f"{name} was not loaded: {why}.", f"{next_step}, then load it again.")
