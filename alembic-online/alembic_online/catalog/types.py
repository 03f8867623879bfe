"""Types that are there before and after: made anew where no table holds values of them, else changed in place."""

import re
from collections.abc import Iterable

from alembic_online.catalog.diff import Change
from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.steps import EXTEND, Step

ENUM = re.compile(r"CREATE TYPE (?P<name>.+?) AS ENUM \((?P<labels>.*)\)", re.DOTALL)
LABEL = re.compile(r"E?'(?:[^']|'')*'")
READS_ROWS = re.compile(r"ALTER DOMAIN .+ (ADD CONSTRAINT .+(?<! NOT VALID)|SET NOT NULL)", re.DOTALL)
"""Changes of a domain for which every row of it is read, while writers wait."""


HOLDERS = ("table", "column", "constraint", "index", "foreign")


def is_held(snapshot: Snapshot, identity: Identity) -> bool:
    """Whether rows, or anything else that cannot be made anew, are of a type, or of one that is made of it."""
    return any(
        is_held(snapshot, user) if user.kind == "type" else user.kind in HOLDERS for user in snapshot.users(identity)
    )


def new_labels(change: Change) -> list[str]:
    """The statements that give an enum the labels that it lacks; none where that is not all that it takes."""
    before, after = (ENUM.fullmatch(definition or "") for definition in (change.before, change.after))
    if before is None or after is None:
        return []
    old, new = (LABEL.findall(each["labels"]) for each in (before, after))
    if [label for label in new if label in old] != old:
        return []
    places = [f"AFTER {new[i - 1]}" if i else f"BEFORE {old[0]}" if old else "" for i in range(len(new))]
    return [
        f"ALTER TYPE {before['name']} ADD VALUE IF NOT EXISTS {label} {place}".rstrip()
        for label, place in zip(new, places, strict=True)
        if label not in old
    ]


def extended(changes: Iterable[Change]) -> dict[Identity, Step]:
    """The steps that give enums their new labels. No way back takes them away: rows may hold them."""
    steps = (Step(EXTEND, change.identity, tuple(new_labels(change)), (), concurrent=True) for change in changes)
    return {step.identity: step for step in steps if step.up}


def reads_rows(change: Change, before: Snapshot) -> bool:
    """Whether setting this on a domain, or setting it back, reads the rows that are of it."""
    identity = change.identity
    if identity.kind != "setting" or not any(
        READS_ROWS.fullmatch(each or "") for each in (change.before, change.after)
    ):
        return False
    domain = Identity("type", identity.schema, identity.name)
    return domain in before and is_held(before, domain)
