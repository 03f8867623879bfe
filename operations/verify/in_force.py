"""What is there and not in force: disabled triggers, constraints not validated, invalid indexes, empty views."""

from collections.abc import Sequence

from alembic_online.in_force import Found, out_of_force, revisions

from operations.findings import Check, Finding
from operations.scope import SCOPE
from operations.upgrade import script_directory
from operations.verify.subject import Looks, Subject, listed

IN_FORCE = Check(
    "in force",
    "Constraints are validated, triggers enabled, indexes valid, materialized views populated.",
    "ALTER TABLE … VALIDATE CONSTRAINT; … ENABLE TRIGGER; REINDEX INDEX CONCURRENTLY; REFRESH MATERIALIZED VIEW: as"
    " the line says. What was written meanwhile is what the other checks look at.",
)
SAYS = {
    "disabled": "{} is disabled: it takes no notice of what is written",
    "not validated": "{} is not validated: rows from before it may break it",
    "invalid": "{} is invalid: it answers no query",
    "not populated": "{} is not populated: it cannot be read",
}
"""Of what is in each of the engine's states."""


def in_force(subject: Subject) -> Finding:
    """No revision of ours leaves anything out of force."""
    found = out_of_force(subject.driver, SCOPE, revisions(script_directory()))
    if found.ours:
        statements = dict.fromkeys(f"{each.statement};" for each in found.ours)
        after = "What was written meanwhile is what the other checks look at."
        return IN_FORCE.failed(f"{len(found.ours)} are not{listed(_lines(found.ours))}", " ".join([*statements, after]))
    if found.others:
        said = f"all that is ours is; found, not ours: {'; '.join(_lines(found.others))}"
        return IN_FORCE.warning(said, "ask whose it is")
    return IN_FORCE.ok("constraints validated, triggers enabled, indexes valid")


def _lines(found: Sequence[Found]) -> list[str]:
    return [SAYS[each.state].format(each.what) for each in found]


LOOKS: Looks = {IN_FORCE: in_force}
