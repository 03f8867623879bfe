"""How long a line may be: a mebibyte, and not a byte more, wherever it stands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backfill.formats.base import COLUMNS, IGNORED, LONGEST, Bad, Record
from tests.backfill.test_broken_files import GOOD, HEAD, records


def padded(size: int) -> bytes:
    """A good record in a line of so many bytes, its end counted."""
    return b'view,web,2025-05-01T00:00:00Z,"{}"'.ljust(size - 4) + b",,,\n"


def of_several_lines(size: int) -> bytes:
    """A good record, of whose lines the second has so many bytes."""
    return b'view,web,2025-05-01T00:00:00Z,{},"u\n' + b"x" * (size - 5) + b'",1,\n'


@pytest.mark.parametrize("before", [0, 1, 3_000], ids=["first", "second", "in a later block"])
@pytest.mark.parametrize("line", [padded, of_several_lines])
def test_a_line_may_be_a_mebibyte_long_and_not_a_byte_more(
    line: Callable[[int], bytes], before: int, tmp_path: Path
) -> None:
    for size in (LONGEST, LONGEST + 1):
        found = records(tmp_path / "f", HEAD + GOOD * before + line(size) + GOOD)
        assert [type(each) for each in found[:before]] == [Record] * before
        *long, last = found[before:]
        assert (last.line, type(last)) == (before + 2 + line(size).count(b"\n"), Record)
        if size == LONGEST:
            assert [(each.line, type(each)) for each in long] == [(before + 2, Record)]
        else:
            assert all(isinstance(each, Bad) for each in long)
            assert "the line is longer than 1,048,576 bytes" in {each.reason for each in long if isinstance(each, Bad)}


@pytest.mark.parametrize(("size", "kind"), [(LONGEST, Record), (LONGEST + 1, Bad)])
def test_so_may_the_last_one_without_its_end(size: int, kind: type, tmp_path: Path) -> None:
    [first, last] = records(tmp_path / "f", HEAD + GOOD + padded(size + 1)[:-1])
    assert (type(first), type(last)) == (Record, kind)


def test_a_header_may_be_a_mebibyte_long(tmp_path: Path) -> None:
    names = [name.encode().ljust(LONGEST // 9 - 2) for name in (*COLUMNS, IGNORED)]
    assert len(records(tmp_path / "f", b",".join(names).ljust(LONGEST - 1) + b"\n" + GOOD)) == 1
