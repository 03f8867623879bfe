"""A server as production has it: with pg_stat_statements, and commit times kept."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from tests.fixtures.databases import Clone, Templates, cloning, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.server import throwaway_server

OPTIONS = {
    "shared_preload_libraries": "pg_stat_statements",
    "track_commit_timestamp": "on",
    "max_connections": "20",
}


@pytest.fixture(scope="module")
def production(pg_bin: Path) -> Iterator[Templates]:
    with throwaway_server(pg_bin, OPTIONS) as server:
        yield Templates(server)


@pytest.fixture
def migrated_url(production: Templates, inhabited: bool) -> Iterator[URL]:
    """A migrated database on it, empty but for Phase 1's niches, with both extensions."""
    with cloning(production, inhabited=inhabited) as clone:
        url = clone("migrated_table")
        execute(url, "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pgstattuple")
        execute(url, f"GRANT pg_monitor TO {url.username}")  # as the help asks for where it is no superuser
        yield url


@pytest.fixture
def plain(clone: Clone) -> URL:
    """A migrated database on a server without anything of that."""
    return clone("migrated_table")


def execute(url: URL, statements: str) -> None:
    """Do it as a superuser."""
    with psycopg.connect(conninfo(administrator(url)), autocommit=True) as connection:
        connection.execute(statements)  # type: ignore[arg-type]
