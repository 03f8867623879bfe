"""The users that are erased, as the working session knows them: in a temporary table, filled by COPY.

No statement names an id, neither in its text nor as a parameter, so that the server's log does not get it from us.
"""

import json
from collections.abc import Collection
from typing import Any

import psycopg
from alembic_online.errors import UsageError
from psycopg.sql import SQL

from operations.erasure.places import Table
from operations.queries import query

MOST = 100
"""Users at once: every text and payload is searched for each of them."""
WORD = "[[:alnum:]_]"
HELD = SQL(
    "EXISTS (SELECT FROM pg_temp.erasing_user AS u WHERE strpos({value}, u.user_id) > 0"
    " OR (u.in_json <> u.user_id AND strpos({value}, u.in_json) > 0))"
)
"""Whether a text holds an id, if only within a longer one."""
MENTIONED = SQL(
    "EXISTS (SELECT FROM pg_temp.erasing_user AS u WHERE CASE WHEN strpos({value}, u.user_id) > 0"
    " OR (u.in_json <> u.user_id AND strpos({value}, u.in_json) > 0) THEN {value} ~ u.pattern ELSE FALSE END)"
)
"""Whether a text holds an id as a word of its own; CASE: the expression costs most, and is asked last."""


def read(given: Collection[str]) -> list[str]:
    """Ids, each once, as they are given; blank ones are none. Raises UsageError, which quotes none of them."""
    found = [each for each in dict.fromkeys(given) if each.strip()]
    if not found:
        raise UsageError("There is no id of a user.", "sidb erase USER_ID…, or --file FILE (- is standard input).")
    if len(found) > MOST:
        raise UsageError(f"{len(found):,} users are too many for one erasure.", f"give {MOST} at once, at most.")
    if any("\0" in each for each in found):
        raise UsageError("An id of a user holds a NUL byte, which PostgreSQL cannot store in a text.", "correct it.")
    if any("\ud800" <= character <= "\udfff" for each in found for character in each):
        raise UsageError("An id of a user is not UTF-8.", "write it in UTF-8, or into a file: --file FILE.")
    return found


def remember(connection: psycopg.Connection[Any], user_ids: Collection[str]) -> None:
    """Let the session's statements know these users, and no others."""
    connection.execute(query("erasure/erasing_user"))
    with connection.cursor() as cursor, cursor.copy("COPY pg_temp.erasing_user FROM STDIN") as copy:
        for user_id in user_ids:
            copy.write_row((user_id, in_json(user_id), pattern(user_id)))
    connection.execute("ANALYZE pg_temp.erasing_user")


def identify(connection: psycopg.Connection[Any], tables: Collection[Table], erasure_id: int | None) -> set[str]:
    """The ids in these tables whose hashes are tombstones: of an erasure, or (None) of any."""
    found: set[str] = set()
    for table in tables:
        statement = SQL(query("erasure/identify")).format(table=table.identifier)
        found.update(row[0] for row in connection.execute(statement, {"erasure_id": erasure_id}))
    return found


def in_json(user_id: str) -> str:
    """The id as it stands within a JSON text."""
    return json.dumps(user_id, ensure_ascii=False)[1:-1]


def pattern(user_id: str) -> str:
    """A regular expression for the id where it is no part of a longer one: of u1 in u12, or ann in ann@example.com."""
    either = "|".join(_escaped(each) for each in dict.fromkeys([user_id, in_json(user_id)]))
    return f"(?<!{WORD}|{WORD}[-.@+])(?:{either})(?![-.@+]?{WORD})"


def _escaped(value: str) -> str:
    return "".join(each if each.isalnum() or each == "_" else f"\\{each}" for each in value)
