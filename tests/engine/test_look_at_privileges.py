"""What the migrating role lacks is found before the first step, down to the last statement, with what gives it."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from operations.embedded import Server
from operations.phase1 import Shape
from tests.engine.conftest import current, refusal
from tests.engine.test_look import nothing_was_made, run
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.revisions import HEAD
from tests.revisions.conftest import OWNER, deploy


def test_privileges_down_to_the_last_statement(
    server: Server, clone: Clone, shape: Shape, connect: Callable[..., Engine]
) -> None:
    """What an administrator is told to run is enough for all steps."""
    deployment = deploy(server, clone("empty"), shape, connect, niches=20)
    url, administrator = deployment.owner.url, deployment.superuser.url
    name = url.database
    run(
        administrator,
        "ALTER TABLE features OWNER TO phase1_application",
        f"ALTER DATABASE {name} OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE phase1_application FROM {OWNER}",
    )
    run(
        administrator,
        "CREATE SCHEMA analytics; CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
        f"GRANT SELECT ON alembic_version TO {OWNER}",
        "CREATE VIEW report AS SELECT niche_id FROM hot_niches_today",
    )
    said = refusal(deployment.alembic.upgrade)
    assert "without these privileges not everything could be looked at" in said
    assert ("view public.report uses public.hot_niches_today" in said) is (shape is Shape.MATVIEW), "at once, too"
    assert f"not allowed: creating schemas in database {name}" in said
    assert "public.features belongs to phase1_application" in said
    assert "not allowed: writing Alembic's table public.alembic_version" in said
    assert ("not allowed: creating in schema public" in said) is (shape is Shape.MATVIEW)
    assert "schema analytics belongs to postgres" in said
    statements = re.findall(r"as an administrator: (.*);$", said, re.MULTILINE)
    assert not [each for each in statements if "TO phase1_owner" not in each]
    run(administrator, *statements, "DROP VIEW report")
    deployment.alembic.upgrade()
    assert current(url) == HEAD
    run(administrator, f"GRANT phase1_application TO {OWNER}")


def test_who_may_not_make_alembics_table_is_told_all_that_is_lacking(clone: Clone) -> None:
    """Alembic makes it before anything else."""
    url = clone("phase1_table")
    role = f"{url.database}_plain"
    run(url, f"CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    said = refusal(Alembic(url.set(username=role)).upgrade)
    assert said == (
        "Not every step can be applied, so none was begun; nothing was changed.\n"
        "  not allowed: creating Alembic's table in schema public\n"
        f"  not allowed: creating schemas in database {url.database}\n"
        "  public.features belongs to postgres\n"
        "  public.hot_niches_today belongs to postgres\n"
        f"Next: as an administrator: GRANT USAGE, CREATE ON SCHEMA public TO {role};\n"
        f"as an administrator: GRANT CREATE ON DATABASE {url.database} TO {role};\n"
        f"as an administrator: ALTER TABLE public.features OWNER TO {role};\n"
        f"as an administrator: ALTER TABLE public.hot_niches_today OWNER TO {role};\n"
        "Then run it again, which is safe."
    )
    assert nothing_was_made(url)
    run(url, *re.findall(r"as an administrator: (.*);$", said, re.MULTILINE))
    Alembic(url.set(username=role)).upgrade("2.0.0")
    run(url, f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("through", ["", "_between"], ids=["directly", "through another role"])
def test_a_membership_without_inheritance_is_called_so(clone: Clone, through: str) -> None:
    url = clone("phase1_table")
    member = f"{url.database}_member"
    inherits = "INHERIT" if through else "NOINHERIT"
    run(
        url,
        f"CREATE ROLE {member}_group; CREATE ROLE {member}_between NOINHERIT IN ROLE {member}_group",
        f"CREATE ROLE {member} LOGIN {inherits} IN ROLE {member}{through or '_group'}",
        f"ALTER TABLE features OWNER TO {member}_group; ALTER TABLE hot_niches_today OWNER TO {member}",
        f"GRANT CREATE ON DATABASE {url.database} TO {member}; GRANT CREATE ON SCHEMA public TO {member}",
    )
    said = refusal(Alembic(url.set(username=member)).upgrade)
    assert f"public.features belongs to {member}_group, of which {member} is a member WITH INHERIT FALSE\n" in said
    assert "is not a member" not in said
    assert nothing_was_made(url)
    run(url, *re.findall(r"as an administrator: (.*);$", said, re.MULTILINE))
    Alembic(url.set(username=member)).upgrade("2.0.0")
    run(url, f"REASSIGN OWNED BY {member}, {member}_group TO postgres; DROP OWNED BY {member}, {member}_group")
    run(url, f"DROP ROLE {member}, {member}_between, {member}_group")
