"""Keys and indexes on the rows themselves: an index that a change of collation, a bug or a bad disk has damaged says
nothing about it, and answers queries with rows too few.

Every index is read whole and compared with its table, read without any index. A btree that holds every row, but in
another order, is read whole as well, and misses rows in a search: so each entry is compared with the one before, by the
index's own operators and collations. The planner chooses which index it reads:
of two on the same keys it reads one, and only amcheck can look at the other one. Where it is not installed and this
role may, it is, in a transaction that is rolled back; else that index is unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from alembic_online.messages import first_line
from psycopg.sql import SQL, Composed

from operations.findings import Check, Finding
from operations.verify.index_statements import duplicates, indexed_rows, not_indexed, rows_of_index
from operations.verify.subject import Looks, Subject, listed

KEYS = Check(
    "keys",
    "No two rows share a key that is to be unique: the rows are grouped without their indexes, NULLs as the index takes"
    " them.",
    "delete or correct the rows, then REINDEX INDEX CONCURRENTLY, as the line says; see which rows the other tables"
    " refer to. They came in past the index: after a change of collation (ICU or libc was upgraded), or a crash.",
)
INDEXES = Check(
    "indexes",
    "Every index leads to the rows of its table, all of them and no others: read whole, its keys counted and hashed,"
    " beside the table read without it, and each key compared with the one before, by the index's own collation; that"
    " the plan used this index is checked. amcheck looks, too, where it is installed; else it is installed for the"
    " indexes that no plan uses, where this role may, and removed again.",
    "REINDEX INDEX CONCURRENTLY, as the line says; then see the server's log and disks, and whether the collation's"
    " version has changed.",
)
BTREE = "btree"
UNREAD = "grant SELECT to this role, or run it again when nobody locks the table"
CORRUPTED = ("XX001", "XX002")


@dataclass
class _Read:
    """What came of the indexes: rows compared, indexes looked at, and lines: of those that are wrong, could not be
    looked at (`unread`), are read by no plan (`unseen`), and cannot be read so (`strange`).
    """

    rows: int = 0
    indexes: int = 0
    wrong: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


def keys(subject: Subject) -> Finding:
    """Whether what is to be unique is."""
    with subject.piece():
        unique = [index for index in subject.rows("indexes", **subject.ours) if index.is_unique]
    wrong, unread = [], []
    for index in unique:
        subject.say(f"{index.relation}: {index.index}")
        try:
            with subject.piece():
                subject.rows("read_table")
                [found] = subject.run(duplicates(subject, index))
        except psycopg.Error as error:
            unread.append(first_line(error))
            continue
        if found.wrong:
            line = f"{index.relation}: {found.wrong:,} keys of {index.index} are there more than once"
            wrong.append(f"{line} ({'; '.join(found.examples)}): afterwards {_reindex(index)}")
    if wrong:
        return KEYS.failed(f"{len(wrong)} of {len(unique)} do not hold{listed(wrong)}")
    if unread:
        return KEYS.unknown(f"not all could be looked at{listed(sorted(set(unread)))}", UNREAD)
    return KEYS.ok(f"{len(unique)} hold{subject.sampled}")


def indexes(subject: Subject) -> Finding:
    """Whether every index leads to all rows."""
    with subject.piece():
        amcheck = next((row.function for row in subject.rows("amcheck") if row.callable), None)
        listed_indexes = subject.rows("indexes", **subject.ours)
    read = _Read()
    unseen: list[tuple[Any, str]] = []
    for index in listed_indexes:
        subject.say(f"{index.relation}: {index.index}")
        try:
            with subject.piece():
                line, rows = _looked_at(subject, index, amcheck)
        except psycopg.Error as error:
            if error.sqlstate not in CORRUPTED:
                read.unread.append(first_line(error))
                continue
            line, rows = f"amcheck: {first_line(error)}", 0
        if rows is None and index.method != BTREE:
            read.strange.append(f"{index.name}: {line}")
            continue
        if rows is None:
            unseen.append((index, line))
            continue
        read.rows += rows
        read.indexes += 1
        if line:
            read.wrong.append(f"index {index.name} of {index.relation}: {line}: {_reindex(index)}")
    for index, why in unseen:
        with subject.piece(writable=True):
            _look_by_amcheck(subject, read, index, why)
    with subject.piece():
        return _finding(subject, read, len(listed_indexes))


def _look_by_amcheck(subject: Subject, read: _Read, index: Any, why: str) -> None:
    """What no plan reads, with an amcheck that goes when the transaction is rolled back."""
    try:
        with subject.driver.transaction():
            subject.driver.execute("CREATE EXTENSION amcheck SCHEMA public")
        functions = [row.function for row in subject.rows("amcheck")]
    except psycopg.Error:
        functions = []
    if not functions:
        read.unseen.append(f"{index.name}: {why}")
        return
    line = ""
    try:
        with subject.driver.transaction():
            subject.driver.execute(f"SELECT {functions[0]}(%s, %s)".encode(), [index.oid, subject.sampled == ""])
    except psycopg.Error as error:
        line = first_line(error)
        if error.sqlstate not in CORRUPTED:
            read.unseen.append(f"{index.name}: {line}")
            return
    read.indexes += 1
    if line:
        read.wrong.append(f"index {index.name} of {index.relation}: amcheck: {line}: {_reindex(index)}")


def _finding(subject: Subject, read: _Read, there: int) -> Finding:
    if read.wrong:
        return INDEXES.failed(f"{len(read.wrong)} of {there} do not{listed([*read.wrong, *read.unread])}")
    if read.unread:
        return INDEXES.unknown(f"not all could be looked at{listed(sorted(set(read.unread)))}", UNREAD)
    seen = f"{read.indexes} lead to all of their rows, {read.rows:,}{subject.sampled}"
    if read.strange:
        seen += f"; not looked at{listed(read.strange)}"
    if read.unseen:
        return INDEXES.unknown(f"{seen}; only amcheck could look at{listed(read.unseen)}", _enabling(subject))
    return INDEXES.ok(seen)


def _enabling(subject: Subject) -> str:
    """What lets this role call amcheck."""
    statements = [row.statement for row in subject.rows("amcheck")]
    if not statements:
        [row] = subject.driver.execute("SELECT quote_ident(current_user)").fetchall()
        grant = f"GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO {row[0]}"
        statements = ["CREATE EXTENSION amcheck", grant]
    return f"as an administrator: {'; '.join(statements)};"


def _looked_at(subject: Subject, index: Any, amcheck: str | None) -> tuple[str, int | None]:
    """What is wrong with an index ("": nothing), and of how many rows; None: why it was not looked at."""
    if index.method != BTREE:
        return f"its method is {index.method}", None
    if amcheck:
        whole = subject.sampled == ""
        subject.driver.execute(f"SELECT {amcheck}(%s, %s)".encode(), [index.oid, whole])
    subject.rows("read_table")
    [there] = subject.run(indexed_rows(subject, index))
    subject.rows("read_index")
    by_index = rows_of_index(subject, index)
    if (used := _used(subject, by_index)) != index.index:
        unseen = there.rows and not amcheck
        return (f"the planner reads {used or 'the table'}", None) if unseen else ("", there.rows)
    [held] = subject.run(by_index)
    if held.rows < there.rows:
        examples = "; ".join(row.key for row in subject.run(not_indexed(index)))
        return f"{there.rows - held.rows:,} rows are missing from it ({', '.join(index.key)} {examples})", there.rows
    if held.rows > there.rows:
        return f"it leads to {held.rows - there.rows:,} rows that are not there, or twice to one", there.rows
    if held.misplaced:
        return f"{held.misplaced:,} of its entries are in the wrong order, so that a search misses rows", there.rows
    return "" if held.hash == there.hash else "its keys are not those of the rows", there.rows


def _used(subject: Subject, statement: Composed) -> str | None:
    """The index that the plan of a statement reads; None: it reads none."""
    [row] = subject.driver.execute(SQL("EXPLAIN (FORMAT JSON) ") + statement).fetchall()
    used = list(_indexes_of(row[0][0]["Plan"]))
    return used[0] if len(used) == 1 else None


def _indexes_of(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", ()):
        yield from _indexes_of(part)


def _reindex(index: Any) -> str:
    return f"REINDEX INDEX CONCURRENTLY {index.quoted}"


LOOKS: Looks = {
    KEYS: keys,
    INDEXES: indexes,
}
