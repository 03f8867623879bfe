"""Alembic's plugin: what its own comparison does not see, and how new revisions are numbered, named and formatted.

Importing this module registers it; the environment names it in ``autogenerate_plugins``.
"""

import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.runtime.plugins import Plugin
from alembic.script import write_hooks
from alembic.util import DispatchPriority, PriorityDispatchResult, rev_id

from alembic_online.catalog import rendering
from alembic_online.catalog.columns import perhaps_renamed, rehearse
from alembic_online.catalog.declarations import DECLARED, Compared, nothing
from alembic_online.catalog.diff import Change
from alembic_online.catalog.filters import unnamed
from alembic_online.catalog.plan import plan
from alembic_online.catalog.snapshot import Identity
from alembic_online.catalog.statements import called
from alembic_online.catalog.steps import EXTEND, OutsideTransaction, Step
from alembic_online.catalog.target import compare
from alembic_online.errors import OnlineError
from alembic_online.version_table import LONGEST

log = logging.getLogger("alembic.online")

NAME = "alembic_online.catalog"
PLUGINS = [*(f"alembic.autogenerate.{part}" for part in ("schemas", "tables", "constraints")), NAME]
"""Of Alembic's own comparison, what finds whole tables and columns; all else is read from the catalog."""
COMPARED = "compared_catalogs"
SCOPE = "scope"
"""The option of the environment that holds the `Scope`."""
NUMBERED = re.compile(r"\d+(\.\d+)*")
UNNAMED = (
    "Constraints of %s have no name in the models: PostgreSQL gives them one, which changes with what stands beside"
    " them. Give the models' MetaData a naming_convention, or each constraint a name"
)
RELATIONS = ("table", "view", "materialized_view")


def compare_catalogs(context: AutogenContext, upgrade: ops.UpgradeOps) -> PriorityDispatchResult:
    """Complete what Alembic found by what it does not see."""
    assert context.connection is not None
    scope = context.opts[SCOPE]
    compared = compare(context.connection, scope)
    for name in compared.found:
        log.info("Found, not ours: %s", name)
    for change in compared.changes():
        log.info("Detected %s", change)
    new = {f"{change.identity.schema}.{change.identity.name}" for change in compared.changes() if _is_new(change)}
    for table in sorted(new & unnamed(scope.metadata)):
        log.info(UNNAMED, table)
    upgrade.ops[:] = plan(compared, upgrade.ops, rehearse(context.connection, compared.here, compared.target))
    own = {called(i) for i in compared.here if i.kind in RELATIONS and i in compared.target}
    shared = {called(Identity("table", *relation.split(".", 1))) for relation in scope.shared}
    catalogs = Compared(compared.here, compared.target, own | shared)
    context.migration_context.opts[COMPARED] = catalogs
    return PriorityDispatchResult.CONTINUE


def _is_new(change: Change) -> bool:
    return change.identity.kind == "constraint" and change.verb == "added"


class _AfterOthers(ops.UpgradeOps):
    """The last of several revisions; `alembic check` reads that one only, so it tells of the others, too."""

    def __init__(self, operations: list[ops.MigrateOperation], others: list[ops.UpgradeOps]) -> None:
        super().__init__(operations)
        self.others = others

    def as_diffs(self) -> list[tuple[Any, ...]]:
        return [*(diff for other in self.others for diff in ops.UpgradeOps(other.ops).as_diffs()), *super().as_diffs()]


