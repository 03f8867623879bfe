"""A restore writes our columns alone, and rows as they were kept: where a trigger changes more, it is refused."""

import re
from collections.abc import Callable
from functools import partial

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine

from operations.phase1 import Shape
from operations.rollback import kept_columns, merge
from tests.backfill.test_others_triggers import AFTERWARDS, NOTES, TOUCH
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import counted, once
from tests.operations.rollback.conftest import Fill, bring_back, execute, roll_back, rows

PHASE1 = "SELECT niche_id, phrase, demand_score, opportunity, updated_at FROM ONLY public.features ORDER BY 1"
HOT = "SELECT niche_id, phrase, opportunity, updated_at FROM public.hot_niches_today ORDER BY 1"
CASES = {
    "features_stamp": TOUCH,
    "features_again": AFTERWARDS.format(kind="", when=""),
    "features_again, at the commit": AFTERWARDS.format(kind="CONSTRAINT", when="DEFERRABLE INITIALLY DEFERRED"),
}
ANALYSED = "SELECT count(*) FROM public.features WHERE last_analyzed_at IS NOT NULL"
HOT_STAMP = """
    CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN new.updated_at := now(); RETURN new; END $$;
    CREATE TRIGGER hot_stamp BEFORE UPDATE ON public.hot_niches_today FOR EACH ROW EXECUTE FUNCTION public.stamp()
"""


def there_and_back(engine: Engine) -> URL:
    engine.dispose()
    roll_back(engine.url, "1.0.0")
    Alembic(engine.url).upgrade()
    return engine.url


def narrowed(refused: OnlineError) -> str:
    found = re.search(r"\n  (\S+ .* TRIGGER .+);", refused.next_step)
    assert found is not None, refused.next_step
    return found[1]


@pytest.mark.parametrize("case", CASES)
def test_a_trigger_that_would_change_others_columns_is_refused_beforehand(filled: Engine, case: str) -> None:
    before = rows(filled)
    url = there_and_back(filled)
    execute(url, CASES[case])
    phase1, hot = execute(url, PHASE1), execute(url, HOT)
    with pytest.raises(OnlineError) as refused:
        bring_back(url)
    said = refused.value.what
    assert said.startswith(f"public.features: others' triggers ({case.partition(',')[0]}) would change columns")
    assert said.endswith("nothing was changed.")
    assert (execute(url, PHASE1), execute(url, HOT), execute(url, ANALYSED)) == (phase1, hot, [(0,)])
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events") == [(0,)], "nothing was exchanged"
    assert "UPDATE OF niche_id, phrase" in narrowed(refused.value)
    assert "run `sidb restore 1` again" in refused.value.next_step
    execute(url, narrowed(refused.value))
    assert bring_back(url).exit_code == 0
    assert execute(url, PHASE1) == phase1
    assert rows(filled) == before


def test_of_hot_niches_too(fill: Fill) -> None:
    engine = fill(Shape.TABLE)
    before = rows(engine)
    url = there_and_back(engine)
    execute(url, HOT_STAMP)
    hot = execute(url, HOT)
    with pytest.raises(OnlineError, match=r"public\.hot_niches_today: others' triggers \(hot_stamp\) would") as refused:
        bring_back(url)
    assert execute(url, HOT) == hot
    assert "UPDATE OF niche_id, phrase" in narrowed(refused.value)
    assert "trend_direction" not in narrowed(refused.value)
    execute(url, narrowed(refused.value))
    assert bring_back(url).exit_code == 0
    assert execute(url, HOT) == hot
    assert rows(engine) == before


