"""What is written down of erasures, in schema sidb: keyed hashes and counts, by which an interrupted one goes on."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from alembic_online.sessions import client
from psycopg.rows import class_row

from backfill import erased
from operations.queries import query

SECRET = 32
"""Bytes of a key."""

Moment = Literal["live_gone", "gone", "finished"]


@dataclass(frozen=True)
class Erasure:
    """An erasure as it stands; None: not reached."""

    erasure_id: int
    begun: datetime
    live_gone: datetime | None
    gone: datetime | None
    finished: datetime | None


@dataclass(frozen=True)
class Tombstone:
    """The keyed hash of an erased user's id, and the key."""

    user_hash: bytes
    secret: bytes


@dataclass(frozen=True)
class Place:
    """So many rows were deleted from a table, or texts taken out of them; of these, so many had come meanwhile."""

    place: str
    rows: int
    meanwhile: int


def begin(connection: psycopg.Connection[Any]) -> Erasure:
    """Write down that an erasure begins, in the open transaction."""
    return _erasures(connection, "begin", client=client())[0]


def unfinished(connection: psycopg.Connection[Any]) -> list[Erasure]:
    """Those that were begun and are not finished, the oldest first."""
    return _erasures(connection, "unfinished")


def one(connection: psycopg.Connection[Any], erasure_id: int) -> Erasure:
    return _erasures(connection, "one", erasure_id=erasure_id)[0]


def reached(connection: psycopg.Connection[Any], erasure: Erasure, moment: Moment) -> None:
    connection.execute(query("erasure/reached"), {"erasure_id": erasure.erasure_id, "moment": moment})


def set_tombstones(connection: psycopg.Connection[Any], erasure: Erasure, user_ids: Collection[str]) -> None:
    """For these users, under the database's key, which is made here where there is none."""
    _keep_key(connection, secrets.token_bytes(SECRET), is_given=False)
    key_id, secret = connection.execute(query("erasure/keys")).fetchall()[0]
    _keep(connection, erasure, key_id, (erased.digest(bytes(secret), user_id) for user_id in user_ids))


def repeat_tombstones(connection: psycopg.Connection[Any], erasure: Erasure, given: Collection[Tombstone]) -> None:
    """Those of certificates, with their keys."""
    for secret in dict.fromkeys(each.secret for each in given):
        _keep_key(connection, secret, is_given=True)
    keys = {bytes(secret): key_id for key_id, secret in connection.execute(query("erasure/keys"))}
    for secret, key_id in keys.items():
        _keep(connection, erasure, key_id, (each.user_hash for each in given if each.secret == secret))


def tombstones(connection: psycopg.Connection[Any], erasure: Erasure) -> list[Tombstone]:
    rows = connection.execute(query("erasure/tombstones"), {"erasure_id": erasure.erasure_id})
    return [Tombstone(bytes(user_hash), bytes(secret)) for user_hash, secret in rows]


def keep_place(
    connection: psycopg.Connection[Any], erasure: Erasure, place: str, rows: int, found: int | None = None
) -> None:
    """Count rows of a place, in the transaction in which they go; `found`: how many there were at the tombstones."""
    parameters = {"erasure_id": erasure.erasure_id, "place": place, "found": found, "rows": rows}
    connection.execute(query("erasure/keep_place"), parameters)


def places(connection: psycopg.Connection[Any], erasure: Erasure) -> list[Place]:
    """What was found where."""
    with connection.cursor(row_factory=class_row(Place)) as cursor:
        return cursor.execute(query("erasure/kept_places"), {"erasure_id": erasure.erasure_id}).fetchall()


def _keep_key(connection: psycopg.Connection[Any], secret: bytes, *, is_given: bool) -> None:
    inner, outer = erased.pads(secret)
    parameters = {"secret": secret, "inner_pad": inner, "outer_pad": outer, "is_given": is_given}
    connection.execute(query("erasure/keep_key"), parameters)
    connection.execute(query("erasure/keep_secret"))


def _keep(connection: psycopg.Connection[Any], erasure: Erasure, key_id: int, hashes: Iterable[bytes]) -> None:
    with connection.cursor() as cursor:
        rows = [{"user_hash": each, "key_id": key_id, "erasure_id": erasure.erasure_id} for each in hashes]
        cursor.executemany(query("erasure/set_tombstone"), rows)


def _erasures(connection: psycopg.Connection[Any], name: str, **parameters: Any) -> list[Erasure]:
    with connection.cursor(row_factory=class_row(Erasure)) as cursor:
        return cursor.execute(query(f"erasure/{name}"), parameters).fetchall()
