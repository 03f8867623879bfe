"""Columns that are copied aside: by whatever key, and with what is written meanwhile, by whomever."""

from functools import partial

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL

from operations.phase1 import Shape
from tests.engine.conftest import current
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.ended import counted, once, stopped
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import Fill, bring_back, execute, roll_back

VERSIONS = """
    SELECT niche_id, analytics_version FROM sidb_archive_1."columns of features" WHERE niche_id IN (190, 900) ORDER BY 1
"""


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("UPDATE public.features SET analytics_version = 9 WHERE niche_id = 190", [(190, 9)]),
        (
            "SET session_replication_role = replica;"
            " UPDATE public.features SET analytics_version = 9 WHERE niche_id = 190",
            [(190, 9)],
        ),
        (
            "INSERT INTO public.features (niche_id, phrase, analytics_version) VALUES (900, 'new', 9)",
            [(190, 2), (900, 9)],
        ),
        ("UPDATE public.features SET niche_id = 900 WHERE niche_id = 190", [(190, 2), (900, 2)]),
    ],
    ids=["an update", "by replication", "an insert", "another key"],
)
def test_what_is_written_after_the_copy(clone: Clone, statement: str, kept: list[tuple[int, int]]) -> None:
    url = clone("migrated_table")
    execute(url, "UPDATE public.features SET analytics_version = 2 WHERE niche_id = 190")
    behind = once(r"LOCK TABLE .*features.* ACCESS EXCLUSIVE", partial(execute, administrator(url), statement))
    is_copied = False

    def look(number: int, text: str) -> None:
        nonlocal is_copied
        if is_copied:
            behind(number, text)
        is_copied = is_copied or ("SELECT DISTINCT ON" in text and "'features'" in text)

    counted(partial(roll_back, url, "2.0.3"), look)
    assert execute(url, VERSIONS) == kept
    assert execute(url, "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^sidb'") == [(0,)]


NO_PRIMARY = "ALTER TABLE public.features DROP CONSTRAINT features_pkey CASCADE;"
NO_UNIQUE = f"{NO_PRIMARY} ALTER TABLE public.features DROP CONSTRAINT features_phrase_key;"
NEVER_NULL = "ALTER TABLE public.features ALTER phrase SET NOT NULL;"
ONE = "CREATE UNIQUE INDEX one ON public.features"
INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'one'::regclass"


@pytest.mark.parametrize(
    ("statements", "is_found"),
    [
        (f"{NO_PRIMARY} ALTER TABLE public.features ALTER phrase SET NOT NULL", True),
        (NO_UNIQUE, False),
        (NO_PRIMARY, False),
        (f"{NO_UNIQUE} {NEVER_NULL} {ONE} (phrase) WHERE niche_id > 0", False),
        (f"{NO_UNIQUE} {NEVER_NULL} {ONE} (phrase) INCLUDE (niche_id)", False),
        (f"{NO_UNIQUE} {NEVER_NULL} {ONE} (lower(phrase))", False),
        (
            f"{NO_UNIQUE} {NEVER_NULL} {ONE} (phrase); {INVALID}",
            False,
        ),
    ],
    ids=["unique", "none", "takes NULL", "partial", "with more columns", "an expression", "invalid"],
)
@pytest.mark.clean
def test_by_what_key_rows_are_found_again(fill: Fill, statements: str, is_found: bool) -> None:
    url = fill(Shape.TABLE).url
    Alembic(url, x=("discard-data=yes",)).downgrade("2.0.7")  # 2.1.0's way back needs events' reference to the key
    execute(url, statements)
    if is_found:
        roll_back(url, "2.0.3")
        assert execute(url, 'SELECT count(DISTINCT phrase) FROM sidb_archive_1."columns of features"') == [(150,)]
        return
    with pytest.raises(OnlineError, match=r"public\.features has no key: the values of ") as refused:
        roll_back(url, "2.0.3")
    assert refused.value.next_step.startswith("give it a primary key; or copy the values aside by hand")
    assert execute(url, "SELECT count(*) FROM public.features WHERE analytics_version = 2") == [(150,)]


@pytest.mark.clean
def test_hot_niches_without_a_key(fill: Fill) -> None:
    """A row without a niche is nobody's, and of two of one niche one is kept: Phase 1 makes all of them anew."""
    url = fill(Shape.TABLE).url
    hot = 'SELECT count(*) FROM sidb_archive_1."columns of hot_niches_today"'
    execute(
        url,
        "ALTER TABLE public.hot_niches_today DROP CONSTRAINT IF EXISTS hot_niches_today_pkey;"
        "ALTER TABLE public.hot_niches_today ALTER niche_id DROP NOT NULL;"
        "INSERT INTO public.hot_niches_today SELECT * FROM public.hot_niches_today WHERE niche_id = 26;"
        "INSERT INTO public.hot_niches_today (phrase, demand_score, monetise_score, supply_score, opportunity,"
        " updated_at, trend_direction) VALUES ('nobody', 0, 0, 0, 0, now(), 'rising')",
    )
    [(niches,)] = execute(url, "SELECT count(DISTINCT niche_id) FROM public.hot_niches_today")
    roll_back(url, "2.0.3")
    assert execute(url, hot) == [(niches,)]
    Alembic(url).upgrade()
    assert bring_back(url).exit_code == 0


def test_an_interrupted_copy_is_begun_anew(fill: Fill) -> None:
    """It leaves nothing on the table, and holds what was written since."""
    url: URL = fill(Shape.TABLE).url

    for pattern in ("SELECT DISTINCT ON", "INSERT INTO .* SELECT .* WHERE .* IN "):
        stopped(partial(roll_back, url, None if current(url) != HEAD else "2.0.3"), pattern)
    execute(url, "UPDATE public.features SET analytics_version = 9 WHERE niche_id = 190")
    assert roll_back(url, None).exit_code == 0
    assert execute(url, VERSIONS) == [(190, 9)]
    assert execute(url, "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^sidb'") == [(0,)]
    left = "SELECT relname FROM pg_class WHERE relname LIKE 'changed %' OR relname = 'changed_niches'"
    assert execute(url, left) == []
