"""A production-like database: Phase 1 belongs to a plain owner, its programs log in as another role."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import URL, Engine, NullPool, create_engine

from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.databases import Alembic, Clone
from tests.revisions import programs

OWNER = "phase1_owner"
APPLICATION = "phase1_application"

# For the roles that a test makes: the server is shared, and roles belong to all of it.
MAKE_ROLE = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
            CREATE ROLE "{name}" LOGIN {attributes};
        END IF;
    END
    $$
"""


@dataclass(frozen=True)
class Deployment:
    """Phase 1 in production: neither role is a superuser, may create databases or roles."""

    shape: Shape
    superuser: Engine
    owner: Engine
    application: Engine

    @property
    def alembic(self) -> Alembic:
        """The migration as the owner runs it."""
        return self.alembic_as(OWNER)

    def alembic_as(self, role: str) -> Alembic:
        return Alembic(self.owner.url.set(username=role))

    def run_phase1(self) -> None:
        """Every Phase 1 program once, as the application's role."""
        programs.run_all(self.application, self.shape)
        self.application.dispose()  # the programs start anew each time: what they had prepared is forgotten


def make_role(server: Server, name: str, attributes: str = "") -> None:
    engine = create_engine(server.url("postgres"), poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(MAKE_ROLE.format(name=name, attributes=attributes))


def deploy(server: Server, url: URL, shape: Shape, connect: Callable[..., Engine], niches: int = 200) -> Deployment:
    """Make the empty database at `url` one that the owner runs Phase 1 in."""
    make_role(server, OWNER)
    make_role(server, APPLICATION)
    superuser, owner, application = (connect(url.set(username=name)) for name in ("postgres", OWNER, APPLICATION))
    with superuser.begin() as connection:
        # A REFRESH needs the materialized view's owner, and a migration membership in it.
        connection.exec_driver_sql(f"GRANT {APPLICATION} TO {OWNER}")
        connection.exec_driver_sql(f"ALTER DATABASE {url.database} OWNER TO {OWNER}")
    with owner.begin() as connection:
        phase1.create(connection, shape)
        phase1.sample(connection, niches)
        phase1.refresh(connection, shape)
        for grant in (
            "SELECT, INSERT, UPDATE, DELETE ON public.features",
            "SELECT, INSERT, UPDATE, DELETE ON public.hot_niches_today",
            "USAGE ON SEQUENCE public.features_niche_id_seq",
        ):
            connection.exec_driver_sql(f"GRANT {grant} TO {APPLICATION}")
    if shape is Shape.MATVIEW:
        with superuser.begin() as connection:
            connection.exec_driver_sql(f"ALTER MATERIALIZED VIEW public.hot_niches_today OWNER TO {APPLICATION}")
    return Deployment(shape, superuser, owner, application)


@pytest.fixture
def deployment(server: Server, shape: Shape, clone: Clone, connect: Callable[..., Engine]) -> Deployment:
    """Both shapes: a test that asks for it runs twice."""
    return deploy(server, clone("empty"), shape, connect)
