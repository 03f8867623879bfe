"""Which format a file has, told from its content: another format is added here."""

import codecs
import io
from pathlib import Path

from backfill.formats import Format, not_loaded
from backfill.formats.csv import Csv
from backfill.formats.json_lines import JsonLines
from backfill.formats.lines import Lines
from backfill.formats.parquet import MAGIC, Parquet

COMPRESSED = {
    b"\x1f\x8b": ("it is compressed twice", "uncompress it once with gunzip"),
    b"\xfd7zXZ\0": ("it is compressed with xz", "uncompress it with xz -d"),
    b"BZh": ("it is compressed with bzip2", "uncompress it with bzip2 -d"),
    b"(\xb5/\xfd": ("it is compressed with zstd", "uncompress it with zstd -d"),
    b"PK\3\4": ("it is a zip archive, or a workbook", "unpack it with unzip, or export CSV"),
}
"""By what it begins with: why a file is no history, and what to do."""


def format_of(path: Path, is_gzip: bool, content: io.BufferedReader, name: str) -> Format:
    """The format of a file by its first bytes; `content` is uncompressed. BackfillError: it is no history at all."""
    if content.peek(len(MAGIC)).startswith(MAGIC):
        if is_gzip:
            raise not_loaded(name, "it is a Parquet file compressed as a whole", "uncompress it with gunzip")
        return Parquet(path, name)
    for magic, refused in COMPRESSED.items():
        if content.peek(len(magic)).startswith(magic):
            raise not_loaded(name, *refused)
    if content.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
        content.read(len(codecs.BOM_UTF8))
    first = content.peek(2**16).lstrip()[:1]
    if first == b"[":
        raise not_loaded(name, "it is one JSON array", "write one JSON object a line")
    lines = Lines(content)
    return JsonLines(lines) if first == b"{" else Csv(lines, name)
