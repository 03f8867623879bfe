"""Phase 1's programs run unchanged before, during and after the migration, with the rights they have in production."""

import psycopg
import pytest
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege
from sqlalchemy import text

from operations.embedded import Server
from tests.fixtures.databases import conninfo
from tests.fixtures.revisions import REVISIONS
from tests.revisions.conftest import APPLICATION, OWNER, Deployment, make_role

DEPLOYER = "phase1_deployer"


@pytest.mark.parametrize("migrator", [OWNER, DEPLOYER, "postgres"])
def test_at_every_revision_up_and_down(server: Server, deployment: Deployment, migrator: str) -> None:
    """Whoever migrates: the owner, somebody who may act for it, or a superuser."""
    make_role(server, DEPLOYER)
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(f"GRANT {OWNER}, {APPLICATION} TO {DEPLOYER}")
    alembic = deployment.alembic_as(migrator)
    deployment.run_phase1()
    for revision in REVISIONS:
        alembic.upgrade(revision)
        deployment.run_phase1()
    for revision in [*REVISIONS[-2::-1], "base"]:
        alembic.downgrade(revision)
        deployment.run_phase1()


def test_the_programs_hold_nothing_but_table_privileges(deployment: Deployment) -> None:
    """What the test above is worth depends on it."""
    with deployment.superuser.connect() as connection:
        for role in (OWNER, APPLICATION):
            rights = connection.execute(
                text(
                    "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
                    " FROM pg_roles WHERE rolname = :role"
                ),
                {"role": role},
            ).one()
            assert not any(rights)
    deployment.alembic.upgrade()
    with psycopg.connect(conninfo(deployment.application.url)) as application, pytest.raises(InsufficientPrivilege):
        application.execute("SELECT FROM analytics.stale_views")


@pytest.mark.parametrize("relation", ["features", "hot_niches_today"])
def test_prepared_statements_survive(deployment: Deployment, relation: str) -> None:
    """A prepared ``SELECT *`` whose columns changed is refused once; after the rollback psycopg prepares it anew."""
    star = f"SELECT * FROM {relation} WHERE opportunity < %s LIMIT 1"  # noqa: S608
    named = f"SELECT phrase, opportunity FROM {relation} WHERE opportunity < %s LIMIT 1"  # noqa: S608
    with psycopg.connect(conninfo(deployment.application.url), prepare_threshold=0) as application:

        def columns(query: str) -> int:
            row = application.execute(query, [10]).fetchone()
            application.commit()
            assert row is not None
            return len(row)

        def refused_once(query: str) -> int:
            with pytest.raises(FeatureNotSupported, match="cached plan must not change result type"):
                columns(query)
            application.rollback()
            return columns(query)

        assert (columns(star), columns(named)) == (7, 2)
        deployment.alembic.upgrade()
        assert columns(named) == 2
        assert refused_once(star) == 10
        assert columns(named) == 2
        deployment.alembic.downgrade()
        assert columns(named) == 2
        assert refused_once(star) == 7
