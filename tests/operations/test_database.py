"""Connecting: what goes wrong is said in a few lines, with the next step and without the password."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic_online.database import engine
from alembic_online.errors import OnlineError
from sqlalchemy import URL, text

from operations.embedded import Server
from tests.fixtures.server import throwaway_server

RIGHT = "correct"
SECRET = "hunter2"  # noqa: S105 - the password of the tests below: wrong, and never to be printed


@pytest.fixture(scope="module")
def guarded(pg_bin: Path) -> Iterator[Server]:
    """A server that asks everybody but its superuser for a password."""
    with throwaway_server(pg_bin) as server:
        superuser = engine(server.url("postgres"))
        with superuser.begin() as connection:
            connection.execute(text(f"CREATE ROLE app LOGIN PASSWORD '{RIGHT}'"))
        superuser.dispose()
        (server.data / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        server.stop()
        server.start()
        yield server


def refusal(url: URL) -> str:
    made = engine(url)
    with pytest.raises(OnlineError) as caught:
        made.connect()
    made.dispose()
    message = str(caught.value)
    assert SECRET not in message
    assert caught.value.__cause__ is None  # so that no traceback can quote the driver's parameters
    return message


def test_a_connection_carries_its_name(guarded: Server) -> None:
    made = engine(guarded.url("postgres").set(username="app", password=RIGHT))
    with made.connect() as connection:
        name = "SELECT current_setting('application_name'), current_user"
        assert connection.execute(text(name)).one() == (Path(sys.argv[0]).name, "app")
    made.dispose()


def test_wrong_password(guarded: Server) -> None:
    message = refusal(guarded.url("postgres").set(username="app", password=SECRET))
    assert 'password authentication failed for user "app"' in message
    assert "Next: give the right user and password" in message


def test_missing_database(guarded: Server) -> None:
    message = refusal(guarded.url("nowhere").set(password=SECRET))
    assert 'database "nowhere" does not exist' in message
    assert "Next: create it (createdb nowhere)" in message


def test_unreachable_server() -> None:
    with socket.socket() as bound:  # bound and not listening: whoever connects is refused
        bound.bind(("127.0.0.1", 0))
        url = URL.create("postgresql+psycopg", "app", SECRET, "127.0.0.1", bound.getsockname()[1], "sid")
        message = refusal(url)
    assert message.startswith(f"No connection to postgresql://app:***@127.0.0.1:{url.port}/sid")
    assert "Next: see that the server runs" in message


def test_unknown_parameter(guarded: Server) -> None:
    url = guarded.url("postgres").set(password=SECRET).update_query_dict({"colour": "red"})
    message = refusal(url)
    assert 'invalid connection option "colour"' in message
    assert "Next: correct the parameters" in message


def test_a_parameter_that_the_role_may_not_set(guarded: Server) -> None:
    options = {"options": "-c session_replication_role=replica"}
    url = guarded.url("postgres").set(username="app", password=RIGHT).update_query_dict(options)
    message = refusal(url)
    assert 'permission denied to set parameter "session_replication_role"' in message
    assert "Next: correct the parameters after ? in the database URL, and PGOPTIONS" in message
