"""Whole lines of a stream, many at once. Memory is bounded: no line may be longer than LONGEST."""

from typing import IO

from backfill.formats.base import LONGEST, Bad

BLOCK = 2**18  # bytes that are read at once
SHOWN = 1_000  # bytes of a line that is too long


class Lines:
    """The lines of a stream, blank ones too; `line` is the number of the next."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._ahead = b""  # read, and not yet given
        self.line = 1

    def block(self) -> bytes | Bad:
        """The next lines together; none at the end. Bad: the next line is too long, and was passed over."""
        block, self._ahead = self._ahead, b""
        if not block:
            block = self._stream.read(BLOCK)
        if block and not block.endswith(b"\n"):
            block += self._stream.readline(LONGEST)
        last = block.rfind(b"\n", 0, -1) + 1
        if len(block) - last > LONGEST:
            if not last:
                return self._too_long(block)
            block, self._ahead = block[:last], block[last:]
        self.line += count(block)
        return block

    def one(self) -> bytes | Bad:
        """The next line."""
        if self._ahead:
            end = self._ahead.find(b"\n") + 1 or len(self._ahead)
            line, self._ahead = self._ahead[:end], self._ahead[end:]
            if not line.endswith(b"\n"):
                line += self._stream.readline(LONGEST)
        else:
            line = self._stream.readline(LONGEST + 1)
        if len(line) > LONGEST:
            return self._too_long(line)
        self.line += bool(line)
        return line

    def skip(self, lines: int) -> None:
        """Pass over so many lines."""
        until = self.line + lines
        while self.line < until and (block := self.block()):
            if isinstance(block, bytes) and self.line > until:
                begun = self.line - count(block)
                self._ahead = block.split(b"\n", until - begun)[-1] + self._ahead
                self.line = until

    def _too_long(self, begun: bytes) -> Bad:
        more = begun
        while more and not more.endswith(b"\n"):
            more = self._stream.readline(LONGEST)
        self.line += 1
        return Bad(self.line - 1, f"the line is longer than {LONGEST:,} bytes", begun[:SHOWN], self.line)


def count(block: bytes) -> int:
    """How many lines it is; the last may lack its end."""
    return block.count(b"\n") + bool(block and not block.endswith(b"\n"))
