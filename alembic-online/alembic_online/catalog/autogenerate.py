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
from alembic_online.catalog.columns import rehearse
from alembic_online.catalog.declarations import DECLARED, Compared, nothing
from alembic_online.catalog.plan import plan
from alembic_online.catalog.steps import OutsideTransaction, Step, perhaps_renamed
from alembic_online.catalog.target import compare
from alembic_online.errors import OnlineError

log = logging.getLogger("alembic.online")

NAME = "alembic_online.catalog"
PLUGINS = ["alembic.autogenerate.*", NAME]
COMPARED = "compared_catalogs"
SCOPE = "scope"
"""The option of the environment that holds the `Scope`."""
NUMBERED = re.compile(r"\d+(\.\d+)*")
LONGEST = 32
"""Characters of a revision's name that Alembic's own table holds."""
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
    upgrade.ops[:] = plan(compared, upgrade.ops, rehearse(context.connection, compared.here, compared.target))
    own = {f"{i.schema}.{i.name}" for i in compared.here if i.kind in RELATIONS and i in compared.target}
    catalogs = Compared(compared.here, compared.target, own | set(scope.shared))
    context.migration_context.opts[COMPARED] = catalogs
    return PriorityDispatchResult.CONTINUE


class _AfterAnother(ops.UpgradeOps):
    """The second of two revisions; `alembic check` reads the last one only, so this one tells of the first one too."""

    def __init__(self, operations: list[ops.MigrateOperation], first: ops.UpgradeOps) -> None:
        super().__init__(operations)
        self.first = first

    def as_diffs(self) -> list[tuple[Any, ...]]:
        return [*self.first.as_diffs(), *super().as_diffs()]


def revise(context: MigrationContext, _revision: object, scripts: list[ops.MigrationScript]) -> None:
    """Number new revisions like the others, where these are; what runs outside a transaction gets one of its own.

    So a revision is either one transaction, or safe to run again at every point.
    """
    [script] = scripts
    assert script.upgrade_ops is not None
    _refuse_long(str(script.rev_id))
    if script.message:  # it stands in a docstring
        script.message = script.message.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    concurrent = [step for step in script.upgrade_ops.ops if isinstance(step, Step) and step.concurrent]
    others = [operation for operation in script.upgrade_ops.ops if operation not in concurrent]
    if renames := perhaps_renamed(others):
        script.upgrade_ops.ops = [*renames, *others, *concurrent]
        script.downgrade_ops = script.upgrade_ops.reverse()
        others = [*renames, *others]
    versions = context.script
    assert versions is not None
    heads = versions.get_revisions(script.head or "heads")
    [head] = [each.revision for each in heads if each] if len(heads) == 1 else [""]
    given = re.fullmatch("[0-9a-f]{12}", str(script.rev_id)) is None  # by --rev-id
    if NUMBERED.fullmatch(head):
        versions.file_template = _FileName()
        if not given:
            script.rev_id = _next(head)
    if concurrent:
        outside = ops.UpgradeOps([OutsideTransaction(tuple(concurrent))])
        if others:
            script.upgrade_ops = ops.UpgradeOps(others)
            outside = _AfterAnother(outside.ops, script.upgrade_ops)
            script.downgrade_ops = script.upgrade_ops.reverse()
            script = ops.MigrationScript(
                rev_id=_after(str(script.rev_id), given),
                message=f"{script.message or 'step'}, outside a transaction",
                head=script.rev_id,
                imports=set(),
                upgrade_ops=outside,
                downgrade_ops=outside.reverse(),
            )
            scripts.append(script)
        script.upgrade_ops, script.downgrade_ops = outside, outside.reverse()
    _declare(context, scripts)


def _declare(context: MigrationContext, scripts: list[ops.MigrationScript]) -> None:
    """Give the template what each revision declares; where nothing was compared, a person writes it."""
    catalogs: Compared | None = context.opts.get(COMPARED)
    declared = {
        script.rev_id: nothing()
        if catalogs is None
        else catalogs.declare(
            script, next((other for other in scripts if other is not script), None), context.opts[SCOPE]
        )
        for script in scripts
    }
    for name in DECLARED:
        context.opts["template_args"][name] = {each: getattr(found, name) for each, found in declared.items()}


class _FileName(str):
    """``v1_4_2__what_it_does``: Alembic's own template could not write the dots as underscores."""

    __slots__ = ()

    def __mod__(self, values: Any) -> str:
        return f"v{values['rev'].replace('.', '_')}__{values['slug']}"


def _after(revision: str, given: bool) -> str:
    """The name of the second of two revisions."""
    if "." in revision and NUMBERED.fullmatch(revision):
        return _next(revision)
    name = f"{revision}_2" if given else rev_id()
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
