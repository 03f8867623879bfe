"""What `sidb erase` says of what others have: their triggers, their payloads, their tables."""

import json

from sqlalchemy import Engine

from tests.fixtures.lived_in import administrator
from tests.operations.erasure.conftest import ANN, ANNA, EVENTS, TABLE, fill, of, sidb
from tests.operations.rollback.conftest import execute


def test_triggers_of_others_that_saw_the_rows_go_are_named(migrated: Engine) -> None:
    url = migrated.url
    fill(url)
    assert "a trigger of others" not in sidb(url, "nobody", "--yes").stdout
    execute(administrator(url), AUDIT)
    said = sidb(url, ANN, "--yes").stdout
    assert "what a trigger of others has written elsewhere: audit on analytics.analytics_events" in said
    execute(administrator(url), "ALTER TABLE analytics.analytics_events DISABLE TRIGGER audit")
    assert "a trigger of others" not in sidb(url, ANN, "--yes").stdout


AUDIT = """
    CREATE TABLE public.audited (what jsonb);
    CREATE FUNCTION public.audit() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO public.audited VALUES (to_jsonb(OLD)); RETURN NULL; END $$;
    CREATE TRIGGER audit AFTER DELETE ON analytics.analytics_events
    FOR EACH ROW EXECUTE FUNCTION public.audit()
"""


def test_what_others_triggers_say_is_told_without_the_id(migrated: Engine) -> None:
    url = migrated.url
    fill(url)
    execute(administrator(url), REFUSES)
    done = sidb(url, ANN, "--yes")
    assert done.exit_code == 1
    assert "The erasure was stopped: " in done.stderr
    assert "(an id) stays" in done.stderr
    assert ANN not in done.output
    execute(administrator(url), "DROP FUNCTION public.refuse() CASCADE")
    assert sidb(url, "--resume", "--yes").exit_code == 0
    assert (of(url, TABLE, ANN), of(url, TABLE, ANNA)) == (0, EVENTS)


REFUSES = """
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE '% stays', OLD.user_id; END $$;
    CREATE TRIGGER refuse BEFORE DELETE ON analytics.content_recommendations
    FOR EACH ROW EXECUTE FUNCTION public.refuse()
"""


def test_ids_in_payloads_of_others_are_told_and_stay(migrated: Engine) -> None:
    url = migrated.url
    fill(url, (ANNA,))
    named = 'UPDATE analytics.analytics_events SET event_data = \'{"with": ["%s"]}\' WHERE niche_id = %s'
    execute(url, named % (ANN, 1))
    execute(url, named % (ANNA, 2))
    [(rows,)] = execute(url, "SELECT count(*) FROM analytics.analytics_events WHERE niche_id = 1")
    done = json.loads(sidb(url, ANN, "--yes", "--json").stdout)
    assert sum(each["rows"] for each in done["mentions"]) == rows
    assert {each["column"] for each in done["mentions"]} == {"event_data"}
    assert all(each["keys"] for each in done["mentions"])
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events WHERE niche_id = 1") == [(rows,)]


def test_tables_of_others_are_named(migrated: Engine) -> None:
    """Whatever holds rows: tables by their parent, materialized views, and what is elsewhere; no plain view."""
    execute(administrator(migrated.url), ACCOUNTS)
    done = json.loads(sidb(migrated.url, ANN, "--yes", "--json").stdout)
    assert done["tables_of_others"] == ["public.accounts", "public.active", "public.far", "public.visits"]


ACCOUNTS = """
    CREATE TABLE public.accounts (user_id text); CREATE VIEW public.seen AS SELECT user_id FROM public.accounts;
    CREATE MATERIALIZED VIEW public.active AS SELECT user_id FROM public.accounts;
    CREATE TABLE public.visits (user_id text) PARTITION BY LIST (user_id);
    CREATE TABLE public.all_visits PARTITION OF public.visits DEFAULT; CREATE FOREIGN DATA WRAPPER nothing;
    CREATE SERVER there FOREIGN DATA WRAPPER nothing; CREATE FOREIGN TABLE public.far (user_id text) SERVER there
"""
