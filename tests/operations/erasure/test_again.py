"""After a recovery of a backup, which has lost tombstones and key, the certificate repeats an erasure."""

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic_online.errors import UsageError
from sqlalchemy import URL, Engine

from operations.erasure.certificate import read
from tests.backfill.conftest import load_file, write_csv
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.operations.erasure.conftest import (
    ANN,
    ANNA,
    EVENTS,
    IDS,
    Dump,
    again,
    erase,
    fill,
    history,
    of,
    rolled_back,
    rows,
    staged,
)
from tests.operations.rollback.conftest import execute

TABLE = "analytics.analytics_events"
Recover = Callable[[str], URL]


@pytest.fixture
def recover(clone: Clone, pg_bin: Path) -> Recover:
    """``recover(text)`` is a new database of a dump."""

    def make(text: str) -> URL:
        url = clone("empty")
        psql = [pg_bin / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", conninfo(administrator(url))]
        subprocess.run(psql, input=text, text=True, check=True, stdout=subprocess.DEVNULL)
        return administrator(url)

    return make


@pytest.mark.clean
def test_on_a_database_recovered_from_a_dump_of_before(
    migrated: Engine, tmp_path: Path, dump: Dump, recover: Recover, connect: Callable[[URL], Engine]
) -> None:
    url, file = migrated.url, tmp_path / "certificate.json"
    fill(url)
    rolled_back(url)
    fill(url)
    staged(migrated, tmp_path, ("view", "web", "never", "{}", ANN, "1", ""))
    before = dump(url)
    first = erase(url, ANN, file=file)
    recovered = recover(before)
    assert of(recovered, TABLE, ANN) == EVENTS + 10
    assert ANN not in file.read_text(encoding="utf-8")
    second = again(recovered, file)
    assert rows(second) == rows(first)
    assert ANN not in dump(recovered).replace(ANNA, "")
    assert of(recovered, TABLE, ANNA) == EVENTS + 10
    engine = connect(recovered)
    done = load_file(engine, write_csv(tmp_path / "again.csv", history()), meant="new")
    assert (done.erased, done.added) == (10, 10)


def test_under_a_key_of_another_database(migrated: Engine, tmp_path: Path) -> None:
    """Both keys are asked from then on; one who is not there now does not come later."""
    url, file = migrated.url, tmp_path / "certificate.json"
    fill(url)
    erase(url, ANN, file=file)
    execute(url, "TRUNCATE sidb.erased_user, sidb.erasure_key, sidb.erasure CASCADE")
    erase(url, "another")
    assert of(url, TABLE, ANN) == 0
    done = again(url, file)
    assert (rows(done), done.users) == ({}, 1)
    assert execute(url, "SELECT count(*) FROM sidb.erasure_key") == [(2,)]
    loaded = load_file(migrated, write_csv(tmp_path / "old.csv", history((*IDS, "another"))))
    assert (loaded.erased, loaded.added) == (20, 10)
    assert not done.mentions
    erase(url, ANN)
    assert execute(url, "SELECT count(*) FROM sidb.erased_user") == [(3,)]


def test_who_came_back_is_erased_again_and_stands_in_that_certificate(migrated: Engine, tmp_path: Path) -> None:
    url, file = migrated.url, tmp_path / "certificate.json"
    for certificate in (None, file):
        fill(url, (ANN,))
        assert erase(url, ANN, file=certificate).users == 1
        assert of(url, TABLE, ANN) == 0
    assert len(read(file)) == 1
    assert execute(url, "SELECT erasure_id FROM sidb.erased_user") == [(2,)]


def test_the_certificate_is_its_owners_alone_and_takes_no_place(migrated: Engine, tmp_path: Path) -> None:
    url, file = migrated.url, tmp_path / "certificate.json"
    erase(url, ANN, file=file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = json.loads(file.read_text(encoding="utf-8"))
    assert (found["certificate"], found["users"]) == (1, 1)
    with pytest.raises(UsageError, match="is there already"):
        erase(url, ANNA, file=file)
    assert execute(url, "SELECT count(*) FROM sidb.erasure") == [(1,)]


LONG, SHORT = "ab" * 32, "ab" * 31


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"certificate": 1, "again": [{"key": "no", "hashes": []}]}',
        f'{{"certificate": 1, "again": [{{"key": "{LONG}", "hashes": []}}]}}',
        f'{{"certificate": 1, "again": [{{"key": "{LONG}", "hashes": ["{LONG}", "{SHORT}"]}}]}}',
        f'{{"certificate": 1, "again": [{{"key": "{SHORT}", "hashes": ["{LONG}"]}}]}}',
    ],
    ids=["empty", "list", "object", "no hexadecimal", "no hash", "short hash", "short key"],
)
def test_a_file_that_is_no_certificate(tmp_path: Path, content: str) -> None:
    (tmp_path / "file.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="is no certificate"):
        read(tmp_path / "file.json")


def test_a_certificate_of_a_newer_version_is_not_guessed_at(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    content = f'{{"certificate": 1, "again": [{{"key": "{LONG}", "hashes": ["{LONG}"]}}]}}'
    file.write_text(content, encoding="utf-8")
    assert len(read(file)) == 1
    file.write_text(content.replace("1", "2", 1), encoding="utf-8")
    with pytest.raises(UsageError, match="was written by a newer version"):
        read(file)


def test_the_key_is_the_owners_alone(migrated: Engine) -> None:
    """Whatever new tables are granted by default."""
    url = migrated.url
    execute(url, "CREATE SCHEMA IF NOT EXISTS sidb")
    execute(url, "ALTER DEFAULT PRIVILEGES IN SCHEMA sidb GRANT SELECT ON TABLES TO PUBLIC, analytics_reader")
    erase(url, ANN)
    rights = "SELECT count(*) FROM pg_class, aclexplode(relacl) AS a WHERE relname = '{}' AND a.grantee <> relowner"
    assert execute(url, rights.format("erasure_key")) == [(0,)]
    assert execute(url, rights.format("erasure_place"))[0][0] >= 2
