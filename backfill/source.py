"""Files of history: opened, uncompressed, read more than once where they are streams."""

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
from backfill.formats import format_of
from backfill.formats.base import File, Format, not_loaded

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
                self.is_gzip = file.read(2) == b"\x1f\x8b"
            self._state = _state(self.path)
            self.size = self.path.stat().st_size
        except OSError as error:
            raise _unreadable(self.name, error) from None

    @property
    def position(self) -> int:
        """Bytes of the file that were read, of `size`."""
        return self._file.tell() if self._file is not None and not self._file.closed else 0

    def refuse_changed(self) -> None:
        """Raise BackfillError where the file is not the one any more that it was: what was read may be neither."""
        try:
            is_same = _state(self.path) == self._state
        except OSError as error:
            raise _unreadable(self.name, error) from None
        if not is_same:
            raise not_loaded(self.name, "it changed while it was being read", "copy it")

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
        with self._open() as stream:
            yield format_of(File(self.path, self.is_gzip, stream, self.name))

    def _open(self) -> io.BufferedReader:
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise _unreadable(self.name, error) from None
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
    known = known_as(name)
    if name == "-":
        with _spooled(standard_input, known) as spooled:
            yield spooled
        return
    try:
        if stat.S_ISREG(os.stat(name).st_mode) or stat.S_ISDIR(os.stat(name).st_mode):
            yield Source(Path(name), known)
            return
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise _unreadable(known, error) from None
    with stream, _spooled(stream, known) as spooled:
        yield spooled


def known_as(name: str) -> str:
    """What a file is called in the database and in what people read: bytes that are no UTF-8 as \\xe9."""
    return STANDARD_INPUT if name == "-" else os.fsencode(name).decode(errors="backslashreplace")


@contextmanager
def _spooled(stream: IO[bytes], name: str) -> Iterator[Source]:
    with tempfile.NamedTemporaryFile(prefix="sidb-backfill-") as spool:
        try:
            copyfileobj(stream, spool)
            spool.flush()
        except OSError as error:
            raise _unreadable(name, error) from None
        yield Source(Path(spool.name), name, is_stream=True)


def _state(path: Path) -> tuple[int, ...]:
    """What changes with a file, by whatever hand."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _unreadable(name: str, error: OSError) -> BackfillError:
    return BackfillError(f"{name} cannot be read: {error.strerror}.", "see to its path and rights.")
