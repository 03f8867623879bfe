"""Roles: whether a rollback could shut the application out, who may create in public, what the migrating one lacks."""

from collections.abc import Iterable

from alembic_online import Obstacle, Planned
from alembic_online.database import twins
from alembic_online.quantities import listed

from operations.findings import Check, Finding
from operations.preflight.context import Context, Questions, judged

APPLICATION = Check(
    "application's role",
    "A rollback closes Phase 2's tables to applications while they go. That blocks neither a superuser nor a role "
    "with the migrating role's rights, itself included: a rollback cannot protect against them, and only names them.",
    "give the application a role of its own, or stop it before a rollback; name its role with --application.",
)

PUBLIC = Check(
    "schema public",
    "Whoever may create in schema public can put functions and operators there that fit better than PostgreSQL's own,"
    " and are called by those who look for names there. In databases made before PostgreSQL 15 everybody may. The"
    " upgrade, the backfill, a rollback and a restore refuse what a stranger has put there.",
    "as the schema's owner: REVOKE CREATE ON SCHEMA public FROM PUBLIC; see who made what the line names, and drop it.",
)

HOT_NICHES_TODAY = "public.hot_niches_today"
REPLACED = {"2.0.4": (HOT_NICHES_TODAY,), "2.2.1": (HOT_NICHES_TODAY, "analytics.trending_niches")}
"""The materialized views that a revision builds anew, with their privileges."""


def public(context: Context) -> Finding:
    strange = twins(context.connection, ["public"])
    everybody = ["everybody may create in it"] if context.value("public_is_open") else []
    return judged(PUBLIC, "only roles that were granted CREATE may create in it", strange, everybody)


def replacing(context: Context, steps: Iterable[Planned]) -> list[Obstacle]:
    """What the role lacks to put others in the place of the materialized views that the steps replace, with their
    owners and privileges.
    """
    relations = sorted({relation for step in steps for relation in REPLACED.get(step.script.revision, ())})
    lacks = context.rows("replacing_lacks", relations=relations)
    return [Obstacle(row.lacks, f"as an administrator: {row.statement};") for row in lacks]


def application(context: Context) -> Finding:
    named = context.request.applications
    found = context.rows("applications", named=list(named))
    open_to = []
    for role in found:
        programs = f" ({role.programs})" if role.programs else ""
        if role.cannot_be_shut_out:
            open_to.append(f"{role.name}{programs} {role.cannot_be_shut_out}: REVOKE does not block it")
    missing = [f"there is no login role {name}" for name in named if name not in {role.name for role in found}]
    if not found and not named:
        return APPLICATION.unknown("nobody else is connected, and nobody else has rights on the tables")
    ok = f"{listed([role.name for role in found])}: REVOKE blocks them"
    # Of those that are only seen to be here, one may be a person at a console.
    return judged(APPLICATION, ok, [*missing, *open_to]) if named else judged(APPLICATION, ok, [], open_to)


QUESTIONS: Questions = {
    APPLICATION: application,
    PUBLIC: public,
}
