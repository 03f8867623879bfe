"""Who was erased does not come back: not by a load, not by the backfill, not by a restore; what is left is proved."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine, text

from backfill import erased
from backfill.bookkeeping import drop_staged
from operations.verify.subject import WHOLE
from operations.verify.verification import verify as verify_all
from tests.backfill.conftest import load_file, verify, write_csv
from tests.backfill.conftest import run as run_backfill
from tests.fixtures.databases import Alembic
from tests.operations.erasure.conftest import (
    ANN,
    ANNA,
    IDS,
    Dump,
    erase,
    fill,
    history,
    of,
    rolled_back,
    staged,
)
from tests.operations.rollback.conftest import bring_back, execute, finding, roll_back

EVENTS = "analytics.analytics_events"


def test_an_old_file_is_loaded_without_the_rows_of_who_was_erased(migrated: Engine, tmp_path: Path) -> None:
    url = migrated.url
    erase(url, ANN)
    bad = [("view", "web", "never", "{}", user, "1", "") for user in IDS]
    done = load_file(migrated, write_csv(tmp_path / "old.csv", [*history(), *bad]))
    assert (done.records, done.erased, done.rejected, done.added) == (22, 11, 1, 10)
    run_backfill(migrated)
    assert (of(url, EVENTS, ANN), of(url, EVENTS, ANNA)) == (0, 10)
    assert execute(url, "SELECT erased FROM sidb.backfill_files") == [(11,)]


def test_rejected_lines_that_name_who_was_erased_keep_nothing(migrated: Engine, tmp_path: Path) -> None:
    """Of a line that is no record at all, too."""
    url = migrated.url
    erase(url, ANN)
    path = write_csv(tmp_path / "a.csv", history())
    with path.open("a", encoding="utf-8") as file:
        file.write(f"view,web,{ANN}\nview,web,{ANNA}\n")
    assert load_file(migrated, path).rejected == 2
    contents = [row[0] for row in execute(url, "SELECT content FROM sidb.backfill_rejects ORDER BY line")]
    assert contents == ["", f"view,web,{ANNA}"]


def test_a_file_that_grew_after_an_erasure(migrated: Engine, tmp_path: Path) -> None:
    """It lacks no line of an earlier load: those of who was erased are known no more."""
    staged(migrated, tmp_path)
    erase(migrated.url, ANN)
    more = [*history(rows=12)]
    done = load_file(migrated, write_csv(tmp_path / "history.csv", more))
    assert (done.erased, done.added) == (12, 2)


def test_a_file_that_grew_after_staging_was_dropped(migrated: Engine, tmp_path: Path) -> None:
    staged(migrated, tmp_path)
    with migrated.begin() as connection:
        drop_staged(connection)
    erase(migrated.url, ANN)
    done = load_file(migrated, write_csv(tmp_path / "history.csv", history(rows=12)))
    assert (done.erased, done.added) == (12, 2)


def test_json_whether_it_can_be_read_or_not(migrated: Engine, tmp_path: Path) -> None:
    """Where a line of a chunk cannot be read, those that lack something are rejected before anybody asks whose they
    are: nothing of theirs is kept.
    """
    url = migrated.url
    erase(url, ANN)
    path = tmp_path / "a.jsonl"
    event = {"event_type": "view", "event_source": "web", "event_timestamp": "2025-05-01T00:00Z"}
    events = [{**event, "event_data": {}, "user_id": user} for user in IDS] + [{**event, "user_id": ANN}]
    path.write_text("\n".join([*map(json.dumps, events), "no json at all"]), encoding="utf-8")
    done = load_file(migrated, path)
    assert (done.records, done.erased, done.rejected, done.added) == (4, 1, 2, 1)
    contents = [row[0] for row in execute(url, "SELECT content FROM sidb.backfill_rejects ORDER BY line")]
    assert contents == ["", "no json at all"]


def test_what_was_staged_before_an_erasure_is_not_moved_after_it(migrated: Engine, tmp_path: Path) -> None:
    """As while an erasure is at work, or after staging was restored from a dump."""
    url = migrated.url
    load_file(migrated, write_csv(tmp_path / "history.csv", history()))
    execute(url, "CREATE TABLE kept AS SELECT * FROM sidb.backfill_events")
    erase(url, ANN)
    execute(url, "TRUNCATE sidb.backfill_events; INSERT INTO sidb.backfill_events SELECT * FROM kept")
    run_backfill(migrated)
    assert (of(url, EVENTS, ANN), of(url, EVENTS, ANNA)) == (0, 10)


def test_a_restore_leaves_out_who_was_erased(migrated: Engine) -> None:
    """Even where the archive's rows come from elsewhere, as from a dump of before."""
    url = migrated.url
    fill(url)
    roll_back(url, "1.0.0")
    execute(url, "CREATE TABLE kept AS SELECT * FROM sidb_archive_1.analytics_events")
    erase(url, ANN)
    execute(url, "TRUNCATE sidb_archive_1.analytics_events")
    execute(url, "INSERT INTO sidb_archive_1.analytics_events SELECT * FROM kept")
    Alembic(url).upgrade()
    found = bring_back(url)
    assert finding(found, "erased users").detail == "40 rows of theirs were deleted from the archive, and not restored"
    assert (of(url, EVENTS, ANN), of(url, EVENTS, ANNA)) == (0, 40)


