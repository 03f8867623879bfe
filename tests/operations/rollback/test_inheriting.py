"""A table of others that inherits from features: its rows are theirs, and what its columns of ours hold is not lost."""

import re
from functools import partial

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL

from operations.phase1 import Shape
from operations.rollback.rollback import prepare
from tests.engine.conftest import current
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import counted, once
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import Fill, bring_back, execute, finding, roll_back, rows

CHILD = """
    CREATE TABLE public.archived_niches (PRIMARY KEY (niche_id)) INHERITS (public.features);
    INSERT INTO public.archived_niches (niche_id, phrase, demand_score, updated_at)
    SELECT niche_id, 'as it was', 0.5, '2025-01-01Z' FROM ONLY public.features WHERE niche_id IN (3, 4, 190);
    INSERT INTO public.archived_niches (niche_id, phrase, updated_at) VALUES (9001, 'only archived', '2025-01-01Z');
    CREATE FUNCTION public.theirs() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'written to a row of theirs'; END $$;
    CREATE TRIGGER theirs BEFORE INSERT OR UPDATE OR DELETE ON public.archived_niches
    FOR EACH ROW EXECUTE FUNCTION public.theirs()
"""
VALUES = """
    ALTER TABLE public.archived_niches DISABLE TRIGGER theirs;
    UPDATE public.archived_niches SET trend_vector = '[["2025-01-01", 7]]', analytics_version = 5 WHERE niche_id = 3;
    ALTER TABLE public.archived_niches ENABLE TRIGGER theirs
"""
COPY = 'sidb_archive_1."columns of features"'
THEIRS = "SELECT to_jsonb(a) FROM public.archived_niches AS a ORDER BY niche_id"
PROGRESS = """
    SELECT rows_restored, rows_left FROM sidb.rollback_archived WHERE relation = 'public.features'
"""
DETACH = "ALTER TABLE public.archived_niches NO INHERIT public.features"
ATTACH = "ALTER TABLE public.archived_niches INHERIT public.features"


def test_neither_copied_nor_written(fill: Fill, shape: Shape) -> None:
    engine = fill(shape)
    url = engine.url
    before = rows(engine)
    execute(url, CHILD)
    engine.dispose()
    theirs = execute(url, THEIRS)
    roll_back(url, "1.0.0")
    assert execute(url, f"SELECT count(*), min(analytics_version) FROM {COPY}") == [(150, 2)]  # noqa: S608
    Alembic(url).upgrade()
    found = bring_back(url)
    assert "public.features 150 rows" in finding(found, "restored").detail
    assert "left in the archive" not in finding(found, "restored").detail
    assert execute(url, PROGRESS) == [(150, 0)]
    assert execute(url, THEIRS) == theirs
    execute(url, "ALTER TABLE public.archived_niches NO INHERIT public.features")
    assert rows(engine) == before


def test_what_is_written_after_the_copy_is_ours_alone(fill: Fill) -> None:
    """The copy of a row that both have is not made twice."""
    url = fill(Shape.TABLE).url
    execute(url, CHILD)
    change = "UPDATE ONLY public.features SET analytics_version = 9 WHERE niche_id IN (3, 190)"
    behind = once(r"LOCK TABLE .*features.* ACCESS EXCLUSIVE", partial(execute, administrator(url), change))
    is_copied = False

    def look(number: int, text: str) -> None:
        nonlocal is_copied
        if is_copied:
            behind(number, text)
        is_copied = is_copied or ("SELECT DISTINCT ON" in text and "'features'" in text)

    counted(partial(roll_back, url, "2.0.3"), look)
    kept = f"SELECT niche_id, analytics_version FROM {COPY} WHERE niche_id IN (3, 190) ORDER BY 1"  # noqa: S608
    assert execute(url, kept) == [(3, 9), (190, 9)]


def detach(url: URL, refused: OnlineError) -> None:
    """By the statements that the refusal names."""
    statements = re.findall(r"\n  (.+);", refused.next_step.partition("\nAfter a later")[0])
    assert statements
    for statement in statements:
        execute(url, statement)


def there_and_back(url: URL) -> None:
    assert roll_back(url, None if current(url) != HEAD else "1.0.0").exit_code == 0
    Alembic(url).upgrade()
    assert bring_back(url).exit_code == 0


def test_values_that_would_go_with_our_columns_are_refused_beforehand(fill: Fill) -> None:
    """And by the statement that is named they stay where they are."""
    engine = fill(Shape.TABLE)
    url = engine.url
    before = rows(engine)
    execute(url, CHILD + ";" + VALUES)
    engine.dispose()
    theirs = execute(url, THEIRS)
    with pytest.raises(OnlineError) as refused:
        prepare(url, "1.0.0")
    assert refused.value.what.splitlines() == [
        "Tables of others that inherit from ours hold values in columns that would go; nothing was changed.",
        "  public.archived_niches: trend_vector, analytics_version of public.features",
    ]
    assert f"{DETACH};" in refused.value.next_step
    assert f"{ATTACH};" in refused.value.next_step
    prepare(url, "2.0.4")  # which drops none of them
    assert (execute(url, THEIRS), current(url)) == (theirs, HEAD)
    with pytest.raises(OnlineError, match=r"public\.features\.trend_vector: holds values"):
        Alembic(url, x=()).downgrade("2.0.3")
    detach(url, refused.value)
    there_and_back(url)
    assert execute(url, THEIRS) == theirs
    assert rows(engine) == before
    execute(url, ATTACH)
    assert execute(url, THEIRS) == theirs


@pytest.mark.parametrize("at", ["SELECT DISTINCT ON", r"LOCK TABLE .*features.* ACCESS EXCLUSIVE"])
def test_values_that_are_written_while_a_rollback_is_at_work(fill: Fill, at: str) -> None:
    engine = fill(Shape.TABLE)
    url = engine.url
    execute(url, CHILD)
    engine.dispose()
    with pytest.raises(OnlineError, match=r"hold values in columns that would go; the step was rolled back") as refused:
        counted(partial(roll_back, url, "2.0.3"), once(at, partial(execute, url, VALUES)))
    assert f"{DETACH};" in refused.value.next_step
    theirs = execute(url, THEIRS)
    assert [row["analytics_version"] for (row,) in theirs] == [5, 0, 0, 0]
    detach(url, refused.value)
    there_and_back(url)
    assert execute(url, THEIRS) == theirs


def test_a_niche_that_only_they_have_is_gone(fill: Fill) -> None:
    """No key refers to a row of theirs: what the archive holds of it is named before anything comes back."""
    url = fill(Shape.TABLE).url
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    execute(
        url,
        "CREATE TABLE public.archived_niches (PRIMARY KEY (niche_id)) INHERITS (public.features);"
        "INSERT INTO public.archived_niches (niche_id, phrase) VALUES (60, 'archived');"
        "DELETE FROM ONLY public.features WHERE niche_id = 60;"
        "DELETE FROM sidb_archive_1.analytics_events WHERE niche_id = 60",
    )
    with pytest.raises(
        OnlineError, match=r"trend_cache: 1 rows whose niche_id is gone from public\.features"
    ) as refused:
        bring_back(url)
    assert "nothing was changed" in refused.value.what
    assert bring_back(url, skip=True).exit_code == 0
    assert execute(url, "SELECT count(*) FROM analytics.trend_cache") == [(59,)]
