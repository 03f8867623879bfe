"""However a command ends, it ends in a sentence with a next step; with --json as JSON where programs read."""

import json
import os
import signal
import subprocess
from pathlib import Path

import click
import psycopg
import pytest
from alembic_online.errors import OnlineError, UsageError
from click.testing import CliRunner, Result
from sqlalchemy import URL

from operations.cli import main
from operations.endings import AFTER_CTRL_C, ending
from operations.findings import Check, exit_code
from tests.engine.conftest import current, until
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.operations.test_cli import BIN, ROOT

CHECK = Check("check", "A question.", "do something.")


def sidb(url: URL, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})


def nowhere() -> URL:
    return URL.create("postgresql+psycopg", "app", "hunter2", "127.0.0.1", 1, "sid")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["upgrade", "--deadline", "soon"], 2),
        (["upgrade", "--no-such-option"], 2),
        (["no-such-command"], 2),
        (["verify", "--sample", "200"], 2),
        (["restore", "--skip"], 2),
        (["verify"], 1),
        (["history"], 1),
        (["monitor"], 1),
        (["maintain"], 1),
        (["preflight"], 1),
        (["rollback", "1.0.0", "--yes"], 1),
        (["restore"], 1),
        (["upgrade", "--plan"], 1),
    ],
)
def test_an_error_is_text_and_json(arguments: list[str], code: int) -> None:
    done = sidb(nowhere(), *arguments, "--json")
    assert done.exit_code == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert told["exit_code"] == code
    assert done.stderr.rstrip().endswith(f"{told['error']}\nNext: {told['next_step']}")
    if "--deadline" in arguments:
        assert "--deadline" in told["error"]
        assert "-x" not in told["error"] + told["next_step"]
    assert sidb(nowhere(), *arguments).stdout == "", "without --json, standard output is for results"


def test_ctrl_c_while_it_loads(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(PRESSED, encoding="utf-8")
    done = subprocess.run([BIN / "sidb", "upgrade"], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    said = "Interrupted.\nNext: nothing was changed; run it again when you like.\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", said)


PRESSED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "operations.endings":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


def test_a_fault_of_our_own_is_a_line_without_values() -> None:
    try:
        raise ValueError("hunter2")
    except ValueError as error:
        told = ending(error, "verify")
    assert told.error.startswith("A fault of this program: ValueError at operations/test_endings.py:")
    assert "hunter2" not in str(told)
    assert told.exit_code == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OnlineError("what", "next"), 1),
        (UsageError("what", "next"), 2),
        (click.UsageError("what"), 2),
        (click.exceptions.Abort(), 1),
        (KeyboardInterrupt(), 130),
        (FileNotFoundError(2, "No such file or directory", "/nowhere"), 1),
        (psycopg.errors.UndefinedTable("relation does not exist"), 1),
    ],
)
def test_each_kind_has_its_exit_code(error: BaseException, code: int) -> None:
    told = ending(error, "upgrade")
    assert told.exit_code == code
    assert told.error
    assert told.next_step


def test_every_command_says_what_to_do_after_ctrl_c() -> None:
    only_read = {"history", "verify", "monitor", "status", "report"}
    assert AFTER_CTRL_C.keys() == main.commands.keys() - only_read


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [(["ok", "warning"], 0), (["ok", "unknown"], 3), (["unknown", "failed"], 1)],
)
def test_what_could_not_be_looked_at_is_no_success(verdicts: list[str], code: int) -> None:
    assert exit_code([getattr(CHECK, verdict)("detail") for verdict in verdicts]) == code


def test_ctrl_c_says_what_is_done_and_what_to_type(clone: Clone) -> None:
    """A session keeps 2.0.4 from its lock; Ctrl-C comes then."""
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.2")
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": conninfo(url)}
    with psycopg.connect(conninfo(url)) as blocker:
        blocker.execute("LOCK TABLE hot_niches_today IN ROW EXCLUSIVE MODE")
        command = [BIN / "sidb", "upgrade", "--json"]
        running = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with psycopg.connect(conninfo(url), autocommit=True) as looking:
            waits = "SELECT count(*) FROM sidb.step WHERE revision = '2.0.4'"
            until(lambda: (looking.execute(waits).fetchone() or (0,))[0] > 0, "the step is tried")
        running.send_signal(signal.SIGINT)
        out, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "Traceback" not in said
    told = json.loads(out)
    stays = "nothing of it stays. The database is whole at 2.0.3, and applications can use it as it is"
    assert told["error"] == f"Interrupted. Applied: 2.0.3 upgrade; 2.0.4 upgrade was not finished: {stays}."
    assert "run it again" in told["next_step"]
    assert current(url) == "2.0.3"
    assert sidb(url, "upgrade").exit_code == 0
