"""The proof of a rollback waits for the application's REFRESH: the tables are closed by then."""

from contextlib import closing

import psycopg
from alembic_online import Options, open_session

from operations.rollback import proof, rollback
from operations.scope import SCOPE
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.logs import when_told


def test_the_catalog_is_compared_when_it_has_ended(clone: Clone) -> None:
    url = clone("migrated_matview")
    way = rollback.prepare(url, "2.1.0").way
    with (
        closing(psycopg.connect(conninfo(administrator(url)), application_name="scorer")) as application,
        open_session(url, SCOPE, Options(deadline=20)) as session,
    ):
        application.execute("REFRESH MATERIALIZED VIEW public.hot_niches_today")
        named = f"the comparison of the catalog: blocked by pid {application.info.backend_pid} on "
        with when_told(named, application.commit):
            assert proof.catalog(session, way).verdict == "failed", "nothing was rolled back"
