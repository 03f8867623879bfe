"""The schema: where it stands, and whether it is what the models say."""

from alembic_online.catalog import Change, diff
from alembic_online.catalog.target import NotComparedError, compare
from alembic_online.errors import OnlineError
from alembic_online.version_table import correction

from operations.findings import Check, Finding
from operations.scope import SCOPE
from operations.status.half_way import blocking
from operations.upgrade import recorded, revision_of, script_directory
from operations.verify.subject import Looks, Subject, listed

REVISION = Check(
    "revision",
    "The revision that the database is at; what comes later is not there to be verified.",
    "sidb upgrade",
)
HALF_WAY = Check(
    "half-way",
    "No rollback or restore stands half-way or is at work: until it has ended, tables may be closed to applications or"
    " have moved, and what the other checks say is of that moment.",
    "type what the line says; then verify again.",
)
CATALOG = Check(
    "catalog",
    "Every table, column, default, constraint, index, view, function, trigger, comment and privilege of ours is, as"
    " PostgreSQL stores it, what the models build on the same server, and Phase 1's two relations still hold what Phase"
    " 2 builds on. What others have there is found: it is listed, and neither compared nor changed.",
    "`alembic revision --autogenerate` shows the statements that would make it equal, and drops nothing that was found;"
    " find out who changed it. What Phase 1's relations lack is for their owner to put right.",
)

VERBS = {"added": "not in the models", "removed": "missing", "changed": "not as in the models"}


def half_way(subject: Subject) -> Finding | None:
    """The rollback or restore that is half-way; None: there is none."""
    begun = blocking(subject.driver)
    return HALF_WAY.failed(begun.what, begun.next_step) if begun else None


def revision(subject: Subject) -> Finding:
    found, head = current(subject), newest()
    if found == head:
        return REVISION.ok(f"{head}, the newest")
    if found is None:
        return REVISION.warning(f"none yet; the newest is {head}", _forward(subject))
    if found not in {script.revision for script in script_directory().walk_revisions()}:
        remedy = correction(recorded(subject.driver)).rstrip(".")
        return REVISION.failed(f"{found}, which this code does not have", remedy)
    detail = f"{found}; the newest is {head}. What is there at that revision is verified"
    return REVISION.warning(detail, _forward(subject))


def catalog(subject: Subject) -> Finding:
    found, head = current(subject), newest()
    if found != head:
        return CATALOG.unknown(
            f"not compared: the models describe {head}; each step was validated when it ran", _forward(subject)
        )
    try:
        compared = compare(subject.connection, SCOPE)
    except NotComparedError as error:
        return CATALOG.unknown(error.what, error.next_step)
    except OnlineError as error:
        return CATALOG.failed(error.what, error.next_step)
    here, models = compared.here, compared.target
    changes = diff(models, here)
    found = f"; found, not ours: {', '.join(compared.found)}" if compared.found else ""
    if changes or compared.unmet:
        # A table's columns and comments go with it, and need no line of their own.
        changed = {(change.identity, change.verb) for change in changes}
        wholes = [
            change
            for change in changes
            if ((models if change.verb == "removed" else here).parent(change.identity), change.verb) not in changed
        ]
        lines = [*compared.unmet, *(_line(change) for change in wholes)]
        return CATALOG.failed(f"{len(changes) + len(compared.unmet)} differences{listed(lines)}")
    if compared.set_aside:
        named = ", ".join(compared.set_aside)
        detail = f"all but what retention has set aside is what the models say: {named}{found}"
        return CATALOG.warning(detail, "sidb maintain, as the owner, goes on with it")
    return CATALOG.ok(f"{len(here):,} objects are what the models say{found}")


def current(subject: Subject) -> str | None:
    """The database's revision; None: it has none."""
    if not subject.there("public.alembic_version"):
        return None
    return revision_of(subject.connection)


def _forward(subject: Subject) -> str:
    """What leads to the newest revision."""
    begun = blocking(subject.driver)
    return begun.next_step if begun else "sidb upgrade"


def newest() -> str:
    """The newest revision of this code."""
    head = script_directory().get_current_head()
    assert head is not None
    return head


def _line(change: Change) -> str:
    return f"{VERBS[change.verb]}: {change.identity}"


LOOKS: Looks = {
    HALF_WAY: half_way,
    REVISION: revision,
    CATALOG: catalog,
}
