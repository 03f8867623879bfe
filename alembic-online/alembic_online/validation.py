"""After each step: everything of ours is in force, and the step changed what it is known to change."""

import hashlib
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg
from alembic.script import Script, ScriptDirectory
from alembic.util import to_tuple
from sqlalchemy import Connection

from alembic_online.acquisition import until_read
from alembic_online.catalog import Identity, definitions
from alembic_online.errors import OnlineError
from alembic_online.in_force import Found, applied, look, out_of_force, revisions
from alembic_online.ledger import Ledger
from alembic_online.planned import NOT_IN_FORCE, Direction, Planned, bare, kind
from alembic_online.scope import Scope
from alembic_online.sessions import Session

log = logging.getLogger("alembic.online")

INVALID = "invalid"
APPLIED = "{} {} is applied; its validation"
"""For what the locks are, where a step is committed."""
UNSAID = "the revision does not say what it changes"
TABLE_GONE = "removed table "
STORED = ("storage ", "options of column ", "compression of column ", "replica identity", "cluster")
"""How the catalog calls what is set of a table's storage; "storage " of parameters and of columns."""


def catalog(connection: Connection, scope: Scope) -> dict[str, str]:
    """What there is of ours: what each object is called, and a hash of its definition, or INVALID for such an index.

    Of privileges only those of our group roles, which a revision grants; others depend on who else is there.
    """
    return condensed(definitions(connection, scope), scope)


def read_catalog(session: Session, what: str) -> dict[str, str]:
    """The same, as soon as nobody is in the way, until the session's deadline; it is said who is in the way of what."""
    return until_read(session, lambda: catalog(session.observing, session.scope), what)


def condensed(objects: Mapping[Identity, str], scope: Scope) -> dict[str, str]:
    """Definitions as the ledger keeps them, and as `catalog` gives them."""
    return {
        str(identity): _condensed(identity, text)
        for identity, text in objects.items()
        if (identity.kind != "privilege" or identity.part in scope.group_roles)
        # whether a materialized view is filled is a state, which no way back restores
        and (identity.kind, identity.part) != ("setting", "emptiness")
    }


def _condensed(identity: Identity, text: str) -> str:
    """A hash of a definition, behind its state where it is not in force; of an invalid index only that it is."""
    if text.endswith("/* INVALID */"):
        return INVALID
    found = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    if identity.kind == "constraint" and text.endswith(" NOT VALID"):
        return f"not validated {found}"
    if "/* its triggers are disabled */" in text or " DISABLE TRIGGER " in text or " ENABLE REPLICA TRIGGER " in text:
        return f"disabled {found}"
    return found


def of_scope(before: Mapping[str, str], scope: Scope, after: Mapping[str, str]) -> dict[str, str]:
    """What a ledger kept of ours: on shared relations, older code kept also what others have there."""
    schemas = "|".join(map(re.escape, scope.schemas))
    additions = "|".join(map(re.escape, scope.additions))
    ours = re.compile(rf" (?:(?:{schemas})(?:\.|$)" + (rf"|(?:{additions})$)" if additions else ")"))
    newer = ("type ", "setting ")  # older code kept none that is not ours
    return {n: text for n, text in before.items() if n in after or n.startswith(newer) or ours.search(n)}


def starts(before: Mapping[str, str], after: Mapping[str, str]) -> list[Mapping[str, str]]:
    """The states from which a step may have started, as to invalid indexes, which a step replaces and people repair:
    with them as they were, without them, and with what has become of them.
    """
    invalid = {name for name, text in before.items() if text == INVALID}
    without = {name: text for name, text in before.items() if name not in invalid}
    mended = {name: text for name, text in after.items() if name in invalid}
    return [before, without, {**without, **mended}]


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What was added, removed and changed, one line each; with its state where it is not in force now."""
    return sorted(
        [f"added {_with_state(name, text)}" for name, text in after.items() if name not in before]
        + [f"removed {name}" for name in before if name not in after]
        + [f"changed {_with_state(name, text)}" for name, text in after.items() if before.get(name, text) != text]
    )


def became_invalid(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The indexes that are invalid now, and were not, or were not there."""
    return sorted(f"{n} is invalid" for n, text in after.items() if text == INVALID != before.get(n))


