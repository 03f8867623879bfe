"""The runbook: its commands are understood, and those of blocks marked as tested say what it promises."""

import csv
import gzip
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import psycopg
import pytest

from operations.cli import main
from tests.fixtures.databases import ROOT, Clone, conninfo

RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
TESTED = re.findall(r"<!-- tested -->\n```console\n(.*?)```", RUNBOOK, re.DOTALL)
COMMANDS = re.findall(r"^\$ (?:[A-Z_]+=\S+ )*(sidb .*)$", RUNBOOK, re.MULTILINE)


def story() -> list[tuple[str, str]]:
    """Commands of the tested blocks with what they say, in the order of the page."""
    parts = [re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:] for block in TESTED]
    return [(command, said) for part in parts for command, said in zip(part[::2], part[1::2], strict=True)]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command: str) -> None:
    """Parsed, not run: each command, argument and option is there."""
    arguments = shlex.split(re.split(r" [|>] ", command)[0])[1:]
    found: click.Command = main
    while isinstance(found, click.Group):
        found = found.commands[arguments.pop(0)]
    for option in {"--backup", "--archive"}.intersection(arguments):
        arguments[arguments.index(option) + 1] = str(ROOT)  # has to be there
    found.make_context(str(found.name), arguments, **main.context_settings)


@pytest.mark.clean  # the page shows, word for word, what is said where others have nothing
def test_the_tested_commands_say_what_is_promised(clone: Clone, tmp_path: Path) -> None:
    """A whole rollout in the order of the page, on a database with 200 niches."""
    write_history(tmp_path / "history/2025.csv.gz")
    address = conninfo(clone("phase1_table"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "DATABASE_URL": address, "COLUMNS": "80", "LANG": "C.UTF-8"}
    for name in ("alembic.ini", "alembic"):
        (tmp_path / name).symlink_to(ROOT / name)
    for command, promised in story():
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        said = "\n".join(line.rstrip() for line in done.stdout.splitlines())
        assert done.returncode in (0, 3), f"{command}\n{said}\n{done.stderr}"  # 3: no pg_stat_statements here
        missing = first_missing(promised, said)
        assert missing is None, f"$ {command}\npromised: {missing}\n{said}\n{done.stderr}"


def write_history(path: Path) -> None:
    """A year of events, the last of them in May 2025."""
    path.parent.mkdir()
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["event_type", "event_source", "event_timestamp", "event_data", "niche_id"])
        for number in range(2_000):
            at = datetime(2025, 5, 31, tzinfo=UTC) - timedelta(hours=4 * number)
            writer.writerow(["view", "web", at.isoformat(), "{}", number % 200 + 1])


def first_missing(promised: str, said: str) -> str | None:
    """The first promised part that was not said in its place; … stands for anything. None: all was said, no more."""
    rest = stable(said)
    *parts, last = map(stable, promised.split("…"))
    for number, part in enumerate(parts):
        place = rest.find(part)
        if place < 0 or (number == 0 and place > 0):
            return part
        rest = rest[place + len(part) :]
    well = rest.endswith(last) if parts else rest == last
    return None if well else last


def stable(text: str) -> str:
    """Without what differs from run to run: numbers with their unit, and how wide they make a column."""
    numbers = re.sub(r"\d[\d,.:]*( ([kMG]B|bytes)\b)?", "0", text)
    return re.sub(r"\s+", " ", re.sub(r"\battempts?\b", "attempts", numbers)).strip()


@pytest.mark.parametrize("autocommit", [False, True])
def test_what_a_prepared_select_star_meets(clone: Clone, autocommit: bool) -> None:
    """As the page tells the application developer: once in transactions, every time in autocommit mode."""
    address = conninfo(clone("phase1_table"))
    select = "SELECT * FROM features WHERE niche_id = 1"
    with psycopg.connect(address, autocommit=autocommit, prepare_threshold=0) as client:
        client.execute(select)
        client.commit()
        with psycopg.connect(address) as migration:
            migration.execute("ALTER TABLE features ADD COLUMN trend_vector jsonb")
        for _ in range(2 if autocommit else 1):
            with pytest.raises(psycopg.errors.FeatureNotSupported, match="cached plan must not change result type"):
                client.execute(select)
            client.rollback()
        if autocommit:
            client.execute("DEALLOCATE ALL")
        assert client.execute(select).fetchone()
