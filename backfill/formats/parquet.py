"""Parquet, which needs pyarrow: the optional extra ``parquet``. Its rows are written as CSV for COPY."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from backfill.errors import BackfillError
from backfill.formats.base import Bad, File, Piece, Record, not_loaded
from backfill.formats.csv import Csv, check_columns

MAGIC = b"PAR1"
"""What a Parquet file begins with."""
ROWS = 1_000


class Parquet(Csv):
    """The rows of a Parquet file; its "lines" are rows, numbered from 1. BackfillError: it is none, or of no events."""

    called = "Parquet"

    @classmethod
    def of(cls, file: File) -> Self | None:
        if not file.content.peek(len(MAGIC)).startswith(MAGIC):
            return None
        if file.is_gzip:
            raise not_loaded(file.name, "it is a Parquet file compressed as a whole", "uncompress it with gunzip")
        return cls(file.path, file.name)

    def __init__(self, path: Path, name: str) -> None:
        try:
            import pyarrow  # type: ignore[import-not-found,import-untyped,unused-ignore]
            from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError:
            step = "pip install pyarrow (or this project with its extra: parquet), or export CSV."
            raise BackfillError(f"{name} is a Parquet file, and pyarrow is not installed.", step) from None
        self._name, self._damage = name, (pyarrow.ArrowException, OSError)
        try:
            # As nanoseconds, in which INT96 is kept, no time before 1677 or after 2262 is what it was.
            self._file = ParquetFile(path, coerce_int96_timestamp_unit="us")
        except self._damage as error:
            raise self._damaged(error) from None
        self.columns = tuple(each.strip().lower() for each in self._file.schema_arrow.names)
        check_columns(list(self.columns), name)

    def pieces(self, skip: int) -> Iterator[Piece | Bad]:
        row = 1
        try:
            with self._file as file:
                for batch in file.iter_batches(batch_size=ROWS):
                    begin = min(max(0, skip + 1 - row), len(batch))
                    yield from self._rows(batch.slice(begin), row + begin)
                    row += len(batch)
        except self._damage as error:
            raise self._damaged(error) from None

    def _rows(self, batch: Any, row: int) -> Iterator[Piece | Bad]:
        columns = [_values(column) for column in batch.columns]
        begun, content = row, io.StringIO()
        writer = csv.writer(content, lineterminator="\n")
        for values in zip(*columns, strict=True):
            try:
                writer.writerow([_text(value) for value in values])
                row += 1
                continue
            except (TypeError, ValueError, KeyError) as error:
                shown = ", ".join(map(_shown, values))
                bad = Bad(row, str(error), shown.encode(errors="backslashreplace"), row + 1)
            if begun < row:
                yield Piece(begun, row, content.getvalue().encode(errors="backslashreplace"))
            yield bad
            row += 1
            begun, content = row, io.StringIO()
            writer = csv.writer(content, lineterminator="\n")
        if begun < row:
            yield Piece(begun, row, content.getvalue().encode(errors="backslashreplace"))

    def records(self, piece: Piece) -> Iterator[Record]:
        for row, record in enumerate(super().records(piece), piece.line):
            yield Record(row, record.content)

    def sift(self, piece: Piece) -> Iterator[Record | Bad]:
        for record in self.records(piece):
            reason = self._flaw(record.content)
            yield Bad(record.line, reason, record.content) if reason else record

    def _damaged(self, error: Exception) -> BackfillError:
        reason = str(error).partition("\n")[0]
        return not_loaded(self._name, f"it is damaged ({reason})", "fetch it anew")


def _values(column: Any) -> Any:
    """The values of a column; times as Arrow writes them, which knows more of them than Python does."""
    from pyarrow import types  # type: ignore[import-not-found,import-untyped,unused-ignore]

    if types.is_timestamp(column.type) or types.is_date(column.type):
        column = column.cast("string")
    # Nested ones one by one: each may hold what Python does not know.
    return column if types.is_nested(column.type) else column.to_pylist()


def _text(value: Any) -> str:
    """TypeError, ValueError or KeyError: it has none."""
    if hasattr(value, "as_py"):
        value = value.as_py(maps_as_pydicts="strict")
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=_text_in_json)
    if isinstance(value, bytes):  # as older programs write texts
        return value.decode()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise TypeError(f"a value is of the type {type(value).__name__}, which is no text")


def _shown(value: Any) -> str:
    """For people; of what Python does not know, the type."""
    try:
        return repr(value.as_py() if hasattr(value, "as_py") else value)
    except ValueError:
        return str(value.type)


def _text_in_json(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"event_data holds a value of the type {type(value).__name__}, which JSON does not have")
