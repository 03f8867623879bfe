"""`sidb rollback` and `sidb restore` as programs."""

import json

from click.testing import CliRunner

from operations.cli import main
from operations.phase1 import Shape
from tests.engine.conftest import current
from tests.fixtures.databases import conninfo
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import Fill, execute
from tests.operations.test_upgrade import sidb


def test_there_and_back_again(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    assert sidb(url, "restore").stdout == "No rollback put anything aside here.\n"
    asked = sidb(url, "rollback", "1.0.0")
    assert asked.returncode == 1, "asked, and not answered"
    lines = [line.split() for line in asked.stdout.splitlines()]
    assert ["2.0.0", "table", "analytics_events", "kept", "3,000"] in [line[:5] for line in lines]
    assert ["2.0.4", "column", "features.trend_vector", "kept"] in lines
    assert "Roll back now?" in asked.stdout
    assert current(url) == HEAD

    done = sidb(url, "rollback", "1.0.0", "--yes", SIDB_WINDOW="Mon 00:00-Mon 00:01 UTC")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "Next: when what led to the rollback is put right, `sidb upgrade` and `sidb restore 1`" in told
    assert done.stderr == ""
    listed = json.loads(sidb(url, "restore", "--json").stdout)["tables"]
    assert len(listed) == 10
    assert {line["state"] for line in listed} == {"archived"}

    refused = sidb(url, "restore", "1")
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (1, "Next: sidb upgrade, and then restore.")
    assert sidb(url, "upgrade").returncode == 0
    restored = json.loads(sidb(url, "restore", "1", "--json").stdout)
    assert {each["verdict"] for each in restored["findings"]} == {"ok"}
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events") == [(3_000,)]
    assert sidb(url, "restore", "--drop", "1").returncode == 1, "asked, and not answered"
    assert sidb(url, "restore", "--drop", "1", "--yes").stdout == "Archive 1 is deleted.\n"


def test_wrong_use(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    for arguments, complaint in (
        (["rollback"], "To which revision?\nNext: sidb rollback 1.0.0 goes back to Phase 1."),
        (["rollback", "3.0.0"], "3.0.0 is not a revision."),
        (["rollback", HEAD], f"The database is at {HEAD}: {HEAD} is not before it."),
        (["rollback", "1.0.0", "--json"], "--json does not ask."),
        (["rollback", "--abort"], "No rollback was interrupted."),
        (["restore", "7"], "There is no archive 7."),
        (["restore", "--skip"], "Which archive?"),
    ):
        result = CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})
        assert (result.exit_code, result.stderr.startswith(complaint)) == (2, True), result.stderr
