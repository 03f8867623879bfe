"""After each step: everything of ours is in force, and the step changed what it is known to change."""

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection

from alembic_online.catalog import definitions
from alembic_online.errors import OnlineError
from alembic_online.queries import query

log = logging.getLogger("alembic.online")

RECORDED = Path(__file__).parents[2] / "alembic" / "recorded"
"""For each revision and direction the differences it may make: one for each shape of database it may find."""

INVALID = "invalid"
GROUP_ROLES = ("analytics_reader", "analytics_writer")


def catalog(connection: Connection) -> dict[str, str]:
    """What there is of ours: what each object is called, and a hash of its definition, or INVALID for such an index.

    Of privileges only those of our group roles, which a revision grants; others depend on who else is there.
    """
    return {
        str(identity): INVALID
        if text.endswith("/* INVALID */")
        else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        for identity, text in definitions(connection).items()
        if identity.kind != "privilege" or identity.part in GROUP_ROLES
    }


def starts(before: Mapping[str, str], after: Mapping[str, str]) -> list[Mapping[str, str]]:
    """From where a step may have started, as to invalid indexes, which a step replaces and people mend: with them as
    they were, without them, and with what has become of them.
    """
    invalid = {name for name, text in before.items() if text == INVALID}
    without = {name: text for name, text in before.items() if name not in invalid}
    mended = {name: text for name, text in after.items() if name in invalid}
    return [before, without, {**without, **mended}]


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What was added, removed and changed, one line each."""
    return sorted(
        [f"added {name}" for name in after if name not in before]
        + [f"removed {name}" for name in before if name not in after]
        + [f"changed {name}" for name, text in after.items() if before.get(name, text) != text]
    )


def recorded(revision: str, direction: str) -> list[list[str]]:
    """The differences that a step may make; empty where none was recorded (`make recorded` does)."""
    file = RECORDED / f"{revision}.json"
    accepted: dict[str, list[list[str]]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return accepted.get(direction, [])


def removed(revision: str, direction: str, kind: str) -> set[str]:
    """The objects of one kind that a step removes from some shape of database, as `schema.relation[.column]`."""
    start = f"removed {kind} "
    return {
        line.removeprefix(start) for lines in recorded(revision, direction) for line in lines if line.startswith(start)
    }


def refuse_invalid(
    observer: psycopg.Connection[Any], revision: str, direction: str, changed: Collection[list[str]]
) -> None:
    """Raise OnlineError unless all is in force and one of `changed` is what is recorded for the step.

    There is one for each place from where the step may have started: before its first attempt, before its last one.
    """
    findings = [row[0] for row in observer.execute(query("run/invalid")).fetchall()]
    accepted = [_for_roles(observer, lines) for lines in recorded(revision, direction)]
    if not accepted:
        log.warning("%s %s: what it changes is not recorded yet (`make recorded`); not validated", revision, direction)
        return
    deviations = [_deviation(actual, expected) for actual in changed for expected in accepted]
    findings += sorted(deviations, key=_length)[0]
    if findings:
        raise OnlineError(
            "\n".join(
                [f"{revision} {direction}: applied, but not everything is as it should be; no further step was run."]
                + [f"  {finding}" for finding in findings]
            ),
            "mend what is listed and run it again, or accept it as it is: `alembic stamp` the current revision.",
        )


def _deviation(actual: list[str], expected: list[str]) -> list[str]:
    # A privilege may have been revoked before the step that drops its object: by people, or by a rollback.
    return [f"not expected: {line}" for line in actual if line not in expected] + [
        f"missing: {line}" for line in expected if line not in actual and not line.startswith("removed privileges of ")
    ]


def _length(lines: list[str]) -> int:
    return len(lines)


def _for_roles(observer: psycopg.Connection[Any], lines: list[str]) -> list[str]:
    """Without the grants to group roles that this server does not have."""
    rows = observer.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(GROUP_ROLES)]).fetchall()
    missing = set(GROUP_ROLES) - {row[0] for row in rows}
    return [line for line in lines if not any(f" privileges of {role} on " in f" {line}" for role in missing)]