def revise(context: MigrationContext, _revision: object, scripts: list[ops.MigrationScript]) -> None:
    """Number new revisions like the others, where these are; what runs outside a transaction gets one of its own.

    So a revision is either one transaction, or safe to run again at every point.
    """
    [script] = scripts
    assert script.upgrade_ops is not None
    _refuse_long(str(script.rev_id))
    if script.message:  # it stands in a docstring
        script.message = script.message.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    versions = context.script
    assert versions is not None
    heads = versions.get_revisions(script.head or "heads")
    [head] = [each.revision for each in heads if each] if len(heads) == 1 else [""]
    given = re.fullmatch("[0-9a-f]{12}", str(script.rev_id)) is None  # by --rev-id
    if NUMBERED.fullmatch(head):
        versions.file_template = _FileName()
        if not given:
            script.rev_id = _next(head)
    first, message = str(script.rev_id), script.message or "step"
    parts = _parts(script.upgrade_ops, context.opts.get(COMPARED))
    made: list[ops.UpgradeOps] = []
    for number, (what, operations) in enumerate(parts, 1):
        if number > 1:
            name = _after(str(script.rev_id), f"{first}_{number}" if given else None)
            script = ops.MigrationScript(
                rev_id=name,
                message=message,
                head=script.rev_id,
                imports=set(),
                upgrade_ops=ops.UpgradeOps(),
                downgrade_ops=ops.DowngradeOps(),
            )
            scripts.append(script)
        if what and len(parts) > 1:
            script.message = f"{message}{what}"
        made.append(_AfterOthers(operations, made[:]))
        script.upgrade_ops, script.downgrade_ops = made[-1], made[-1].reverse()
    _declare(context, scripts)


def _parts(upgrade: ops.UpgradeOps, catalogs: Compared | None) -> list[tuple[str, list[ops.MigrateOperation]]]:
    """What is a revision of its own, with what its message adds: at least one."""
    outside = [step for step in upgrade.ops if isinstance(step, Step) and step.concurrent]
    within = [operation for operation in upgrade.ops if operation not in outside]
    labels = [step for step in outside if step.verb == EXTEND]
    first = [*labels, *(step for step in outside if step.first)]
    last = [step for step in outside if step not in first]
    parts: list[tuple[str, list[ops.MigrateOperation]]] = []
    if first:
        what = ", labels first" if first == labels else ", outside a transaction first"
        parts.append((what, [OutsideTransaction(tuple(first))]))
    if within or not outside:
        renamed = perhaps_renamed(catalogs.before, catalogs.after) if catalogs else []
        parts.append(("", [*renamed, *within]))
    if last:
        parts.append((", outside a transaction", [OutsideTransaction(tuple(last))]))
    return parts


def _declare(context: MigrationContext, scripts: list[ops.MigrationScript]) -> None:
    """Give the template what each revision declares; where nothing was compared, a person writes it."""
    catalogs: Compared | None = context.opts.get(COMPARED)
    declared = {
        script.rev_id: nothing()
        if catalogs is None
        else catalogs.declare(script, [other for other in scripts if other is not script], context.opts[SCOPE])
        for script in scripts
    }
    for name in DECLARED:
        context.opts["template_args"][name] = {each: getattr(found, name) for each, found in declared.items()}


class _FileName(str):
    """``v1_4_2__what_it_does``: Alembic's own template could not write the dots as underscores."""

    __slots__ = ()

    def __mod__(self, values: Any) -> str:
        return f"v{values['rev'].replace('.', '_')}__{values['slug']}"


def _after(revision: str, given: str | None) -> str:
    """The name of a revision that follows another one of the same change; `given` where people name them."""
    if "." in revision and NUMBERED.fullmatch(revision):
        return _next(revision)
    name = given or rev_id()
    _refuse_long(name)
    return name


def _refuse_long(revision: str) -> None:
    if len(revision) > LONGEST:
        raise OnlineError(
            f"The revision's name {revision} has {len(revision)} characters; alembic_version holds {LONGEST}.",
            "give a shorter --rev-id.",
        )


def _next(revision: str) -> str:
    head, dot, last = revision.rpartition(".")
    return f"{head}{dot}{int(last) + 1}"


@write_hooks.register("ruff")
def format_revision(path: str, _options: object) -> None:
    """Format a new revision with ruff, where it is installed."""
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        log.warning("ruff is not installed: %s is not formatted", path)
        return
    # What PostgreSQL prints and Alembic writes may be longer than a line of ours.
    for command in ("check --select I,F401 --fix", "format", "check --select E501 --add-noqa"):
        subprocess.run([ruff, *command.split(), "--quiet", path], check=False, capture_output=True)


def setup(plugin: Plugin) -> None:
    plugin.add_autogenerate_comparator(
        compare_catalogs, "autogenerate", qualifier="postgresql", priority=DispatchPriority.LAST
    )


Plugin.setup_plugin_from_module(sys.modules[__name__], NAME)
assert rendering  # its renderers are registered by importing it
