"""An index that an exported file would build while writers wait is taken where it was built beside them beforehand."""

import re
from pathlib import Path

import psycopg

from operations.export import export
from tests.engine.conftest import current
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.operations.test_export import by_psql

BUILT = re.compile(r"^-- (CREATE UNIQUE INDEX CONCURRENTLY .*;)$", re.MULTILINE)
INDEXES = {
    "V2.1.0__events_by_month.sql": "analytics.analytics_events_key",
    "U2.1.0__rollback_events_by_month.sql": "analytics_partitions.analytics_events_plain_key",
}


def test_by_the_statement_of_the_header(clone: Clone, pg_bin: Path, tmp_path: Path) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.7")
    export(tmp_path / "files")
    for name, index in INDEXES.items():
        script = tmp_path / "files" / name
        [statement] = BUILT.findall(script.read_text(encoding="utf-8"))
        with psycopg.connect(conninfo(administrator(url)), autocommit=True) as connection:
            connection.execute(statement)
            found = connection.execute("SELECT %s::regclass::oid", [index]).fetchone()
            done = by_psql(pg_bin, script, administrator(url))
            assert done.returncode == 0, done.stderr
            kept = connection.execute("SELECT conname FROM pg_constraint WHERE conindid = %s", found).fetchall()
            assert len(kept) == 1
    assert current(url) == "2.0.7"
