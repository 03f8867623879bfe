"""The locks that a step takes on the partitions of what it changes are counted before it is begun."""

import re
from pathlib import Path

from tests.engine.conftest import current, refusal
from tests.engine.test_look import run
from tests.fixtures.databases import Alembic, Templates, cloning
from tests.fixtures.server import throwaway_server

FEW = {"max_locks_per_transaction": "30", "max_connections": "10", "max_prepared_transactions": "0"}
YEARS = """
    DO $$
    BEGIN
        FOR year IN 2030..2059 LOOP
            EXECUTE replace($x${}$x$, '2030', year::text);
            COMMIT;
        END LOOP;
    END
    $$
"""
CREATE = (
    "CREATE TABLE analytics_partitions.events_2030 PARTITION OF analytics.analytics_events"
    " FOR VALUES FROM ('2030-01-01') TO ('2030-12-31')"
)


def test_a_step_on_many_partitions(pg_bin: Path) -> None:
    with throwaway_server(pg_bin, FEW) as server, cloning(Templates(server)) as clone:
        url = clone("phase1_table")
        Alembic(url).upgrade("2.1.0")
        run(url, YEARS.format(CREATE))
        said = refusal(lambda: Alembic(url).downgrade("2.0.7"))
        found = re.search(r"2\.1\.0 downgrade takes up to (\d+) locks; the server has room for 300, of which", said)
        assert found, said
        [(exact,)] = run(url, "SELECT count(*) FROM pg_class WHERE relname ~ '^events_' AND relkind IN ('r', 'i')")
        assert int(found[1]) > int(str(exact)) + 30
        assert current(url) == "2.1.0"
        run(url, YEARS.format("DROP TABLE analytics_partitions.events_2030"))
        Alembic(url).downgrade("2.0.7")
