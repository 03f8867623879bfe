"""A table whose name has to be quoted is not moved aside: that is said before anything is changed."""

import pytest
from alembic_online import OnlineError
from sqlalchemy import URL, Engine

from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import execute, roll_back
from tests.operations.rollback.revising import Revise
from tests.operations.rollback.revising import revise as revise


def lines(revise: Revise, url: URL, name: str) -> str:
    """A revision that adds a table of this name, which holds a row; its name in a statement."""
    table = f'analytics."{name}"'
    changes = [f"table analytics.{name}", f"column analytics.{name}.id"]
    create, drop = f"CREATE TABLE {table} (id bigint)", f"DROP TABLE {table}"
    revise(url, f"op.execute('{create}')", f"op.execute('{drop}')", changes=changes)
    execute(url, f"INSERT INTO {table} VALUES (1)")  # noqa: S608
    return table


@pytest.mark.parametrize("name", ["Order Lines", "order"])
def test_a_name_that_has_to_be_quoted(engine: Engine, revise: Revise, name: str) -> None:
    url = engine.url
    engine.dispose()
    table = lines(revise, url, name)
    with pytest.raises(OnlineError) as refused:
        roll_back(url, HEAD)
    assert str(refused.value).startswith(f"{table}: a rollback keeps tables only under names that need no quotes;")
    assert execute(url, f"SELECT count(*) FROM {table}") == [(1,)]  # noqa: S608


def test_a_plain_name(engine: Engine, revise: Revise) -> None:
    url = engine.url
    engine.dispose()
    lines(revise, url, "order_lines")
    assert roll_back(url, HEAD).exit_code == 0
    assert execute(url, "SELECT count(*) FROM sidb_archive_1.order_lines") == [(1,)]
