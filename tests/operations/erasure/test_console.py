"""`sidb erase` as a program: what it asks, what it says, and that no id is in it."""

import json
import os
import re
import resource
import shlex
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine

from tests.backfill.conftest import load_file, write_csv
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone
from tests.fixtures.ended import counted
from tests.fixtures.lived_in import administrator
from tests.fixtures.pooler import Pooler
from tests.fixtures.roles import Login
from tests.operations.erasure.conftest import ANN, ANNA, EVENTS, TABLE, fill, history, of, sidb
from tests.operations.rollback.conftest import execute, pressed


def test_the_whole_of_it(migrated: Engine, tmp_path: Path) -> None:
    url, file = migrated.url, tmp_path / "certificate.json"
    fill(url)
    counts = sidb(url, ANN, "--dry-run")
    assert counts.exit_code == 0, counts.output
    assert ["analytics.analytics_events", "40"] in [line.split() for line in counts.stdout.splitlines()]
    assert execute(url, "SELECT to_regclass('sidb.erased_user') IS NULL") == [(True,)]
    asked = sidb(url, ANN, given="n\n")
    assert (asked.exit_code, of(url, TABLE, ANN)) == (1, EVENTS)
    assert "Not confirmed; nothing was changed." in asked.stderr
    done = sidb(url, "--file", "-", "--certificate", str(file), "--yes", given=f"{ANN}\n\n{ANN}\r\n")
    assert done.exit_code == 0, done.output
    assert "Erasure no. 1 (1 user)" in done.stdout
    assert f"Next: keep {file} where backups are not" in done.stdout.replace("\n", " ")
    assert ANN not in done.output
    assert (of(url, TABLE, ANN), of(url, TABLE, ANNA)) == (0, EVENTS)
    repeated = sidb(url, "--again", str(file), "--json", "--yes")
    assert json.loads(repeated.stdout)["users"] == 1


def test_ids_from_a_file(migrated: Engine, tmp_path: Path) -> None:
    url, file = migrated.url, tmp_path / "ids.txt"
    fill(url)
    file.write_text(f"\ufeff{ANN}\n{ANNA}\n", encoding="utf-8")
    found = json.loads(sidb(url, "--file", str(file), "--dry-run", "--json").stdout)
    assert found["users"] == 2
    assert {"table": TABLE, "rows": 2 * EVENTS} in found["tables"]
    done = json.loads(sidb(url, "--file", str(file), "--yes", "--json").stdout)
    assert (done["users"], done["left"], len(done["again"][0]["hashes"])) == (2, 0, 2)


def test_an_id_is_who_it_names_and_nobody_else(migrated: Engine) -> None:
    """With a newline at its end it is another one; a byte order mark on standard input is none of it."""
    url = migrated.url
    fill(url)
    assert sidb(url, f"{ANN}\n", "--yes").exit_code == 0
    assert of(url, TABLE, ANN) == EVENTS
    assert sidb(url, "--file", "-", "--yes", given=f"\ufeff{ANN}\r\n").exit_code == 0
    assert of(url, TABLE, ANN) == 0


@pytest.mark.parametrize("given", ["argument", "file", "input"])
def test_ids_that_are_not_utf8(migrated: Engine, tmp_path: Path, given: str) -> None:
    url = migrated.url
    fill(url)
    file = tmp_path / "ids.txt"
    file.write_bytes(b"ann\xff\n")
    if given == "argument":
        done = sidb(url, os.fsdecode(b"ann\xff"), "--yes")
    elif given == "file":
        done = sidb(url, "--file", str(file), "--yes")
    else:
        done = sidb(url, "--file", "-", "--yes", given=file.read_bytes())
    assert (done.exit_code, "not UTF-8" in done.stderr) == (2, True), done.output
    assert execute(url, "SELECT to_regclass('sidb.erasure') IS NULL") == [(True,)]


def test_a_disk_that_is_full_leaves_no_half_certificate(migrated: Engine, tmp_path: Path) -> None:
    url, file = migrated.url, tmp_path / "certificate.json"
    fill(url)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        told = False
        try:
            done = sidb(url, ANN, "--yes", "--certificate", str(file))
            told = done.exit_code == 1 and "sidb erase --resume --certificate" in done.stderr
        finally:
            os._exit(0 if told else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not file.exists()
    assert sidb(url, "--resume", "--yes", "--certificate", str(file)).exit_code == 0
    assert json.loads(file.read_text())["users"] == 1


@pytest.mark.parametrize("file", [None, "a file.json"])
def test_ctrl_c(migrated: Engine, tmp_path: Path, file: str | None) -> None:
    """It says whether the erasure was begun; what is typed then finishes it, and asks nothing more."""
    url = migrated.url
    fill(url)
    command = ["erase", ANN, "--yes", *(["--certificate", str(tmp_path / file)] if file else [])]
    assert pressed(url, "INSERT INTO sidb.erasure ", *command).stderr == (
        "Interrupted before it was begun; nothing was changed.\nNext: run it again when you like, which is safe.\n"
    )
    assert of(url, TABLE, ANN) == EVENTS
    read = pressed(url, "DELETE FROM", *command).stderr
    assert read.startswith("Interrupted. The erasure is begun, and cannot be called off: load, backfill and restore")
    [typed] = re.findall(r"\nNext: `sidb erase (.*)` finishes it, which is safe", read)
    assert ("where you keep backups, `sidb erase --resume --certificate FILE`: with FILE it is repeated" in read) == (
        file is None
    )
    done = sidb(url, *shlex.split(typed))
    assert (done.exit_code, of(url, TABLE, ANN)) == (0, 0), done.output
    assert file is None or (tmp_path / file).exists()
    assert sidb(url, "--resume").stderr == "No erasure was interrupted.\nNext: sidb erase USER_ID…\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "There is no id of a user."),
        (["u", "--resume"], "Ids, --again and --resume exclude one another."),
        (["u", "--json"], "--json does not ask."),
        (["u", "--yes", "--certificate", ""], "--certificate names no file."),
        (["--again", "--resume"], "Ids, --again and --resume exclude one another."),
        (["--again"], "Which certificate?"),
        (["--resume", "--yes"], "No erasure was interrupted."),
        (["--resume", "--dry-run"], "--dry-run needs the ids."),
    ],
)
def test_wrong_use(migrated: Engine, arguments: list[str], complaint: str) -> None:
    done = sidb(migrated.url, *arguments)
    assert (done.exit_code, done.stderr.startswith(complaint)) == (2, True), done.output


