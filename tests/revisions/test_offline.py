"""The scripts of ``--sql`` do what the online migration does."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from operations.phase1 import Shape
from tests.fixtures import programs
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.revisions import HEAD
from tests.revisions.catalog import catalog, contents
from tests.revisions.conftest import Deployment

Connect = Callable[..., Engine]


def script(*command: str) -> str:
    """What `alembic … --sql` prints, run as a person runs it; it must reach for no server."""
    result = programs.run("alembic", *command, "--sql", env={}, code=0)
    assert "embedded" not in result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def upgrade() -> str:
    return script("upgrade", "head")


@pytest.fixture(scope="module")
def downgrade() -> str:
    return script("downgrade", "head:base")


Psql = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def psql(pg_bin: Path) -> Psql:
    """``psql(url, statements)`` runs a script as an administrator would."""

    def run(url: URL, statements: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [pg_bin / "psql", "-v", "ON_ERROR_STOP=1", "-X", "-q", conninfo(url)],
            input=statements,
            capture_output=True,
            text=True,
        )

    return run


def succeeds(result: "subprocess.CompletedProcess[str]") -> bool:
    assert result.returncode == 0, result.stderr
    return True


def version(engine: Engine) -> list[str]:
    return contents(engine, "SELECT version_num FROM public.alembic_version")


def test_up_down_up_gives_the_online_catalogs(
    clone: Clone, connect: Connect, shape: Shape, upgrade: str, downgrade: str, psql: Psql
) -> None:
    offline = connect(clone(f"phase1_{shape}"))
    online = connect(clone(f"phase1_{shape}"))
    for statements, command in ((upgrade, "upgrade"), (downgrade, "downgrade"), (upgrade, "upgrade")):
        assert succeeds(psql(offline.url, statements))
        getattr(Alembic(online.url), command)()
        assert catalog(offline) == catalog(online)
        assert version(offline) == version(online)


def test_creating_phase1_from_nothing(clone: Clone, connect: Connect, upgrade: str, psql: Psql) -> None:
    offline, online = connect(clone("empty")), connect(clone("empty"))
    assert succeeds(psql(offline.url, upgrade))
    Alembic(online.url).upgrade()
    assert catalog(offline) == catalog(online)
    assert version(offline) == version(online)


def test_psql_runs_them_for_a_plain_owner(deployment: Deployment, upgrade: str, downgrade: str, psql: Psql) -> None:
    before = catalog(deployment.superuser)
    assert succeeds(psql(deployment.owner.url, upgrade))
    deployment.run_phase1()
    assert succeeds(psql(deployment.owner.url, downgrade))
    deployment.run_phase1()
    after = catalog(deployment.superuser)
    assert {name: found for name, found in after.items() if "alembic_version" not in name} == before


@pytest.mark.parametrize(
    ("template", "damage", "complaint"),
    [
        (
            "phase1_table",
            "ALTER TABLE public.features DROP COLUMN supply_score",
            "public.features.supply_score: is missing, needs numeric(5,4)",
        ),
        ("migrated_table", "SELECT 1", f"this database is at revision {HEAD} already"),
    ],
)
def test_an_upgrade_that_is_refused_stops_the_script(
    clone: Clone, connect: Connect, upgrade: str, psql: Psql, template: str, damage: str, complaint: str
) -> None:
    engine = connect(clone(template))
    with engine.begin() as connection:
        connection.exec_driver_sql(damage)
    before = catalog(engine)
    result = psql(engine.url, upgrade)
    assert result.returncode == 3
    assert complaint in result.stderr
    after = catalog(engine)
    assert {name: after[name] for name in before} == before
    assert all("alembic_version" in name for name in after.keys() - before.keys())
