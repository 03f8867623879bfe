"""The formats of history, each in a file of its own: another one is listed here."""

import codecs

from backfill.formats.base import File, Format, not_loaded
from backfill.formats.csv import Csv
from backfill.formats.json_lines import JsonLines
from backfill.formats.parquet import Parquet

FORMATS: tuple[type[Format], ...] = (Parquet, JsonLines, Csv)
"""In the order in which a file is tried; the last one takes what no other does."""

COMPRESSED = {
    b"\x1f\x8b": ("it is compressed twice", "uncompress it once with gunzip"),
    b"\xfd7zXZ\0": ("it is compressed with xz", "uncompress it with xz -d"),
    b"BZh": ("it is compressed with bzip2", "uncompress it with bzip2 -d"),
    b"(\xb5/\xfd": ("it is compressed with zstd", "uncompress it with zstd -d"),
    b"PK\3\4": ("it is a zip archive, or a workbook", "unpack it with unzip, or export CSV"),
}
"""By what it begins with: why a file is no history, and what to do."""


def format_of(file: File) -> Format:
    """The format of a file, told from its content. BackfillError: it is no history at all."""
    for magic, refused in COMPRESSED.items():
        if file.content.peek(len(magic)).startswith(magic):
            raise not_loaded(file.name, *refused)
    if file.content.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
        file.content.read(len(codecs.BOM_UTF8))
    return next(found for each in FORMATS if (found := each.of(file)) is not None)