def _with_state(name: str, text: str) -> str:
    state = next((state for state in NOT_IN_FORCE if text.startswith(state)), None)
    return f"{name} ({state})" if state else name


def refuse_unsaid(steps: Sequence[Planned], scope: Scope) -> None:
    """Raise OnlineError where the project wants every revision to say what it changes, and one does not."""
    for step in steps if scope.changes_required else ():
        if not step.changes:
            raise OnlineError(
                f"Revision {step.script.revision} does not say what its {step.direction} changes, and could not be"
                " validated; nothing was changed.",
                "give it `changes` as `alembic revision --autogenerate` writes them.",
            )


def refuse_invalid(
    observer: psycopg.Connection[Any],
    scope: Scope,
    script: Script,
    direction: Direction,
    changed: Collection[list[str]],
    out_of_force: Sequence[str],
) -> None:
    """Raise OnlineError unless one of `changed` is what the revision says, if it does, and nothing is `out_of_force`.

    There is one for each place from where the step may have started: before its first attempt, before its last one.
    """
    accepted = [_for_roles(observer, scope, lines) for lines in Planned(script, direction).changes]
    replaced = {name.removeprefix("table ") for name in Planned(script, direction).replaces}
    deviations = [_deviation(actual, expected, replaced) for actual in changed for expected in accepted]
    findings = [*out_of_force, *min(deviations, key=len, default=[])]
    if findings:
        what = (
            f"{script.revision} {direction}: applied, but not everything is as it should be; no further step was run."
        )
        raise OnlineError(
            "\n".join([what, *(f"  {finding}" for finding in findings)]),
            "correct what is listed and run it again, or accept it as it is: `alembic stamp` the current revision.",
        )


def _deviation(actual: list[str], expected: list[str], replaced: Collection[str]) -> list[str]:
    gone = {line.removeprefix(TABLE_GONE) for line in actual if line.startswith(TABLE_GONE) and line in expected}
    # A privilege may have been revoked before the step that drops its object: by people, or by a rollback.
    return [
        f"not expected: {line}"
        for line in actual
        if line not in expected and not _goes_with(line, gone) and not _comes_with(line, replaced)
    ] + [
        f"missing: {line}"
        for line in expected
        if line not in actual and not line.startswith("removed privileges of ") and not _goes_with(line, gone)
    ]


def _goes_with(line: str, tables: Collection[str]) -> bool:
    """Whether something that was removed, or was to be, stands on one of the tables that are removed: what others have
    put there goes with them.
    """
    if not line.startswith("removed ") or line.startswith(TABLE_GONE):
        return False
    owned = kind(line) == "sequence" and any(f" {table}_" in line for table in tables)
    return owned or _is_of(line, tables)


def _comes_with(line: str, replaced: Collection[str]) -> bool:
    """Whether it stands on the table that took the place of one of these: what others have put there comes with it, and
    how rows are stored stays with the rows.
    """
    if line.startswith("added ") and kind(line) != "privileges":
        return _is_of(line, replaced)
    return line.startswith(tuple(f"removed setting {table}.{what}" for table in replaced for what in STORED))


def _is_of(line: str, tables: Collection[str]) -> bool:
    return any(f" {table}." in f"{line}." for table in tables)


def _for_roles(observer: psycopg.Connection[Any], scope: Scope, lines: list[str]) -> list[str]:
    """Without the grants to group roles that this server does not have."""
    wanted = list(scope.group_roles)
    rows = observer.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [wanted]).fetchall()
    missing = set(wanted) - {row[0] for row in rows}
    return [line for line in lines if not any(f" privileges of {role} on " in f" {line}" for role in missing)]


