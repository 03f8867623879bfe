"""Records of history: what a row has to be, whatever file it stood in, and what is said of one that is not."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple, NoReturn

COLUMNS = (
    "event_timestamp",
    "event_type",
    "event_source",
    "event_data",
    "user_id",
    "created_at",
    "niche_id",
    "phrase",
)
REQUIRED = COLUMNS[:4]
IGNORED = "event_id"  # the database gives a new one
INDEXED = 1000  # bytes; PostgreSQL indexes no value over 2,700


class Row(NamedTuple):
    """A record that looks right; texts as they stood in the file. `niche_id` and `phrase` are empty where not given."""

    event_timestamp: str
    event_type: str
    event_source: str
    event_data: str
    user_id: str | None
    created_at: str | None
    niche_id: str
    phrase: str
    line: int
    content: str


@dataclass(frozen=True)
class Bad:
    """A record that is not an event: where it begins, why not, and what it holds."""

    line: int
    reason: str
    content: str


class Unfit(ValueError):  # noqa: N818 - it says what is wrong with a record
    """Why a record is not an event."""


def from_object(value: object, line: int, content: str) -> Row:
    """A row from an object with the columns as keys; raises Unfit."""
    if not isinstance(value, dict):
        raise Unfit("not a JSON object")
    for name in value:
        if name not in COLUMNS and name != IGNORED:
            raise Unfit(f"unknown column {name[:60]!r}")
    texts: dict[str, str] = {}
    for name in COLUMNS:
        given = value.get(name)
        if name == "event_data":
            given = json.dumps(given, ensure_ascii=False) if isinstance(given, dict) else given
        elif name == "niche_id" and isinstance(given, int) and not isinstance(given, bool):
            given = str(given)
        if given is None:
            given = ""
        if not isinstance(given, str):
            raise Unfit(f"{name} is not a {'JSON object' if name == 'event_data' else 'text'}")
        texts[name] = given
    at, kind, source, data, user, created, niche, phrase = (texts[name] for name in COLUMNS)
    row = Row(at, kind, source, data, user or None, created or None, niche, phrase, line, content)
    check(row)
    return row


def check(row: Row) -> None:
    """What can be told quickly; the database tells the rest. Raises Unfit."""
    for name, value in (("event_timestamp", row.event_timestamp), ("created_at", row.created_at)):
        if value is not None:
            instant(name, value)
    if not row.event_type or not row.event_source:
        raise Unfit(f"{'event_source' if row.event_type else 'event_type'} is empty")
    longest = max(len(row.event_type), len(row.event_source), len(row.user_id or ""), len(row.phrase))
    if longest * 4 > INDEXED:
        for name in ("event_type", "event_source", "user_id", "phrase"):
            if len((getattr(row, name) or "").encode(errors="replace")) > INDEXED:
                raise Unfit(f"{name} is longer than {INDEXED:,} bytes")
    if row.event_data[:1] != "{":
        json_object(row.event_data)
    if row.niche_id:
        if not (row.niche_id.isascii() and row.niche_id.isdigit() and len(row.niche_id) < 19):
            raise Unfit(f"niche_id {row.niche_id[:40]!r} is not a number")
    elif row.phrase and not row.phrase.strip():
        raise Unfit("phrase is blank")


def check_all(row: Row) -> Row:
    """All that this program can tell, and the times as PostgreSQL is sure to read them. Raises Unfit."""
    json_object(row.event_data)
    for name in ("event_type", "event_source", "event_data", "user_id", "phrase"):
        value = getattr(row, name) or ""
        if "\0" in value:
            raise Unfit(f"{name} holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unfit(f"{name} holds half a surrogate pair") from None
    created_at = row.created_at and instant("created_at", row.created_at).isoformat()
    at = instant("event_timestamp", row.event_timestamp).isoformat()
    return row._replace(event_timestamp=at, created_at=created_at)


def instant(name: str, value: str) -> datetime:
    """ISO 8601; without a zone, UTC is meant."""
    try:
        at = datetime.fromisoformat(value)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    except ValueError:
        raise Unfit(f"{name} is empty" if not value else f"{name} {value[:40]!r} is not a time (ISO 8601)") from None


def json_object(text: str) -> None:
    if not text:
        raise Unfit("event_data is empty")
    if not isinstance(json_value(text, "event_data is ", read_float=float), dict):
        raise Unfit("event_data is not a JSON object")


def json_value(text: str, what: str, read_float: Callable[[str], float]) -> object:
    """The value; NaN and infinities are refused. Raises Unfit."""
    try:
        return json.loads(text, parse_float=read_float, parse_constant=_no_number)
    except Unfit:
        raise
    except RecursionError:
        raise Unfit(f"{what}nested too deeply") from None
    except ValueError as error:
        raise Unfit(f"{what}not JSON: {error}") from None


def exactly(text: str) -> float:
    """A number that is written anew later: refused if that would lose digits."""
    number = float(text)
    if len(text) > 15 and Decimal(text) != Decimal(repr(number)):
        raise Unfit(f"the number {text[:40]} has more digits than can be kept")
    return number


def _no_number(text: str) -> NoReturn:
    raise Unfit(f"{text} is not a JSON number")
