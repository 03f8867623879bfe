"""Who owns what, what the group roles may do, and what the application may still do."""

from models import ROLES
from operations import grants, rights
from operations.findings import Check, Finding
from operations.scope import PHASE1
from operations.status.half_way import blocking
from operations.verify.schema import current
from operations.verify.subject import Looks, Subject, listed

OWNERS = Check(
    "owners",
    "All that lies in schema analytics belongs to one role, and so do the partitions and their schema; a SECURITY"
    " DEFINER function runs with its owner's rights.",
    "ALTER … OWNER TO, as the line says; find out who changed it, and why.",
)
GROUP_ROLES = Check(
    "group roles",
    "analytics_reader and analytics_writer are there, and hold the privileges granted to them and nothing besides: no"
    " attribute such as SUPERUSER, no membership in another role; whoever is a member has it, too. That one may log in"
    " is a warning: it may have been there before.",
    "ALTER ROLE or REVOKE, as the line says; find out who did it, and who are members.",
)
RIGHTS = Check(
    "application's rights",
    "The owners of Phase 1's relations are those of before the upgrade, and every privilege of then is still granted;"
    " row security hides no more rows, and no column has lost its default: as they were written down when an upgrade"
    " left 1.0.0. No rollback half-way shuts applications out of"
    " Phase 2's tables.",
    "GRANT or ALTER, as the line says; where it was meant, sidb verify --accept-rights records them as they are.",
)
ACCEPT = (
    "see that the application may do all it needs, then sidb verify --accept-rights: it records the rights as they are"
)


def owners(subject: Subject) -> Finding | None:
    """Whether all of schema analytics has one owner."""
    found = next(iter(subject.rows("owners")), None)
    if found is None:
        return None
    if found.wrong:
        return OWNERS.failed(f"{len(found.wrong)} of {found.objects} belong to another role{listed(found.wrong)}")
    return OWNERS.ok(f"{found.objects} objects belong to {found.usual}")


def group_roles(subject: Subject) -> Finding | None:
    """Whether the group roles are what they were created as."""
    if found := subject.rows("group_roles", roles=list(ROLES), late=grants.late(subject.driver)):
        told = f"{len(found)} things are not as they should be{listed([row.wrong for row in found])}"
        return GROUP_ROLES.failed(told) if any(row.fails for row in found) else GROUP_ROLES.warning(told)
    return GROUP_ROLES.ok("nothing but the privileges granted to them")


def applications_rights(subject: Subject) -> Finding | None:
    """Whether nobody has lost a right on Phase 1's relations, or is shut out of Phase 2's by a rollback half-way."""
    if (begun := blocking(subject.driver)) and begun.closes:
        return RIGHTS.failed(f"applications are shut out of tables of schema analytics. {begun.what}", begun.next_step)
    if current(subject) in (None, PHASE1):
        return None
    taken = rights.taken(subject.driver)
    if taken is None:
        return RIGHTS.unknown(
            "not written down before the upgrade, which an earlier version or exported files made", ACCEPT
        )
    since = f"{taken.taken_at:%Y-%m-%d %H:%M}, {'before the upgrade' if taken.before_upgrade else 'as accepted then'}"
    with_settings = rights.settings_taken(subject.driver)
    lost = rights.lost_settings(subject.driver) if with_settings else []
    if missing := [str(each) for each in (*rights.missing(subject.driver), *lost)]:
        return RIGHTS.failed(f"{len(missing)} are not as on {since}{listed(missing)}")
    if not with_settings:
        return RIGHTS.warning(
            f"all are as on {since}; row security and defaults were not written down then, by an earlier version",
            ACCEPT,
        )
    return RIGHTS.ok(f"all are as on {since}")


LOOKS: Looks = {
    OWNERS: owners,
    GROUP_ROLES: group_roles,
    RIGHTS: applications_rights,
}
