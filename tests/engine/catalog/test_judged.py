"""Nobody has to think of what PostgreSQL may store: its own catalogs say it, and each column is judged."""

import re
from collections import Counter
from pathlib import Path

import alembic_online
from alembic_online.catalog.judged import ADMINISTRATOR, COMPARED, FOREIGN, JUDGED
from sqlalchemy import Engine, text

from tests.fixtures.databases import ROOT

QUERIES = Path(alembic_online.__file__).parent / "queries" / "catalog"
PRINTED = {  # by PostgreSQL, whole
    "pg_constraint": "pg_get_constraintdef",
    "pg_index": "pg_get_indexdef",
    "pg_proc": "pg_get_functiondef",
    "pg_trigger": "pg_get_triggerdef",
    "pg_rewrite": "pg_get_ruledef",
    "pg_partitioned_table": "pg_get_partkeydef",
    "pg_statistic_ext": "pg_get_statisticsobjdef",
}
COLUMNS = text(
    "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:relation AS regclass) AND attnum > 0 AND NOT attisdropped"
)


def test_every_column_of_the_catalogs_is_judged_once(migrated: Engine) -> None:
    with migrated.connect() as connection:
        there = {name: set(connection.scalars(COLUMNS, {"relation": name})) for name in JUDGED}
    for name, by_reason in JUDGED.items():
        judged = Counter(column for columns in by_reason.values() for column in columns.split())
        assert there[name] - judged.keys() == set(), f"nobody judged these columns of {name}"
        assert [column for column, times in judged.items() if times > 1] == []


def test_what_is_compared_is_read() -> None:
    """By its name, or by the function with which PostgreSQL prints the whole object."""
    read = "\n".join(path.read_text(encoding="utf-8") for path in QUERIES.glob("*.sql"))
    words = set(re.findall(r"\w+", read))
    for name, by_reason in JUDGED.items():
        if name in PRINTED:
            assert PRINTED[name] in words
        else:
            assert set(by_reason.get(COMPARED, "").split()) - words - {"atthasdef", "polroles"} == set(), name


def test_what_users_can_set_and_is_left_out_is_documented() -> None:
    page = (ROOT / "docs/autogenerate.md").read_text(encoding="utf-8")
    for by_reason in JUDGED.values():
        for reason in (ADMINISTRATOR, FOREIGN):
            for column in by_reason.get(reason, "").split():
                assert f"`{column}`" in page