def test_a_file_that_is_not_there(migrated: Engine) -> None:
    for option in ("--file", "--again"):  # of which the one takes a value, the other's are arguments
        done = sidb(migrated.url, option, "/nowhere/ids", "--yes")
        assert (done.exit_code, "/nowhere/ids: No such file or directory." in done.stderr) == (1, True)


@pytest.mark.clean
def test_a_standby(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("migrated_table")
    cluster.caught_up()
    assert url.database is not None
    done = sidb(cluster.replica_url(url.database), ANN, "--yes")
    assert (done.exit_code, " is a standby" in done.stderr, "nothing was changed" in done.stderr) == (1, True, True)


@pytest.mark.clean
def test_a_pooler_in_transaction_mode(clone: Clone, pooler: Pooler) -> None:
    done = sidb(pooler(clone("migrated_table"), "transaction"), ANN, "--yes")
    assert (done.exit_code, "through a pooler in transaction mode" in done.stderr) == (1, True)


def test_a_role_that_may_not_do_all_of_it(migrated: Engine, login: Login) -> None:
    """It is told before the first row goes."""
    url = migrated.url
    fill(url)
    execute(url, "CREATE SCHEMA IF NOT EXISTS sidb")
    role = login("analytics_writer")
    done = sidb(role, ANN, "--yes")
    assert done.exit_code == 1
    assert done.stderr.startswith("This role may not do all that an erasure does; nothing was changed.\n")
    assert "GRANT SELECT, UPDATE ON public.features TO" in done.stderr
    assert of(url, TABLE, ANN) == EVENTS


def test_what_an_administrator_creates_belongs_to_who_owns_the_records(
    migrated: Engine, login: Login, tmp_path: Path
) -> None:
    """Or an erasure of the administrator's would shut the owner out of the backfill."""
    url, owner = administrator(migrated.url), str(login().username)
    fill(url)
    execute(url, f"CREATE SCHEMA IF NOT EXISTS sidb; ALTER SCHEMA sidb OWNER TO {owner}")
    before = dict(execute(url, OWNERS))
    assert sidb(url, ANN, "--yes").exit_code == 0
    load_file(create_engine(url, poolclass=NullPool), write_csv(tmp_path / "a.csv", history(rows=20)))
    made = {name: role for name, role in execute(url, OWNERS) if name not in before}
    execute(url, f"REASSIGN OWNED BY {owner} TO CURRENT_USER")
    assert {"erasure", "erased_user", "backfill_events", "backfill_files"} <= made.keys()
    assert set(made.values()) == {owner}


OWNERS = """
    SELECT relname::text, pg_get_userbyid(relowner)::text FROM pg_class
    WHERE relnamespace = 'sidb'::regnamespace AND relkind = 'r'
"""


@pytest.mark.clean
def test_rows_that_a_policy_hides(migrated: Engine, login: Login) -> None:
    """They would not be seen, and stay: it is refused."""
    url = migrated.url
    fill(url)
    execute(url, "ALTER TABLE analytics.analytics_events ENABLE ROW LEVEL SECURITY")
    execute(url, "CREATE POLICY mine ON analytics.analytics_events USING (niche_id = 1)")
    role = login("analytics_writer", "SELECT, UPDATE ON public.features")
    done = sidb(role, ANN, "--yes")
    assert (done.exit_code, "BYPASSRLS" in done.stderr) == (1, True), done.output
    assert of(url, TABLE, ANN) == EVENTS


def test_the_servers_log_gets_no_id_from_us(migrated: Engine) -> None:
    """Neither in a statement nor as a parameter."""
    url = migrated.url
    fill(url)
    seen: list[str] = []
    counted(lambda: sidb(url, ANN, "--yes"), lambda _, statement: seen.append(statement))
    assert len(seen) > 100
    assert not [each for each in seen if ANN in each]


def test_of_a_user_who_is_nowhere_it_says_so(migrated: Engine) -> None:
    done = sidb(migrated.url, "nobody", "--yes")
    assert "No row of theirs was found. They are recorded as erased all the same" in done.stdout
    assert "the certificate repeats the erasure" in done.stdout
