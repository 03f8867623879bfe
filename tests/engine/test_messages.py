"""What the server said, as a person reads it."""

from typing import LiteralString

import psycopg
import pytest
from alembic_online.messages import server_error

from tests.fixtures.databases import Clone, conninfo


def said(clone: Clone, before: LiteralString, wrong: LiteralString) -> str:
    with psycopg.connect(conninfo(clone("empty")), autocommit=True) as connection:
        connection.execute(before)
        with pytest.raises(psycopg.Error) as raised:
            connection.execute(wrong)
        return server_error(raised.value).next_step


def test_nobody_is_told_to_drop_whatever_uses_it(clone: Clone) -> None:
    next_step = said(clone, "CREATE TABLE t (a int); CREATE VIEW v AS TABLE t", "DROP TABLE t")
    assert next_step.startswith("drop first what it says")
    assert "CASCADE" not in next_step


def test_any_other_hint_is_passed_on(clone: Clone) -> None:
    next_step = said(clone, "CREATE TABLE t (a int)", "SELECT t.A_ FROM t")
    assert next_step.startswith('Perhaps you meant to reference the column "t.a"')
