"""The migrating role is a plain owner; the group roles come where it may create them, and are left out where not."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from operations.cli import main
from operations.phase1 import Shape
from tests.engine.conftest import refusal
from tests.fixtures.databases import Templates, conninfo
from tests.fixtures.server import throwaway_server
from tests.revisions.catalog import catalog
from tests.revisions.conftest import OWNER, Deployment, deploy

GROUPS = ("analytics_reader", "analytics_writer")


@pytest.fixture(scope="module")
def alone(pg_bin: Path) -> Iterator[Templates]:
    """A server of its own: roles belong to a whole server, and these tests need one without the group roles."""
    with throwaway_server(pg_bin) as server:
        yield Templates(server)


@pytest.fixture
def plain(alone: Templates, shape: Shape, connect: Callable[..., Engine]) -> Iterator[Deployment]:
    """A deployment on a server that has no group roles yet; they go again with it."""
    clones = alone.clone("empty")
    deployment = deploy(alone.server, next(clones), shape, connect, niches=20)
    yield deployment
    for engine in (deployment.superuser, deployment.owner, deployment.application):
        engine.dispose()
    next(clones, None)
    administrator = connect(alone.server.url("postgres"))
    with administrator.begin() as connection:
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {', '.join(GROUPS)}; DROP ROLE {OWNER}")


def groups(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'analytics%' ORDER BY 1")
        return list(connection.execute(query).scalars())


def grants(deployment: Deployment) -> set[str]:
    """To whom anything in analytics is granted, but for its owner."""
    return {
        entry.split("=")[0]
        for name, definition in catalog(deployment.superuser).items()
        if "analytics" in name and "analytics_phase1" not in name
        for entry in definition["privileges"]
    } - {OWNER}


def allow(deployment: Deployment, attributes: str) -> None:
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE {OWNER} {attributes}")


@pytest.mark.parametrize("attributes", ["NOCREATEDB", "CREATEDB"])
def test_without_group_roles_and_without_the_right_to_create_them(
    plain: Deployment, attributes: str, caplog: pytest.LogCaptureFixture
) -> None:
    allow(plain, attributes)
    with caplog.at_level(logging.INFO, "alembic.online"):
        plain.alembic.upgrade()
    told = [
        f"role {group} is missing; it is optional, grants to it wait until it is there: as an administrator: "
        f"CREATE ROLE {group} NOLOGIN;"
        for group in GROUPS
    ]
    left_out = [f"role {group} is missing and {OWNER} may not create it: grants to it are left out" for group in GROUPS]
    assert [message for message in caplog.messages if "missing" in message] == [*told, *left_out]
    assert groups(plain.superuser) == []
    assert grants(plain) <= {"phase1_application"}  # the owner of the materialized view may call trend_of
    plain.run_phase1()
    plain.alembic.downgrade()
    plain.run_phase1()


def test_what_is_optional_is_told_only_where_nothing_stops(plain: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    allow(plain, "NOCREATEDB")
    with plain.superuser.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {plain.owner.url.database} OWNER TO postgres")
    with caplog.at_level(logging.INFO, "alembic.online"):
        assert "GRANT CREATE ON DATABASE" in refusal(plain.alembic.upgrade)
    assert not any("optional" in message for message in caplog.messages)


def test_what_was_left_out_is_made_up_for_once_the_roles_are_there(plain: Deployment, shape: Shape) -> None:
    plain.alembic.upgrade()
    url = plain.owner.url

    def sidb(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})

    def failures() -> dict[str, str]:
        found = json.loads(sidb("verify", "--json").stdout)["findings"]
        return {each["check"]: each["detail"] for each in found if each["verdict"] == "failed"}

    said = failures()["group roles"]
    assert all(f"CREATE ROLE {group} NOLOGIN; then sidb upgrade" in said for group in GROUPS)
    with plain.superuser.begin() as connection:
        connection.exec_driver_sql("".join(f"CREATE ROLE {group} NOLOGIN;" for group in GROUPS))
    assert not set(GROUPS) & grants(plain)
    assert "analytics_writer got no rights" in failures()["group roles"]
    assert sidb("verify").exit_code == 1
    if shape is Shape.TABLE:
        done = sidb("upgrade")
        assert done.exit_code == 0, done.output
        assert "Granted to analytics_reader, analytics_writer" in done.output
        assert "nothing to do" not in done.output
    else:
        plain.alembic.upgrade()
    assert set(GROUPS) <= grants(plain)
    assert sidb("upgrade").output.startswith("There is nothing to do.\n")
    allow(plain, "CREATEDB")
    assert not {"catalog", "group roles"} & failures().keys()

    with plain.superuser.begin() as connection:
        connection.exec_driver_sql("REVOKE ALL ON ALL TABLES IN SCHEMA analytics FROM analytics_writer")
        connection.exec_driver_sql("REVOKE ALL ON SCHEMA analytics FROM analytics_writer; CREATE ROLE upkeeper LOGIN")
        connection.exec_driver_sql("GRANT analytics_writer TO upkeeper")
    as_upkeeper = conninfo(url.set(username="upkeeper"))
    done = CliRunner().invoke(main, ["maintain"], env={"DATABASE_URL": as_upkeeper})
    assert "sidb upgrade, as the role that owns schema analytics: analytics_writer got no rights so far" in done.output
    assert "analytics_writer got no rights" in failures()["group roles"]
    with plain.superuser.begin() as connection:
        connection.exec_driver_sql(f"GRANT analytics_writer TO {OWNER}; DROP ROLE upkeeper")  # the owner keeps up, too
    done = sidb("maintain", "--json")
    assert json.loads(done.stdout)["tasks"][0]["outcome"] == "done", done.output
    assert not {"catalog", "group roles"} & failures().keys()


@pytest.mark.parametrize("way", ["GRANT pg_write_all_data TO {}", "GRANT USAGE ON SCHEMA analytics TO PUBLIC"])
def test_roles_that_may_use_the_schema_another_way_came_late_all_the_same(plain: Deployment, way: str) -> None:
    plain.alembic.upgrade()
    with plain.superuser.begin() as connection:
        for group in GROUPS:
            connection.exec_driver_sql(f"CREATE ROLE {group} NOLOGIN; {way.format(group)}")
    url = conninfo(plain.owner.url)
    done = CliRunner().invoke(main, ["upgrade"], env={"DATABASE_URL": url})
    assert "Granted to analytics_reader, analytics_writer" in done.output
    assert set(GROUPS) <= grants(plain)
    assert CliRunner().invoke(main, ["upgrade"], env={"DATABASE_URL": url}).output.startswith("There is nothing to do")


def test_with_the_right_to_create_roles_they_come_and_stay(plain: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    allow(plain, "CREATEROLE")
    with caplog.at_level(logging.INFO, "alembic.online"):
        plain.alembic.upgrade()
    assert not [message for message in caplog.messages if "missing" in message]
    assert groups(plain.superuser) == list(GROUPS)
    assert set(GROUPS) <= grants(plain) <= {*GROUPS, "phase1_application"}
    plain.run_phase1()
    plain.alembic.downgrade()
    assert groups(plain.superuser) == list(GROUPS)
    plain.run_phase1()


def test_with_group_roles_that_an_administrator_made(plain: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    with plain.superuser.begin() as connection:
        connection.exec_driver_sql("".join(f"CREATE ROLE {group} NOLOGIN;" for group in GROUPS))
    with caplog.at_level(logging.INFO, "alembic.online"):
        plain.alembic.upgrade()
    assert not [message for message in caplog.messages if "missing" in message]
    assert set(GROUPS) <= grants(plain)
    with plain.superuser.connect() as connection:
        may = connection.execute(
            text("""
                SELECT
                    has_table_privilege('analytics_reader', 'analytics.trending_niches', 'SELECT'),
                    has_table_privilege('analytics_reader', 'analytics.ml_features', 'INSERT'),
                    has_table_privilege('analytics_writer', 'analytics.ml_features', 'INSERT'),
                    has_table_privilege('analytics_writer', 'public.features', 'INSERT')
            """)
        ).one()
    assert tuple(may) == (True, False, True, False)
    plain.alembic.downgrade()
    assert groups(plain.superuser) == list(GROUPS)
