"""A table that a revision has made outside schema analytics: closed, kept and given back as those in it."""

import io
from typing import Any

import pytest
from alembic_online.errors import OnlineError
from rich.console import Console
from sqlalchemy import Engine

from operations.rollback import rollback
from operations.rollback.plan import show_plan
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import Role, bring_back, execute, finding, roll_back
from tests.operations.rollback.revising import Revise
from tests.operations.rollback.revising import revise as revise

TABLE = "public.campaigns"
UP = f'''
op.execute("""
    CREATE TABLE {TABLE} (
        campaign_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        code serial UNIQUE,
        niche_id bigint REFERENCES public.features (niche_id),
        budget numeric NOT NULL DEFAULT 0 CHECK (budget >= 0)
    );
    CREATE INDEX campaigns_niche_id_idx ON {TABLE} (niche_id);
    COMMENT ON TABLE {TABLE} IS 'What is spent on a niche'
""")
'''
DOWN = f'op.execute("DROP TABLE {TABLE}")'
FILL = f"INSERT INTO {TABLE} (niche_id, budget) SELECT n, n * 10 FROM generate_series(1, 40) AS s (n)"  # noqa: S608
ROWS = f"SELECT campaign_id, code, niche_id, budget FROM {TABLE} ORDER BY 1"  # noqa: S608
RIGHTS = "SELECT r::text FROM pg_class, unnest(relacl) AS r WHERE oid = to_regclass('public.campaigns') ORDER BY 1"
FILE = "SELECT relfilenode FROM pg_class WHERE oid = to_regclass('public.campaigns')"


@pytest.mark.parametrize("declared", [[TABLE], []], ids=["declared", "not declared"])
def test_it_comes_back_whole(engine: Engine, revise: Revise, role: Role, declared: list[str]) -> None:
    url, app = engine.url, role("app")
    engine.dispose()
    by_hand = revise(url, UP, DOWN, *declared)
    execute(url, FILL)
    execute(url, f"GRANT SELECT, INSERT ON {TABLE} TO {app}; CREATE INDEX theirs ON {TABLE} (budget)")
    before = [execute(url, statement) for statement in (ROWS, RIGHTS, FILE)]
    assert roll_back(url, "2.0.3").exit_code == 0
    assert execute(url, f"SELECT to_regclass('{TABLE}')::text") == [(None,)]
    by_hand.upgrade()
    found = bring_back(url)
    assert found.exit_code == 0, [str(each) for each in found.findings if each.verdict == "failed"]
    assert f"{TABLE} moved back whole" in finding(found, "restored").detail
    assert [execute(url, statement) for statement in (ROWS, RIGHTS, FILE)] == before
    assert execute(url, f"INSERT INTO {TABLE} DEFAULT VALUES RETURNING campaign_id, code") == [(41, 41)]  # noqa: S608
    waits = "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass('public.campaigns') AND NOT convalidated"
    assert execute(url, waits) == []


def test_its_rows_are_merged_where_it_holds_some(engine: Engine, revise: Revise) -> None:
    url = engine.url
    engine.dispose()
    by_hand = revise(url, UP, DOWN, TABLE)
    execute(url, FILL)
    execute(url, f"CREATE INDEX theirs ON {TABLE} (budget)")
    roll_back(url, HEAD)
    by_hand.upgrade()
    execute(url, f"INSERT INTO {TABLE} OVERRIDING SYSTEM VALUE VALUES (1000, 1000, 7, 5)")  # noqa: S608
    said = io.StringIO()
    assert bring_back(url, told=said).exit_code == 0
    assert "CREATE INDEX theirs ON public.campaigns USING btree (budget);" in said.getvalue()
    assert execute(url, f"SELECT count(*), sum(niche_id) FROM {TABLE}") == [(41, 827)]  # noqa: S608


def test_it_is_in_the_plan_and_what_others_built_on_it_is_named(engine: Engine, revise: Revise) -> None:
    url = engine.url
    engine.dispose()
    revise(url, UP, DOWN, TABLE)
    prepared = rollback.prepare(url, HEAD)
    shown: Any = io.StringIO()
    show_plan(rollback.planned(url, prepared), Console(file=shown, width=200))
    assert "public.campaigns" in shown.getvalue()
    execute(url, f"CREATE VIEW public.theirs AS SELECT budget FROM {TABLE}")  # noqa: S608
    with pytest.raises(OnlineError, match=r"view public\.theirs uses public\.campaigns"):
        rollback.prepare(url, HEAD)
