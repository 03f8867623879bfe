"""`sidb upgrade` and `sidb history` as programs."""

import json
import subprocess

import pytest
from sqlalchemy import URL

from tests.engine.conftest import catalog, current, run
from tests.fixtures import programs
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.revisions import HEAD, REVISIONS
from tests.operations.rollback.conftest import execute


def sidb(url: URL, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return programs.run("sidb", *arguments, env={"DATABASE_URL": conninfo(url), **environment})


def test_plan_upgrade_history(clone: Clone, inhabited: bool) -> None:
    url = clone("phase1_table")
    before = catalog(url)
    planned = json.loads(sidb(url, "upgrade", "2.0.0", "--plan", "--json").stdout)
    assert planned["current"] is None
    assert [step["revision"] for step in planned["steps"]] == ["1.0.0", "2.0.0"]
    assert planned["steps"][1]["locks"] == {"public.features": "ShareRowExclusiveLock"}
    assert "CREATE TABLE analytics.analytics_events" in planned["steps"][1]["sql"]
    shown = sidb(url, "upgrade", "--plan").stdout
    assert "\n2.0.4  Modify existing tables\n  locks public.features: AccessExclusiveLock\n" in shown
    assert sidb(url, "history").stdout == "No migration was run here yet.\n"
    assert (catalog(url), current(url)) == (before, None)

    done = sidb(url, "upgrade", "2.0.0")
    assert done.returncode == 0
    *of_others, first, second, stands, _, following = done.stdout.splitlines()
    assert bool(of_others) == inhabited
    assert first.startswith("1.0.0 upgrade: done in ")
    assert second.startswith("2.0.0 upgrade: done in ")
    assert second.endswith("no session was blocked")
    assert (stands, following) == ("The database is at 2.0.0, and applications can use it.", "Next: sidb verify")
    assert done.stderr == ""
    rest = json.loads(sidb(url, "upgrade", "--json").stdout)
    assert [step["revision"] for step in rest["steps"]] == list(REVISIONS[2:])
    assert sidb(url, "upgrade").stdout == "There is nothing to do.\n\nNext: sidb verify\n"

    kept = json.loads(sidb(url, "history", "--json").stdout)
    assert {step["outcome"] for step in kept["steps"]} == {"applied"}
    header, *lines = sidb(url, "history").stdout.splitlines()
    assert header.split() == ["step", "outcome", "started", "seconds", "waited", "attempts", "blocked"]
    assert [line.split()[:3] for line in lines][-1] == [HEAD, "upgrade", "applied"]


def test_what_it_refuses(clone: Clone) -> None:
    url = clone("phase1_table")
    for arguments, environment, complaint in (
        (["--deadline", "5"], {}, "--deadline is '5', which is not a time."),
        (["9.9"], {}, "Can't locate revision identified by '9.9'"),
        ([], {"SIDB_WINDOW": "whenever"}, "SIDB_WINDOW is 'whenever', which is not a maintenance window."),
        ([], {"SIDB_WINDOW": "00:00-06:00 Middle/Earth"}, "names a time zone that the server does not know."),
    ):
        refused = sidb(url, "upgrade", *arguments, **environment)
        assert refused.returncode > 0
        what, next_step = refused.stderr.splitlines()
        assert complaint in what
        assert next_step.startswith("Next: ")
        assert refused.stdout == ""
    assert current(url) is None


def test_a_wrong_password(clone: Clone) -> None:
    refused = sidb(clone("phase1_table").set(username="stranger", password="hunter2"), "upgrade")  # noqa: S106
    assert refused.returncode == 1
    assert 'role "stranger" does not exist' in refused.stderr
    assert "hunter2" not in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.clean
def test_a_role_whose_name_needs_quotes(clone: Clone) -> None:
    """In a schema of records that is another's: what it makes there is given to that one."""
    url = clone("phase1_table")
    name = f'Deploy"{url.database}"'
    role = '"' + name.replace('"', '""') + '"'
    other = f'"Other {url.database}"'
    run(
        url,
        f"CREATE ROLE {role} LOGIN CREATEDB CREATEROLE; CREATE ROLE {other}; GRANT {other} TO {role}",
        f"ALTER TABLE public.features OWNER TO {role}; ALTER TABLE public.hot_niches_today OWNER TO {role}",
        f"ALTER DATABASE {url.database} OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role}",
        f"CREATE SCHEMA sidb AUTHORIZATION {other}",
    )
    theirs = url.set(username=name)
    for command in (
        ["upgrade"],
        ["backfill", "pause"],
        ["backfill", "resume"],
        ["retention", "--keep", "analytics_events=24 months"],
        ["maintain"],
        ["rollback", "1.0.0", "--yes"],
    ):
        done = sidb(theirs, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'sidb'"
    assert execute(url, owners) == [(f"Other {url.database}",)]
    run(url, f"REASSIGN OWNED BY {role}, {other} TO postgres; DROP OWNED BY {role}, {other}; DROP ROLE {role}, {other}")
