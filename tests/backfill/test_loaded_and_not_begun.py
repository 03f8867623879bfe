"""What is loaded and was not looked at by a run yet is there to be done: status says so, and what to type."""

from pathlib import Path

from sqlalchemy import Engine

from backfill import job_status
from backfill.jobs import EVENT_HISTORY
from operations.status import next_command
from operations.status.look import look
from tests.backfill.conftest import load_file, run, verify, write_csv

RUN = "sidb backfill run, then daily"


def row(user: str) -> tuple[str, ...]:
    return ("view", "web", "2025-05-01T12:00Z", "{}", user, "1", "")


def status(engine: Engine) -> job_status.JobStatus:
    with engine.connect() as connection:
        [found] = job_status.jobs_status(connection, [EVENT_HISTORY])
        return found


def next_step(engine: Engine) -> str:
    return next_command.command(look(engine.url))


def test_it_is_left_until_a_run_cuts_it_into_ranges(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [row("u"), row("v")]))
    found = status(migrated)
    assert (found.state, found.rows, found.left) == ("waiting", 2, 2)
    assert next_step(migrated) == RUN
    run(migrated)
    assert status(migrated).left == 0
    verify(migrated)
    assert status(migrated).state == "done"
    load_file(migrated, write_csv(tmp_path / "a.csv", [row("u"), row("v"), row("w")]))
    found = status(migrated)
    assert (found.state, found.rows, found.left) == ("begun", 3, 1)
    assert next_step(migrated) == RUN
    run(migrated)
    assert status(migrated).left == 0
    assert next_step(migrated) != RUN


def test_what_holds_nothing_new_is_not_left(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [row("u")]))
    run(migrated)
    load_file(migrated, write_csv(tmp_path / "a.csv", [row("u"), ("no event",)]))
    assert status(migrated).left == 0


def test_what_another_file_took_the_place_of_is_not_left(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", [row("u")]))
    load_file(migrated, write_csv(tmp_path / "a.csv", [row("v"), row("w")]), meant="replace")
    assert status(migrated).left == 2
    run(migrated)
    assert status(migrated).left == 0
