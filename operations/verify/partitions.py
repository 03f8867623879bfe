"""Partitions: what each has of its own, and not of its table."""

from operations.findings import Check, Finding
from operations.verify.subject import Looks, Subject, listed

PARTITIONS = Check(
    "partitions",
    "Each partition of our tables is logged as its table is. What others have put on a single one (a trigger, a rule, a"
    " constraint) is found: it may change or refuse rows there. `in force` looks at what is disabled or invalid on one,"
    " `owners` at whose each is.",
    "as the line says. After a crash while it was unlogged, `activity` and `history` tell what is missing.",
)


def partitions(subject: Subject) -> Finding | None:
    """Whether what an event meets in its partition is what its table says."""
    [found] = subject.rows("partitions")
    if not found.partitions:
        return None
    theirs = f"found, not ours: {', '.join(found.found)}" if found.found else ""
    if found.wrong:
        more = [theirs] if theirs else []
        return PARTITIONS.failed(
            f"{len(found.wrong)} of {found.partitions} are not as their table{listed([*found.wrong, *more])}"
        )
    said = f"{found.partitions} are as their tables"
    if theirs:
        return PARTITIONS.warning(f"{said}; {theirs}", "ask whose it is, and what it does to rows there")
    return PARTITIONS.ok(said)


LOOKS: Looks = {PARTITIONS: partitions}
