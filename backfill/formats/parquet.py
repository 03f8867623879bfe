"""Parquet, which needs pyarrow: the optional extra ``parquet``. Its rows are written as CSV for COPY."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backfill.errors import BackfillError
from backfill.formats import Bad, Piece, Record, not_loaded
from backfill.formats.csv import Csv, check_columns

ROWS = 1_000


class Parquet(Csv):
    """The rows of a Parquet file; its "lines" are rows, numbered from 1. BackfillError: it is none, or of no events."""

    def __init__(self, path: Path, name: str) -> None:
        try:
            import pyarrow  # type: ignore[import-not-found,import-untyped,unused-ignore]
            from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError:
            step = "pip install pyarrow (or this project with its extra: parquet), or export CSV."
            raise BackfillError(f"{name} is a Parquet file, and pyarrow is not installed.", step) from None
        self._name, self._damage = name, (pyarrow.ArrowException, OSError)
        try:
            self._file = ParquetFile(path)
        except self._damage as error:
            raise self._damaged(error) from None
        self.columns = tuple(self._file.schema_arrow.names)
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
        columns = [_texts(column) for column in batch.columns]
        begun, content = row, io.StringIO()
        writer = csv.writer(content, lineterminator="\n")
        for values in zip(*columns, strict=True):
            try:
                writer.writerow([_text(value) for value in values])
                row += 1
                continue
            except (TypeError, ValueError) as error:
                bad = Bad(row, str(error), repr(values).encode(errors="backslashreplace"), row + 1)
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


def _texts(column: Any) -> list[Any]:
    """The values of a column; times as Arrow writes them, which knows more of them than Python does."""
    from pyarrow import types  # type: ignore[import-not-found,import-untyped,unused-ignore]

    if types.is_timestamp(column.type) or types.is_date(column.type):
        column = column.cast("string")
    values: list[Any] = column.to_pylist()
    return values


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise TypeError(f"a value is of the type {type(value).__name__}, which is no text")
