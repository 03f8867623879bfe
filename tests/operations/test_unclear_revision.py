"""Where Alembic's table does not say at which revision the database is, every command says so, and what helps."""

import re
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL

from operations.cli import main
from tests.engine.conftest import current
from tests.fixtures import programs
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import execute
from tests.operations.test_situations import said, told

AGAIN = "type it in this project's directory, then the same command again"
STEPS_UNKNOWN = {"privileges", "dependants", "lock table", "partitioning"}
"""What a preflight says of the steps to come where nobody knows which these are."""


def alembic(url: URL, command: str) -> "CompletedProcess[str]":
    return programs.run("alembic", command, env={"DATABASE_URL": conninfo(url)})


def unseen(preflight: Result) -> set[str]:
    """The checks of which a preflight says that they are unknown."""
    return set(re.findall(r"^unknown +(.*?)  ", preflight.stdout, re.MULTILINE))


@pytest.mark.parametrize("at", ["2.0.3", HEAD])
@pytest.mark.clean
def test_two_rows_of_alembic(clone: Clone, at: str) -> None:
    """The ledger knows which of them is right: what is typed leads to where the database is."""
    url = clone("phase1_table")
    Alembic(url).upgrade(at)
    execute(url, f"INSERT INTO public.alembic_version VALUES ('{HEAD if at == '2.0.3' else '2.0.3'}')")  # noqa: S608
    right = (
        f"`alembic stamp --purge {at}` writes {at}, to which the last recorded step led, in place of these rows,"
        " and nothing else; type it in this project's directory, then the same command again."
    )
    what = f"public.alembic_version has 2 rows (2.0.3, {HEAD}), and should have one; applications do not read it"
    for command in (
        ["upgrade"],
        ["maintain"],
        ["backfill", "run"],
        ["retention", "--off", "analytics_events"],
        ["erase", "ann", "--yes"],
        ["restore", "1"],
        ["restore", "--drop", "1", "--yes"],
    ):
        assert said(url, *command) == f"{what}; this command changed nothing.\nNext: {right}\n"
    for command in (["maintain", "--dry-run"], ["backfill", "status"], ["retention"], ["history"]):
        assert told(url, *command).stderr == f"{what}: {right}\n", command
    checked, shown = (alembic(url, command) for command in ("check", "current"))
    assert f"at which revision the database is, is not known; nothing was changed.\nNext: {right}\n" in checked.stdout
    assert f"at which revision the database is, is not known; nothing was changed.\nNext: {right}\n" in shown.stderr
    assert shown.returncode == 0
    looked = CliRunner().invoke(main, ["preflight"], env={"DATABASE_URL": conninfo(url)})
    assert looked.stderr.startswith(f"{what}: {right}\n")
    assert " ".join(looked.stdout.split()).endswith(f" Next: {right[:-1]}")
    assert unseen(looked) >= STEPS_UNKNOWN
    for command in ("verify", "rollback"):
        read = said(url, command, *(["1.0.0"] if command == "rollback" else []))
        assert read.endswith(f"nothing was changed.\nNext: {right}\n")
    execute(url, "UPDATE sidb.step SET outcome = 'missed'")  # as where exported files were run
    assert said(url, "upgrade").endswith(
        f"\nNext: `alembic stamp --purge 2.0.3` or `alembic stamp --purge {HEAD}`, by what the database holds, writes"
        " that in place of these rows, and nothing else (no step is recorded that led to any of them);"
        f" {AGAIN}.\n"
    )


@pytest.mark.clean
def test_a_revision_that_nobody_knows(clone: Clone) -> None:
    url = clone("migrated_table")
    execute(url, "UPDATE public.alembic_version SET version_num = '9.9.9'")
    step = (
        f"use the version of this project that has it; or `alembic stamp --purge {HEAD}` writes {HEAD}, to which the"
        f" last recorded step led, in place of it, and nothing else; {AGAIN}.\n"
    )
    what = "The database is at 9.9.9, which this code does not have"
    for command in (["upgrade"], ["maintain"], ["restore", "1"], ["restore", "--drop", "1", "--yes"]):
        assert said(url, *command) == f"{what}; this command changed nothing.\nNext: {step}", command
    for command in (["rollback", "1.0.0", "--yes"], ["upgrade", "--plan"]):
        assert said(url, *command).endswith(f"{what}; nothing was changed.\nNext: {step}"), command
    for command in (["maintain", "--dry-run"], ["erase", "ann", "--dry-run"], ["history"]):
        assert told(url, *command).stderr == f"{what}: {step}", command
    looked = CliRunner().invoke(main, ["preflight"], env={"DATABASE_URL": conninfo(url)})
    assert unseen(looked) >= STEPS_UNKNOWN
    assert " ".join(looked.stdout.split()).endswith(f" Next: {step.rstrip().rstrip('.')}")
    for each in ("check", "current"):
        assert alembic(url, each).stdout.endswith(f"which this code does not have; nothing was changed.\nNext: {step}")
    programs.run("alembic", "stamp", "--purge", HEAD, env={"DATABASE_URL": conninfo(url)}, code=0)
    assert current(url) == HEAD


@pytest.mark.clean
@pytest.mark.parametrize("lost", ["DELETE FROM public.alembic_version", "DROP TABLE public.alembic_version"])
def test_no_row_of_alembic(clone: Clone, lost: str) -> None:
    """An upgrade would begin at Phase 1, and advise to drop what Phase 2 added."""
    url = clone("migrated_table")
    execute(url, lost)
    right = f"`alembic stamp {HEAD}` writes {HEAD}, to which the last recorded step led, into it, and nothing"
    commands = ("upgrade", "maintain", "backfill run", "rollback 1.0.0 --yes", "rollback 1.0.0 --yes --json")
    for command in map(str.split, commands):
        read = said(url, *command)
        assert "though Phase 2 is there; this command changed nothing.\n" in read, command
        assert f"\nNext: {right} else; {AGAIN}.\n" in read, command
    for run in (["upgrade", "head"], ["downgrade", "base"], ["check"]):
        refused = programs.run("alembic", *run, env={"DATABASE_URL": conninfo(url)})
        assert f" is there; nothing was changed.\nNext: {right} else; {AGAIN}.\n" in refused.stdout, run
    looked = CliRunner().invoke(main, ["status"], env={"DATABASE_URL": conninfo(url)})
    assert f"Next: {right} else; type it in this project's directory, then the same command again" in " ".join(
        looked.stdout.split()
    )
    programs.run("alembic", "stamp", HEAD, env={"DATABASE_URL": conninfo(url)}, code=0)
    assert current(url) == HEAD
    assert told(url, "upgrade").stderr == ""
    Alembic(url).downgrade("base")
    assert told(url, "upgrade").stderr == "", "a way back leads to no row, too"
