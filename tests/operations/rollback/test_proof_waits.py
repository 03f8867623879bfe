"""Looks at the catalog wait for the application's REFRESH: before a rollback, in its proof, and in a restore."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
from alembic_online import Options, open_session
from alembic_online.acquisition import until_read
from sqlalchemy import URL

from operations.rollback import proof, rollback
from operations.scope import SCOPE
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.logs import when_told
from tests.operations.rollback.conftest import bring_back, execute, roll_back

REFRESH = "REFRESH MATERIALIZED VIEW public.hot_niches_today"
PRINTED = "SELECT pg_get_viewdef(oid) FROM pg_class WHERE relname = 'theirs'"


def beside_a_refresh(url: URL, what: str, work: Callable[[], Any]) -> Any:
    """What the work gives, which is begun beside a REFRESH that ends when it is named."""
    with closing(psycopg.connect(conninfo(administrator(url)), application_name="scorer")) as application:
        application.execute(REFRESH)
        with when_told(f"{what}: blocked by pid {application.info.backend_pid} on ", application.commit):
            return work()


def test_the_catalog_is_compared_when_it_has_ended(clone: Clone) -> None:
    url = clone("migrated_matview")
    way = rollback.prepare(url, "2.1.0").way
    with open_session(url, SCOPE, Options(deadline=20)) as session:
        found = beside_a_refresh(url, "the comparison of the catalog", lambda: proof.catalog(session, way))
    assert found.verdict == "failed", "nothing was rolled back"


def test_a_rollback_is_prepared_and_a_restore_begun_when_it_has_ended(clone: Clone) -> None:
    url = clone("migrated_matview")
    beside_a_refresh(url, "the look at what a rollback undoes", lambda: rollback.prepare(url, "2.1.0"))
    roll_back(url, "2.0.3")
    Alembic(url).upgrade()
    assert beside_a_refresh(url, "the look at the catalog", lambda: bring_back(url)).exit_code == 0


@pytest.mark.clean
@pytest.mark.parametrize("stays_away", [True, False], ids=["dropped for good", "damaged"])
def test_what_is_dropped_between_being_listed_and_being_printed(clone: Clone, stays_away: bool) -> None:
    url, looks = clone("migrated_table"), 0
    execute(url, "CREATE VIEW public.theirs AS SELECT 1 AS one")
    with open_session(url, SCOPE, Options(deadline=20)) as session:

        def read() -> list[tuple[Any, ...]]:
            nonlocal looks
            looks += 1
            with session.observer.transaction():
                session.observer.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
                if looks == 1 or not stays_away:
                    execute(url, "DROP VIEW public.theirs")
                return session.observer.execute(PRINTED).fetchall()

        def listed_again() -> list[tuple[Any, ...]]:
            execute(url, "CREATE OR REPLACE VIEW public.theirs AS SELECT 1 AS one")
            return read()

        if stays_away:
            assert (until_read(session, read, "the look"), looks) == ([], 2)
        else:
            with pytest.raises(psycopg.errors.InternalError_):
                until_read(session, listed_again, "the look")
            assert looks == 11
