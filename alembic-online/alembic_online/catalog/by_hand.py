"""What is not generated, and how a person does it."""

from collections.abc import Collection, Iterator, Mapping

from alembic_online.catalog import columns, constraints
from alembic_online.catalog.diff import Change
from alembic_online.catalog.snapshot import Identity, Snapshot
from alembic_online.catalog.statements import altered_sequence

REBUILT = ("view", "materialized_view", "trigger", "rule", "policy", "statistics", "operator")
"""Dropped and created where they differ or what they use has to go; everything else of theirs goes with them."""
SET = ("comment", "privilege", "setting")
"""What stands on something else, and is set to what it is to be."""

# How a person does what is not generated, in a revision written by hand.
BY_HAND = {
    "schema": "write a revision by hand that creates or drops the schema",
    "table": "write the ALTER TABLE by hand: SET LOGGED or UNLOGGED rewrites the table while everybody waits;"
    " parents are changed by INHERIT and NO INHERIT; partitioning, a type or an access method need a new table,"
    " filled in batches",
    "constraint": "write the revision by hand: an exclusion holds up writers while it is built; NOT ENFORCED is changed"
    " by ALTER CONSTRAINT",
    "disabled": "write a revision by hand: check the rows written meanwhile, then ALTER TABLE … ENABLE TRIGGER ALL",
    "sequence": "write it by hand: CREATE or DROP SEQUENCE and ALTER SEQUENCE … OWNED BY, with its column's default",
    "unmet": "the table is not the project's: have its owner put it right",
    "owner": "ALTER … OWNER TO, as an administrator: no revision is needed, others' databases are not concerned",
    "type": "write it by hand. Of an enum: ALTER TYPE {name} ADD VALUE IF NOT EXISTS … BEFORE or AFTER …, in an"
    " autocommit block; a label cannot be taken away again, so the downgrade leaves it. Of a domain: ALTER DOMAIN, a"
    " constraint NOT VALID and validated apart. Of a composite: ALTER TYPE … ADD, ALTER or DROP ATTRIBUTE. Of a range:"
    " CREATE TYPE under a new name, and columns of it",
    "other": "write a revision by hand that creates, alters or drops it",
    "stale": "write it by hand: replace the function, then validate each CHECK anew (DROP CONSTRAINT; ADD CONSTRAINT …"
    " NOT VALID; VALIDATE CONSTRAINT) and fill each generated column in batches",
}


def reasons(
    change: Change,
    before: Snapshot,
    after: Snapshot,
    dropped: Collection[Identity],
    rehearsed: Mapping[Identity, str],
) -> Iterator[columns.Why]:
    """Why a change is not generated, if it is not."""
    identity = change.identity
    if identity.kind == "column" and change.verb == "changed":
        yield from columns.by_hand(identity, before, after, rehearsed)
        return
    if identity.kind == "function" and change.verb == "changed" and identity not in dropped:
        for user in before.users(identity):
            if user.kind in ("constraint", "column"):
                what = f"{user} uses it, whose rows were checked or computed by the old body"
                yield f"changed {identity} cannot be generated: {what}", BY_HAND["stale"]
    if _is_generated(change, before, after):
        return
    what = f"it is {change.before or 'absent'}, the models mean {change.after or 'none'}".replace("\n", " ")
    disabled = "/* its triggers are disabled */" in (change.before or "")
    way = BY_HAND["disabled" if disabled else identity.kind]
    yield f"{change} cannot be generated: {what}", way.replace("{name}", f"{identity.schema}.{identity.name}")


def is_validation(change: Change) -> bool:
    """Whether a constraint is there, and only not validated."""
    return change.identity.kind == "constraint" and change.before == f"{change.after} NOT VALID"


def is_alone(sequence: Identity, *snapshots: Snapshot) -> bool:
    """Whether no column owns a sequence, where it is."""
    return all(snapshot.parent(sequence) is None for snapshot in snapshots if sequence in snapshot)


def _is_generated(change: Change, before: Snapshot, after: Snapshot) -> bool:
    match change.identity.kind:
        case "constraint":
            definitions = [definition for definition in (change.before, change.after) if definition]
            return is_validation(change) or all(map(constraints.is_online, definitions))
        case "type":
            return change.verb != "changed"
        case "sequence":
            if change.before and change.after:
                return altered_sequence(change.before, change.after) is not None
            return is_alone(change.identity, before, after)
        case kind:
            return kind in (*REBUILT, *SET, "function", "index")
