"""Reading Parquet, which needs pyarrow: the optional extra ``parquet``."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backfill.errors import BackfillError
from backfill.records import COLUMNS, IGNORED, REQUIRED, Bad, Row, Unfit, from_object

ROWS = 1_000


def parquet_records(path: Path, name: str) -> Iterator[Row | Bad]:
    """The rows of a Parquet file; its "lines" are numbered from 1. BackfillError: it is not one, or not of events."""
    try:
        from pyarrow import ArrowException  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        step = "pip install pyarrow (or this project with its extra: parquet), or export CSV."
        raise BackfillError(f"{name} is a Parquet file, and pyarrow is not installed.", step) from None
    try:
        with ParquetFile(path) as file:
            names = file.schema_arrow.names
            unknown = [each for each in names if each not in (*COLUMNS, IGNORED)]
            missing = [each for each in REQUIRED if each not in names]
            if unknown or missing:
                wrong = f"lacks {missing[0]}" if missing else f"has a column {unknown[0]!r}"
                step = f"the columns are {', '.join(COLUMNS)}; correct it, then load it again."
                raise BackfillError(f"{name} was not loaded: it {wrong}.", step)
            line = 0
            for batch in file.iter_batches(batch_size=ROWS):
                for value in batch.to_pylist():
                    line += 1
                    yield _record(value, line)
    except (ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise BackfillError(f"{name} was not loaded: it is damaged ({reason}).", "fetch it anew.") from None


def _record(value: dict[str, Any], line: int) -> Row | Bad:
    plain = {key: each.isoformat() if isinstance(each, datetime | date) else each for key, each in value.items()}
    try:
        return from_object(plain, line, repr(value))
    except (Unfit, TypeError) as error:
        return Bad(line, str(error), repr(value))
