"""Erased users: known by keyed hashes of their ids alone, and left out by whoever writes rows of history.

An erasure commits its tombstones first. Whoever writes rows asks for them in a transaction that begins with `share`,
so that the erasure, by `wait_for_others`, can wait for those who may not have seen them yet.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from hmac import HMAC
from io import StringIO
from time import monotonic, sleep
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, and_, exists, func, literal, select, text

from backfill.queries import query
from backfill.tables import ErasedUser, ErasureKey, LoadedFile

BLOCK = 64
"""Bytes of a block of SHA-256, to which HMAC pads a key."""
HIDDEN = {"reason": "its user was erased, or it names one who was", "content": ""}
"""What stays of a rejected record, beside its file and line."""
PAUSE = 0.02  # seconds between two looks at who still writes
TOLD_AFTER = 1.0  # seconds
_LOCK = func.hashtextextended("sidb writes of users", 0)
_ENDS = re.compile(r"""[\s,;"'{}()\[\]:=|<>\\]+""")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_DELIMITERS = ",;\t"


def digest(secret: bytes, user_id: str) -> bytes:
    """The keyed hash of an id."""
    return HMAC(secret, user_id.encode(errors="replace"), "sha256").digest()


def pads(secret: bytes) -> tuple[bytes, bytes]:
    """What HMAC puts before the text, and before the hash of that: inner and outer pad of a key up to a block long."""
    padded = secret.ljust(BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def is_erased(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the user has a tombstone; looked up one by one, and at no cost where nobody ever was erased."""

    def hashed(pad: Any, value: Any) -> Any:
        return func.sha256(pad.op("||", return_type=LargeBinary())(value), type_=LargeBinary())

    digests = hashed(ErasureKey.outer_pad, hashed(ErasureKey.inner_pad, func.convert_to(user_id, "UTF8")))
    of_key = and_(ErasedUser.key_id == ErasureKey.key_id, ErasedUser.user_hash == digests)
    found = select(literal(1)).select_from(ErasureKey).join(ErasedUser, of_key)
    one = exists(found.correlate_except(ErasureKey, ErasedUser).offset(0))
    return and_(exists(select(literal(1)).select_from(ErasedUser.__table__.alias())), one)


def share(connection: Connection) -> None:
    """Let an erasure know, until the transaction ends, that rows of users may be written, or what is said of them.

    Waits for nobody. Not to be called in a savepoint, whose rollback would end it, too.
    """
    connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


def wait_for_others(connection: Connection, seconds: float, told: Callable[[str], None]) -> list[str]:
    """Wait until every transaction has ended that had begun to write rows of users by now; nobody waits meanwhile.

    Who has not ended after so many seconds. Whoever is waited for longer than TOLD_AFTER is `told` of.
    """
    began = monotonic()
    waiting = _writing(connection)
    is_told = False
    while waiting and (waited := monotonic() - began) < seconds:
        if waited > TOLD_AFTER and not is_told:
            told(f"Waiting for {', '.join(sorted(waiting.values()))}: rows of users may be written there")
            is_told = True
        sleep(PAUSE)
        still = _writing(connection)
        waiting = {each: who for each, who in waiting.items() if each in still}
    return sorted(waiting.values())


def _writing(connection: Connection) -> dict[str, str]:
    """Who writes rows of users, by transaction."""
    with connection.begin():
        found = connection.execute(query("writing_users"), {"key": connection.scalar(select(_LOCK))})
        return {row.transaction: row.who for row in found}


def drop_records(connection: Connection) -> int:
    """Take records of erased users out of a chunk; how many. Raises DBAPIError at a record that cannot be read."""
    return _dropped(connection, "drop_erased_records")


def drop_incoming(connection: Connection) -> int:
    """Take rows of erased users out of the table of a file that is about to be staged; how many."""
    return _dropped(connection, "drop_erased_incoming")


def _dropped(connection: Connection, name: str) -> int:
    if not connection.scalar(select(exists(select(ErasedUser.user_hash)))):
        return 0
    rows: int = connection.execute(query(name)).rowcount
    return rows


def of_files(connection: Connection) -> int:
    """How many records of loaded files are left out or gone because their users were erased. Reads only."""
    if not connection.scalar(select(func.to_regclass(f"sidb.{ErasedUser.__tablename__}").is_not(None))):
        return 0  # bookkeeping of older code
    return connection.scalar(select(func.coalesce(func.sum(LoadedFile.erased), 0))) or 0


def mentioning(connection: Connection, texts: Sequence[str]) -> list[bool]:
    """Which of the texts hold the id of an erased user as a word or a field of its own."""
    secrets = connection.scalars(select(ErasureKey.secret)).all() if texts else []
    if not secrets:
        return [False] * len(texts)
    digests = [{digest(secret, word) for word in words(each) for secret in secrets} for each in texts]
    asked = text("SELECT e.user_hash FROM sidb.erased_user AS e WHERE e.user_hash = ANY(:digests)")
    known = {bytes(found) for found in connection.scalars(asked, {"digests": list(set().union(*digests))})}
    return [not known.isdisjoint(each) for each in digests]


def words(content: str) -> set[str]:
    """What in a text may be somebody's id: fields of CSV, texts of JSON, and what stands between separators."""
    found = {content.strip(), *_ENDS.split(content), *_of_json(content)}
    for part in (*content.split("\n"), *_QUOTED.findall(content)):
        found.update(_of_json(part))
    for delimiter in _DELIMITERS:
        try:
            for row in csv.reader(StringIO(content, newline=""), delimiter=delimiter):
                found.update(row)
        except csv.Error:  # no CSV
            continue
    return {*found, *(word.strip(".,!?") for word in found)} - {""}


def _of_json(content: str) -> Iterator[str]:
    try:
        left = [json.loads(content)]
    except (ValueError, RecursionError):
        return
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += [*each, *each.values()]
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str):
            yield each
