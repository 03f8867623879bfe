"""Files of history: opened, recognised, and handed to their format, which is told from the content."""

import codecs
import gzip
import hashlib
import io
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any

from backfill.errors import BackfillError
from backfill.formats import Format, not_loaded
from backfill.formats.csv import Csv
from backfill.formats.json_lines import JsonLines
from backfill.formats.lines import Lines
from backfill.formats.parquet import Parquet

STANDARD_INPUT = "standard input"


@dataclass
class Source:
    """A history file; reading it twice gives the same. `name` is what it is known by, unless it is a stream."""

    path: Path
    name: str
    is_stream: bool = False

    def __post_init__(self) -> None:
        self._file: IO[bytes] | None = None
        try:
            with self.path.open("rb") as file:
                head = file.read(4)
            self.size = self.path.stat().st_size
        except OSError as error:
            raise _unreadable(self.name, error) from None
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

    @contextmanager
    def opened(self) -> Iterator[Format]:
        """The file by its format. BackfillError: it is no history at all."""
        if self.is_parquet:
            yield Parquet(self.path, self.name)
            return
        with self._open() as stream:
            if stream.peek(3).startswith(codecs.BOM_UTF8):
                stream.read(len(codecs.BOM_UTF8))
            first = stream.peek(2**16).lstrip()[:1]
            if first == b"[":
                raise not_loaded(self.name, "it is one JSON array", "write one JSON object a line")
            lines = Lines(stream)
            yield JsonLines(lines) if first == b"{" else Csv(lines, self.name)

    def _open(self) -> io.BufferedReader:
        self._file = self.path.open("rb")
        return io.BufferedReader(
            _Checked(self, gzip.GzipFile(fileobj=self._file) if self.is_gzip else self._file), 2**18
        )


class _Checked(io.RawIOBase):
    """The content, uncompressed; damage to the compression is an error of the whole file."""

    def __init__(self, source: Source, raw: Any) -> None:
        self._source, self._raw = source, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._raw.readinto(buffer)  # type: ignore[no-any-return]
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            why = "is cut off" if isinstance(error, EOFError) else "is damaged"
            raise not_loaded(self._source.name, f"its compressed content {why}", "fetch it anew") from None
        except OSError as error:
            raise _unreadable(self._source.name, error) from None

    def close(self) -> None:
        self._raw.close()
        if self._source._file is not None:
            self._source._file.close()
        super().close()


@contextmanager
def source(name: str, standard_input: IO[bytes]) -> Iterator[Source]:
    """The file of that name; `-`, a pipe or a device is written to a file first, since it is read more than once."""
    if name == "-":
        with _spooled(standard_input, STANDARD_INPUT) as spooled:
            yield spooled
        return
    try:
        if stat.S_ISREG(os.stat(name).st_mode) or stat.S_ISDIR(os.stat(name).st_mode):
            yield Source(Path(name), name)
            return
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise _unreadable(name, error) from None
    with stream, _spooled(stream, name) as spooled:
        yield spooled


@contextmanager
def _spooled(stream: IO[bytes], name: str) -> Iterator[Source]:
    with tempfile.NamedTemporaryFile(prefix="sidb-backfill-") as spool:
        try:
            copyfileobj(stream, spool)
            spool.flush()
        except OSError as error:
            raise _unreadable(name, error) from None
        yield Source(Path(spool.name), name, is_stream=True)


def _unreadable(name: str, error: OSError) -> BackfillError:
    return BackfillError(f"{name} cannot be read: {error.strerror}.", "see to its path and rights.")
