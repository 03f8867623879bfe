"""What the environment may say, and what it may not."""

from pathlib import Path

import pytest
from alembic_online.database import shown
from alembic_online.errors import UsageError

from operations.settings import Settings


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_the_scheme_means_psycopg(scheme: str) -> None:
    url = Settings.from_environment(
        {"DATABASE_URL": f"{scheme}://u:p%40ss@db.example:5433/sid?sslmode=require"}
    ).database_url
    assert url is not None
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port, url.database) == ("u", "p@ss", "db.example", 5433, "sid")
    assert url.query == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("", "empty"),
        ("hunter2", "starts with postgresql://"),
        ("postgresql:/u:hunter2@h/d", "starts with postgresql://"),
        ("postgresql://u:hunter2@h/d ", "without spaces"),
        ("mysql://u:hunter2@h/d", "mysql:// is not one of"),
        ("postgresql+asyncpg://u:hunter2@h/d", "postgresql+asyncpg:// is not one of"),
        ("postgresql://u:hunter2@h:port/d", "port is a number"),
        ("postgresql://u:hunter2@h:70000/d", "port is a number"),
        ("postgresql://u:hunter2", "port is a number"),
        ("postgresql://u:p@hunter2@h/d", "%40"),
        ("postgresql://", "neither a host nor a database"),
    ],
)
def test_malformed_addresses_are_refused_without_being_quoted(address: str, complaint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Settings.from_environment({"DATABASE_URL": address})
    assert complaint in str(refusal.value)
    assert "Next: " in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR", "PGSERVICE"])
def test_a_half_given_address_is_an_error(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is set, but DATABASE_URL is not"):
        Settings.from_environment({name: "somewhere"})
    assert Settings.from_environment({name: "somewhere", "DATABASE_URL": "postgresql://h/d"}).database_url is not None


def test_a_password_in_the_parameters_is_never_shown() -> None:
    url = Settings.from_environment(
        {"DATABASE_URL": "postgresql://u@h/d?password=hunter2&sslpassword=hunter2"}
    ).database_url
    assert url is not None
    assert url.password == "hunter2"  # noqa: S105
    assert shown(url) == "postgresql://u:***@h/d"


def test_a_scratch_database_is_named_by_an_address_like_any_other() -> None:
    here = {"DATABASE_URL": "postgresql://h/d"}
    assert Settings.from_environment(here).scratch_database_url is None
    found = Settings.from_environment({**here, "SCRATCH_DATABASE_URL": "postgresql://h/scratch"}).scratch_database_url
    assert found is not None
    assert found.database == "scratch"
    with pytest.raises(UsageError, match="SCRATCH_DATABASE_URL is malformed"):
        Settings.from_environment({**here, "SCRATCH_DATABASE_URL": "hunter2"})


def test_data_home() -> None:
    assert Settings.from_environment({"XDG_DATA_HOME": "/somewhere"}).data_home == Path("/somewhere")
    for environment in ({}, {"XDG_DATA_HOME": ""}, {"XDG_DATA_HOME": "relative"}):
        assert Settings.from_environment(environment).data_home == Path("~/.local/share").expanduser()


def test_replicas_are_named_by_addresses_that_are_never_quoted() -> None:
    settings = Settings.from_environment({"SIDB_REPLICAS": "postgresql://u:hunter2@a/d postgres://b"})
    assert [str(url.host) for url in settings.options.replicas] == ["a", "b"]
    given = settings.given({"replicas": ("postgresql://c?password=hunter2",), "replica_wait": "0s"})
    assert [(url.host, url.password) for url in given.replicas] == [("c", "hunter2")]
    assert (given.replica_limit, settings.options.replica_limit) == (0, settings.options.deadline)
    assert settings.given({"replicas": ()}).replicas == settings.options.replicas
    twice = settings.given({"replicas": ("postgresql://a/d", "postgresql://b", "postgresql://a/d")})
    assert [url.host for url in twice.replicas] == ["a", "b"]
    with pytest.raises(UsageError, match="--replica names nothing"):
        settings.given({"replicas": ("",)})
    several = "postgresql://b/d,postgresql://u:hunter2@a/d"
    for wrong in ("u:hunter2@a/d", "mysql://u:hunter2@a/d", "postgresql://u:hunter2@a:port/d", several):
        with pytest.raises(UsageError, match="--replica: address 2 is malformed") as refusal:
            settings.given({"replicas": ("postgresql://a", wrong)})
        assert "hunter2" not in str(refusal.value)
