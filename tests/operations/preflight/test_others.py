"""What others have on Phase 1's tables is said before the first step: what stops the backfill fails, the rest warns."""

import psycopg
import pytest
from sqlalchemy import URL

from operations.phase1 import Shape
from tests.fixtures.databases import Clone, conninfo
from tests.operations.preflight.conftest import ask, execute

# Each test makes one thing of others itself; what there is with all of them at once says the last one.
pytestmark = pytest.mark.clean

CHECK = "others' triggers and rules"
FUNCTION = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$"
TRIGGER = "CREATE TRIGGER touch {} ON features FOR EACH ROW EXECUTE FUNCTION nothing()"


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("phase1_table")


def test_nothing_of_others(url: URL) -> None:
    assert ask(url, CHECK).verdict == "ok"


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        ("BEFORE UPDATE", "trigger touch: fires before each write of the backfill"),
        ("AFTER INSERT OR UPDATE", "trigger touch: fires after each write of the backfill"),
        ("BEFORE UPDATE OF phrase", None),
        ("BEFORE INSERT", None),
    ],
)
def test_triggers(url: URL, event: str, detail: str | None) -> None:
    execute(url, FUNCTION, TRIGGER.format(event))
    found = ask(url, CHECK)
    assert found.verdict == ("warning" if detail else "ok")
    if detail:
        assert detail in found.detail
        assert "UPDATE OF niche_id, phrase, " in found.remedy
        execute(url, found.remedy)
        assert ask(url, CHECK).verdict == "ok"


def test_a_trigger_on_hot_niches(url: URL) -> None:
    execute(url, FUNCTION, TRIGGER.format("BEFORE UPDATE").replace("features", "hot_niches_today"))
    found = ask(url, CHECK)
    assert found.verdict == "warning"
    assert "trigger touch on hot_niches_today: fires before each write of the backfill" in found.detail
    execute(url, found.remedy)
    assert ask(url, CHECK).verdict == "ok"


def test_a_disabled_trigger_does_not_fire(url: URL) -> None:
    execute(url, FUNCTION, TRIGGER.format("BEFORE UPDATE"), "ALTER TABLE features DISABLE TRIGGER touch")
    assert ask(url, CHECK).verdict == "ok"


def test_a_rule_for_what_the_backfill_does_not_do(url: URL) -> None:
    execute(url, "CREATE RULE noted AS ON DELETE TO features DO ALSO NOTIFY niches")
    assert ask(url, CHECK).verdict == "ok"


def test_a_child(url: URL) -> None:
    execute(url, "CREATE TABLE archive () INHERITS (features)")
    found = ask(url, CHECK)
    assert found.verdict == "warning"
    assert "table public.archive inherits from features" in found.detail


def test_a_publication(url: URL) -> None:
    execute(url, "CREATE PUBLICATION changes FOR ALL TABLES")
    found = ask(url, CHECK)
    assert found.verdict == "failed"
    assert "publication changes: hot_niches_today has no replica identity, and cannot be updated" in found.detail
    execute(url, "ALTER TABLE hot_niches_today REPLICA IDENTITY FULL")
    found = ask(url, CHECK)
    assert found.verdict == "warning"
    needed = "publication changes sends features: a subscriber that applies it needs the new columns first"
    assert needed in found.detail
    with psycopg.connect(conninfo(url)) as holder:
        holder.execute("LOCK TABLE features")
        assert ask(url, CHECK) == found, "it waits for nobody"
    execute(url, "DROP PUBLICATION changes", "CREATE PUBLICATION changes FOR TABLE features (niche_id, phrase)")
    assert ask(url, CHECK).verdict == "ok", "it sends those columns and no more"


def test_a_database_that_others_have_lived_in(clone: Clone, shape: Shape) -> None:
    found = ask(clone(f"lived_in_{shape}"), CHECK)
    assert found.verdict == "warning"
    assert "publication changes sends features: " in found.detail
    assert "table reporting.features_archive inherits from features: programs see its rows as niches" in found.detail
