"""How commands show what they did: plain columns for people, coloured on a terminal only, and JSON for machines."""

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn, Protocol

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class Result(DataclassInstance, Protocol):
        """What a command found or did."""

        @property
        def exit_code(self) -> int:
            """That of the command."""


TITLE = "bold cyan"
STATEMENT = re.compile(r"\s*[A-Z]{2,} ")
"""How a line begins that is a statement to be copied: CREATE VIEW, ALTER TABLE, DO $$."""


def console(stderr: bool = False) -> Console:
    """Where people read; text is shown as it is, brackets and all."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def say(console: Console, text: str, style: str = "") -> None:
    """Sentences: on a terminal wrapped at words, but never within a command or a statement; elsewhere as they are."""
    shown = wrapped(text, console.width) if console.is_terminal else text
    console.print(Text(shown, style=style), soft_wrap=True)


def wrapped(text: str, width: int) -> str:
    """Lines of `width` at most; what stands in backticks stays together, and statements as they are, to be copied."""
    return "\n\n".join(
        paragraph if STATEMENT.match(paragraph) else "\n".join(_wrapped(paragraph, width))
        for paragraph in text.split("\n\n")
    )


def _wrapped(paragraph: str, width: int) -> Iterator[str]:
    for line in paragraph.split("\n"):
        if len(line) <= width or STATEMENT.match(line):
            yield line
            continue
        kept = re.sub(r"`[^`]+`", lambda command: command[0].replace(" ", "\0"), line)
        indent = line[: len(line) - len(line.lstrip())]
        parts = textwrap.wrap(kept, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        yield from (part.replace("\0", " ") for part in parts)


def table(rows: Sequence["DataclassInstance"]) -> Table:
    """Rows of one dataclass under the names of its fields; numbers are aligned to the right, None is empty."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for field in fields(rows[0]) if rows else ():
        number = any(isinstance(getattr(row, field.name), int | float | Decimal) for row in rows)
        # A long name of several words is broken in two, so that the table fits 80 columns.
        header = field.name.replace("_", "_\n", 1) if len(field.name) > 12 else field.name
        made.add_column(Text(header), justify="right" if number else "left")
    for row in rows:
        made.add_row(*(Text(_cell(value)) for value in astuple(row)))
    return made


def columns(*names: str) -> Table:
    """A table of a screen: its first column to the left, figures to the right, and no line broken."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(names):
        made.add_column(name, justify="right" if number else "left", no_wrap=True)
    return made


def to_json(result: "DataclassInstance") -> str:
    """A dataclass as JSON; exact decimals become numbers, instants ISO 8601."""
    return json.dumps(asdict(result), default=_plain, ensure_ascii=False, indent=2)


def end(result: "Result", as_json: bool, show: Callable[[], None]) -> NoReturn:
    """A command ends: with its result as JSON, or shown to people, and its exit code."""
    if as_json:
        click.echo(to_json(result))
    else:
        show()
    raise SystemExit(result.exit_code)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: object) -> float | str:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form here")
