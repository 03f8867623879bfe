"""PostgreSQL's lock modes on relations, by the names that pg_locks gives them, from the weakest on."""

import re

MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)

# https://www.postgresql.org/docs/current/explicit-locking.html#TABLE-LOCK-COMPATIBILITY: for each mode above, those
# that may be held beside it.
COMPATIBLE = {
    "AccessShareLock": MODES[:7],
    "RowShareLock": MODES[:6],
    "RowExclusiveLock": MODES[:4],
    "ShareUpdateExclusiveLock": MODES[:3],
    "ShareLock": (*MODES[:2], "ShareLock"),
    "ShareRowExclusiveLock": MODES[:2],
    "ExclusiveLock": MODES[:1],
    "AccessExclusiveLock": (),
}


def conflicting(mode: str) -> list[str]:
    """The modes that cannot be held on a relation together with this one."""
    return [other for other in MODES if other not in COMPATIBLE[mode]]


def stronger(one: str, other: str) -> bool:
    return MODES.index(one) > MODES.index(other)


def sql(mode: str) -> str:
    """As LOCK TABLE writes it: AccessExclusiveLock is ACCESS EXCLUSIVE."""
    return " ".join(re.findall("[A-Z][a-z]+", mode)[:-1]).upper()