class Validator:
    """Validates the steps of one run, and what a run that ended before it could validate its last step left."""

    def __init__(self, session: Session, ledger: Ledger) -> None:
        self.session = session
        self.ledger = ledger
        self.catalog: dict[str, str] | None = None
        """What there was after the last look; None: not looked yet."""
        self.directory: ScriptDirectory | None = None
        self.already: list[Found] = []
        """What was not in force before the step, and is none of its doing."""

    def before(self, script: Script, direction: Direction) -> Mapping[str, str]:
        """The catalog before the first attempt at a step."""
        if self.catalog is None:
            self.catalog = self._look(f"the look before {script.revision} {direction}")
        named = Planned(script, direction).objects
        found = look(self.session.observer, self.session.scope)
        self.already = [each for each in found if bare(each.object) not in named]
        before = self.ledger.before(script.revision, direction)
        return self.catalog if before is None else of_scope(before, self.session.scope, self.catalog)

    def finish(self, entry: int, script: Script, direction: Direction) -> None:
        """The step is committed: raise OnlineError unless it left what it should."""
        before, self.catalog = self.catalog, self._look(APPLIED.format(script.revision, direction))
        applied = self.ledger.last_applied()
        assert before is not None
        assert applied is not None
        self._validate(entry, script, direction, [before, applied.before])

    def finish_last(self, heads: tuple[str, ...], directory: ScriptDirectory) -> None:
        """A run that was killed, or stopped by its validation, left a step that is still to be validated."""
        self.directory = directory
        if not self.ledger.exists() or (last := self.ledger.last_applied()) is None or last.validated:
            return
        if last.validated is None and last.is_looked_at:
            return
        script = next((known for known in directory.walk_revisions() if known.revision == last.revision), None)
        if script is None or heads != to_tuple(
            script.revision if last.direction == "upgrade" else script.down_revision, ()
        ):
            return  # the database has been moved on since by other means
        self.catalog = self._look(APPLIED.format(script.revision, last.direction))
        self._validate(last.step_id, script, last.direction, [last.before])

    def refuse_out_of_force(self, heads: tuple[str, ...], steps: Sequence[Planned]) -> None:
        """Before the first step: raise OnlineError where something of ours is not in force, and no step names it.

        What a step names, the step leaves in force, or it fails: it may have been written to correct it, or have begun
        and left it so.
        """
        assert self.directory is not None
        so_far = applied(self.directory, heads, "upgrade")
        found = out_of_force(self.session.observer, self.session.scope, so_far, so_far).ours
        named = {name for step in steps for name in step.objects}
        if left := [each for each in found if bare(each.object) not in named]:
            what = "Before the first step, not everything is as it should be; nothing was changed."
            statements = "".join(f"\n  {statement};" for statement in dict.fromkeys(each.statement for each in left))
            raise OnlineError(
                "\n".join([what, *(f"  {each}" for each in left)]), f"put it right, and run it again:{statements}"
            )

    def accept(self) -> None:
        """Whoever stamps a revision answers for the state of the database."""
        if self.ledger.exists() and (last := self.ledger.last_applied()) is not None and not last.validated:
            self.ledger.validated(last.step_id, valid=True, message="accepted by alembic stamp")

    def _validate(self, entry: int, script: Script, direction: Direction, befores: Sequence[Mapping[str, str]]) -> None:
        after = self.catalog
        assert after is not None
        assert self.directory is not None
        is_said = bool(Planned(script, direction).changes)
        try:
            ours = [of_scope(before, self.session.scope, after) for before in befores]
            changed = [difference(start, after) for before in ours for start in starts(before, after)]
            observer, scope = self.session.observer, self.session.scope
            steps = applied(self.directory, script.revision, direction)
            found = out_of_force(observer, scope, revisions(self.directory), steps).ours
            new = [str(each) for each in found if each not in self.already]
            new += [] if is_said else became_invalid(ours[-1], after)
            refuse_invalid(observer, scope, script, direction, changed, new)
        except OnlineError as error:
            self.ledger.validated(entry, valid=False, message=error.what)
            raise
        if not is_said:
            log.warning("%s %s: %s; not validated", script.revision, direction, UNSAID)
        self.ledger.validated(entry, valid=True if is_said else None, message=None if is_said else UNSAID)

    def _look(self, what: str) -> dict[str, str]:
        return read_catalog(self.session, what)
