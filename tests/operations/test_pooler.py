"""Every command through PgBouncer: it works in session mode, is refused in transaction mode, and leaves nothing."""

from pathlib import Path

import pytest

from operations.cli import main
from operations.commands.backfill import backfill
from tests.backfill.conftest import history, write_csv
from tests.engine.test_database import seen_by_the_application
from tests.fixtures.databases import Clone
from tests.fixtures.pooler import Pooler
from tests.operations.test_settings_matrix import sidb

COMMANDS = (
    ["preflight"],
    ["upgrade"],
    ["upgrade", "--plan"],
    ["history"],
    ["status"],
    ["verify"],
    ["backfill", "load", "{file}"],
    ["backfill", "run", "--now"],
    ["backfill", "daily"],
    ["backfill", "status"],
    ["backfill", "pause"],
    ["backfill", "resume"],
    ["backfill", "retry"],
    ["backfill", "verify"],
    ["backfill", "finish"],
    ["erase", "somebody", "--yes"],
    ["maintain"],
    ["retention"],
    ["retention", "--keep", "analytics_events=24 months"],
    ["monitor"],
    ["report"],
    ["rollback", "1.0.0", "--yes"],
    ["rollback", "--abort"],
    ["restore"],
    ["restore", "1"],
    ["restore", "--drop", "1", "--yes"],
    ["rehearse", "--yes"],
)
WITHOUT = {"demo", "export-sql", "server"}
"""Commands that reach no database, or their own."""


def test_no_command_is_forgotten() -> None:
    assert set(main.commands) - WITHOUT == {command[0] for command in COMMANDS}
    assert set(backfill.commands) == {command[1] for command in COMMANDS if command[0] == "backfill"}


def test_in_transaction_mode_every_command_is_refused(clone: Clone, pooler: Pooler, tmp_path: Path) -> None:
    through = pooler(clone("migrated_table"), "transaction")
    file = str(write_csv(tmp_path / "history.csv", history(20)))
    before = seen_by_the_application(through)
    for command in COMMANDS:
        told = sidb(through, *(file if word == "{file}" else word for word in command), code=1)
        assert "may give each transaction another session of the server" in told.replace("\n", " "), (command, told)
        assert seen_by_the_application(through) == before, command


@pytest.mark.parametrize("query", ["DISCARD ALL", ""], ids=["resets", "does not reset"])
def test_in_session_mode_the_whole_way_is_right(clone: Clone, pooler: Pooler, tmp_path: Path, query: str) -> None:
    through = pooler(clone("phase1_table"), "session", server_reset_query=query)
    file = str(write_csv(tmp_path / "history.csv", [event for event in history(600) if event[5]]))
    before = seen_by_the_application(through)
    for command, code in (
        (["preflight", "--rows", "1000"], None),
        (["upgrade"], 0),
        (["verify"], 0),
        (["backfill", "load", file], 0),
        (["backfill", "run", "--all", "--now", "--as-of", "2025-05-31"], 0),
        (["backfill", "verify"], 0),
        (["erase", "u1", "--yes"], 0),
        (["maintain"], 0),
        (["monitor"], None),
        (["history"], 0),
        (["status"], None),
        (["rollback", "2.0.0", "--yes"], 0),
        (["upgrade"], 0),
        (["restore", "1"], 0),
        (["verify"], 0),
    ):
        sidb(through, *command, code=code)
        assert seen_by_the_application(through) == before, command
