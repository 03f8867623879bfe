"""Rows that go, as a file: CSV without who somebody is, counted and hashed, whole or not there at all."""

import csv
import gzip
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from alembic_online.composed import Printed
from alembic_online.errors import OnlineError
from psycopg.sql import SQL, Composed

from operations.retention.tables import Kept
from operations.retention.work import Work, qualified

ROWS = 10_000  # at once
BLOCK = 1 << 20
csv.field_size_limit(1 << 30)  # a payload is one field


def export(work: Work, kept: Kept, found: Any, directory: Path) -> int:
    """Write a table set aside to a file, with its hash beside it, and write down both; how many rows.

    `found`: its record. The file is read again before it gets its name. No file of another database, or of this one
    after a recovery, gets the same name. Raises OnlineError, with nothing dropped, where that cannot be done.
    """
    aside, number = found.aside, found.expiry_id
    table = re.sub(r"\W+", "_", aside.partition(".")[2]).strip("_")
    path = directory / f"{table}.{number}.{found.started_at:%Y%m%dT%H%M%S%f}.csv.gz"
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as raw:
            rows = _write(work, kept, aside, raw)
            raw.flush()
            os.fsync(raw.fileno())
        digest = _digest(part)
        if (found := _count(part)) != rows:
            raise OnlineError(f"{part} holds {found:,} rows, not {rows:,} as {aside}.", "check the disk; run it again.")
        _put(directory / f"{path.name}.sha256", f"{digest}  {path.name}\n")
        part.replace(path)
        _sync(directory)
    except OSError as error:
        raise OnlineError(
            f"{aside} was not exported to {directory}, and stays: {error.strerror or error}.",
            "make room or another directory (--archive); sidb maintain goes on with it.",
        ) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    work.connection.execute(
        "UPDATE sidb.expiry SET file = %s, sha256 = %s, rows = %s WHERE expiry_id = %s",
        [str(path), digest, rows, number],
    )
    return rows


def _write(work: Work, kept: Kept, aside: str, raw: BinaryIO) -> int:
    """All rows as gzipped CSV with a header; as many as PostgreSQL says that it sent."""
    with work.connection.cursor() as cursor, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        with cursor.copy(_statement(work, aside)) as rows:
            blocks = iter(rows)
            while True:
                with work.piece(kept):
                    taken = b"".join(bytes(block) for block in islice(blocks, ROWS))
                    packed.write(taken)
                if not taken:
                    break
        return cursor.rowcount


def _statement(work: Work, aside: str) -> Composed:
    names = SQL(", ").join(Printed(name) for (name,) in work.rows("columns", relation=aside))
    return SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, HEADER)").format(names, qualified(aside))


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def _count(path: Path) -> int:
    """The rows of a file, its header apart."""

    def records() -> Iterator[list[str]]:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
            yield from csv.reader(text)

    return sum(1 for _ in records()) - 1


def _put(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