def test_a_restore_after_an_erasure_brings_the_others(migrated: Engine, dump: Dump) -> None:
    url = migrated.url
    fill(url)
    rolled_back(url)
    erase(url, ANN)
    assert bring_back(url).exit_code == 0
    assert (of(url, EVENTS, ANN), of(url, EVENTS, ANNA)) == (0, 40)
    assert ANN not in dump(url).replace(ANNA, "")


def test_the_proofs_hold_and_say_how_many(migrated: Engine, tmp_path: Path) -> None:
    staged(migrated, tmp_path)
    assert all(proof.holds for proof in verify(migrated))
    erase(migrated.url, ANN)
    proofs = {proof.job: proof for proof in verify(migrated)}
    assert all(proof.holds for proof in proofs.values()), proofs
    assert "10 records of its files are left out: their users were erased" in [*proofs["event_history"].told()]
    found = verify_all(migrated.url, WHOLE, Console(file=io.StringIO())).findings
    assert [each for each in found if each.verdict == "failed"] == []


def test_staging_half_erased_is_proved_too(migrated: Engine, tmp_path: Path) -> None:
    """Between the events and staging, the events look as if somebody had deleted them."""
    url = migrated.url
    staged(migrated, tmp_path)
    execute(url, "CREATE TABLE kept AS SELECT * FROM sidb.backfill_events")
    erase(url, ANN)
    execute(url, "TRUNCATE sidb.backfill_events; INSERT INTO sidb.backfill_events SELECT * FROM kept")
    assert all(proof.holds for proof in verify(migrated))


@pytest.mark.parametrize("user", ["", "naïve 😀", 'a "quoted", one\\', "x" * 500])
def test_the_hash_is_the_same_in_sql(migrated: Engine, user: str) -> None:
    secret = b"some key"
    inner, outer = erased.pads(secret)
    statement = text("SELECT sha256(:outer || sha256(:inner || convert_to(:user, 'UTF8')))")
    with migrated.connect() as connection:
        found = connection.scalar(statement, {"outer": outer, "inner": inner, "user": user})
    assert bytes(found) == erased.digest(secret, user)


def test_words_that_may_be_an_id() -> None:
    assert ANN in erased.words(f"view,web,2025,{ANN},1")
    assert "user 7" in erased.words('view,"user 7",1')
    assert "user 7" in erased.words('{"by": ["user 7"')
    assert "é" in erased.words('broken {"by": "\\u00e9"')
    assert ANN in erased.words(f"refused for {ANN}.")
    assert 'a "b"' in erased.words('no time\nview,"a ""b""",1')
    assert "two\nlines" in erased.words('no time\nview,"two\nlines",1')
    assert "org/7" in erased.words('no time\n{"by": "org\\/7"}')
    assert ANN not in erased.words(f"view,web,2025,{ANNA},1")


def test_rows_read_before_the_tombstone_go_before_their_file_is_staged(migrated: Engine, tmp_path: Path) -> None:
    """Of a file that is half loaded, should they have escaped the erasure."""
    url = migrated.url

    def die(*_: object) -> None:
        raise InterruptedError

    path = write_csv(tmp_path / "half.csv", history(rows=20))
    with pytest.raises(InterruptedError):
        load_file(migrated, path, report=die, chunk=1_000)
    execute(url, "CREATE TABLE kept AS SELECT * FROM sidb.backfill_load_1")
    erase(url, ANN)
    execute(url, "TRUNCATE sidb.backfill_load_1; INSERT INTO sidb.backfill_load_1 SELECT * FROM kept")
    execute(url, "UPDATE sidb.backfill_files SET erased = 0")
    done = load_file(migrated, path)
    assert (done.records, done.erased, done.added) == (40, 20, 20)
    assert execute(url, "SELECT DISTINCT user_id FROM sidb.backfill_events") == [(ANNA,)]