def test_behind_rows_that_were_written_since(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that would be written are tried, wherever they are."""
    monkeypatch.setattr(kept_columns, "FEW", 1)
    url = there_and_back(fill(Shape.TABLE))
    execute(url, "UPDATE public.features SET analytics_version = 3 WHERE niche_id < 150")
    execute(url, TOUCH)
    with pytest.raises(OnlineError, match=r"others' triggers \(features_stamp\) would change .* in 1 of 1 rows"):
        bring_back(url)


def later(case: str) -> tuple[str, Callable[[str], str]]:
    """A trigger that the look beforehand does not meet: for some niches alone, or made afterwards."""
    if case == "some niches":
        return TOUCH.replace("FOR EACH ROW EXECUTE", "FOR EACH ROW WHEN (new.niche_id > 100) EXECUTE"), lambda _: ""
    return "", lambda _: TOUCH


@pytest.mark.parametrize("case", ["some niches", "made since"])
def test_a_batch_whose_others_columns_change_is_rolled_back(
    fill: Fill, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr(kept_columns, "FEW", 40)
    engine = fill(Shape.TABLE)
    before = rows(engine)
    url = there_and_back(engine)
    phase1 = execute(url, PHASE1)
    first, since = later(case)
    if first:
        execute(url, first)
        with pytest.raises(OnlineError) as refused:
            bring_back(url)
    else:
        made = once(r"INSERT INTO|ALTER TABLE .*SET SCHEMA|SET SCHEMA", partial(execute, url, since("")))
        with pytest.raises(OnlineError) as refused:
            counted(partial(bring_back, url), made)
    assert "public.features: others' triggers (features_stamp) changed columns that are not ours" in refused.value.what
    assert refused.value.what.endswith("That batch was rolled back.")
    assert execute(url, PHASE1) == phase1
    execute(url, narrowed(refused.value))
    assert bring_back(url).exit_code == 0
    assert execute(url, PHASE1) == phase1
    assert rows(engine) == before


def test_a_trigger_for_our_columns_has_no_narrower_one(fill: Fill) -> None:
    """Its statement is printed all the same; what it is about only its owner knows."""
    url = there_and_back(fill(Shape.TABLE))
    execute(url, NOTES)
    with pytest.raises(OnlineError, match=r"\(features_mark\) would change") as refused:
        bring_back(url)
    assert "UPDATE OF last_analyzed_at" in narrowed(refused.value)


NEWER = """
    SELECT setval('analytics.analytics_events_event_id_seq', 10000);
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    VALUES ('view', 'newer', now(), '{}', 3)
"""
ON_EVENTS = """
    CREATE FUNCTION public.theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$;
    CREATE TRIGGER theirs {} INSERT ON analytics.analytics_events FOR EACH ROW {} EXECUTE FUNCTION public.theirs();
    CREATE TRIGGER harmless BEFORE UPDATE ON analytics.analytics_events FOR EACH ROW
    EXECUTE FUNCTION suppress_redundant_updates_trigger()
"""
SHOUTS = "new.event_source := upper(new.event_source); RETURN new;"
CHANGES = {
    "sets a column": (SHOUTS, "BEFORE"),
    "leaves a row out": ("RETURN CASE WHEN new.event_id % 9 > 0 THEN new END;", "BEFORE"),
    "updates it afterwards": (
        "UPDATE analytics.analytics_events AS e SET event_source = 'WEB' WHERE e.event_id = new.event_id; RETURN NULL;",
        "AFTER",
    ),
}
EVENTS = "SELECT count(*), count(*) FILTER (WHERE event_source = 'web') FROM analytics.analytics_events"


def disabled(refused: OnlineError) -> str:
    return refused.next_step.partition(":\n")[2]


@pytest.mark.parametrize("change", CHANGES)
def test_a_trigger_that_would_change_rows_that_are_inserted(fill: Fill, change: str) -> None:
    engine = fill(Shape.TABLE)
    before = rows(engine)
    url = there_and_back(engine)
    execute(url, NEWER)
    body, when = CHANGES[change]
    execute(url, ON_EVENTS.format(body, when, ""))
    with pytest.raises(OnlineError) as refused:
        bring_back(url)
    said = refused.value.what
    assert said.startswith("analytics.analytics_events: others' triggers (theirs) would change or leave out ")
    assert said.endswith(" of 250 archived rows as they are inserted; nothing was changed.")
    assert execute(url, EVENTS) == [(1, 0)]
    assert execute(url, ANALYSED) == [(0,)]
    assert execute(url, "SELECT count(*) FROM analytics.trend_cache") == [(0,)], "nothing was exchanged"
    assert "run `sidb restore 1` again:" in refused.value.next_step
    assert disabled(refused.value).strip() == "ALTER TABLE analytics.analytics_events DISABLE TRIGGER theirs;"
    execute(url, disabled(refused.value))
    assert bring_back(url).exit_code == 0
    execute(url, "DELETE FROM analytics.analytics_events WHERE event_source = 'newer'")
    assert rows(engine) == before


@pytest.mark.parametrize("skip", [False, True])
def test_a_batch_whose_rows_are_changed_is_rolled_back(fill: Fill, monkeypatch: pytest.MonkeyPatch, skip: bool) -> None:
    monkeypatch.setattr(merge, "BATCH", 700)
    engine = fill(Shape.TABLE)
    before = rows(engine)
    url = there_and_back(engine)
    execute(url, NEWER)
    execute(url, ON_EVENTS.format(SHOUTS, "BEFORE", "WHEN (new.event_id = 1000)"))
    with pytest.raises(OnlineError) as refused:
        bring_back(url, skip=skip)
    assert "(theirs) changed or left out 1 of 700 archived rows as they are inserted. That batch" in refused.value.what
    assert "`sidb restore 1` again, which continues where it stopped" in refused.value.next_step
    assert execute(url, EVENTS) == [(701, 700)]
    execute(url, disabled(refused.value))
    assert bring_back(url, skip=skip).exit_code == 0
    execute(url, "DELETE FROM analytics.analytics_events WHERE event_source = 'newer'")
    assert rows(engine) == before


def test_triggers_that_leave_the_rows_as_they_are(fill: Fill) -> None:
    """Also where a column has another type by now."""
    engine = fill(Shape.TABLE)
    added = "ALTER TABLE analytics.analytics_events ADD COLUMN weight numeric(9, {}) DEFAULT 0.5"
    execute(engine.url, added.format(4))
    url = there_and_back(engine)
    execute(url, added.format(6))
    execute(url, NEWER)
    execute(url, ON_EVENTS.format("RETURN new;", "BEFORE", ""))
    assert bring_back(url).exit_code == 0
    assert execute(url, EVENTS) == [(3_001, 3_000)]
