"""What the tests of an erasure share: a user who left something everywhere, another whose id begins alike, a dump."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic_online import Options
from click.testing import CliRunner, Result
from rich.console import Console
from sqlalchemy import URL, Engine

from operations.cli import main
from operations.erasure import erase as erasing
from operations.erasure.certificate import Certificate, read
from operations.erasure.erase import Asked
from tests.backfill.conftest import HEADER, load_file, write_csv
from tests.backfill.conftest import run as run_backfill
from tests.fixtures.databases import Alembic, conninfo
from tests.operations.rollback.conftest import copies as copies
from tests.operations.rollback.conftest import execute, roll_back

ANN, ANNA = "ann-17@example.com", "ann-17@example.community"
"""Two users; the id of one begins with that of the other."""
IDS = (ANN, ANNA)
EVENTS = 40
TABLE = "analytics.analytics_events"
LIVE = "analytics.analytics_events", "analytics.content_recommendations"

ROWS = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    SELECT 'view', 'web', now() + (n - 20) * interval '5 days', '{"n": 1}', '{user}', 1 + n % 7
    FROM generate_series(1, {events}) AS numbers (n);
    INSERT INTO analytics.content_recommendations (
        niche_id, user_id, content_type, title, description, opportunity_score, model_version, valid_until
    )
    SELECT n, '{user}', 'video', 'title ' || n, 'why', 0.5, '1', now() + interval '1 day'
    FROM generate_series(1, 3) AS s (n)
"""
Dump = Callable[[URL], str]


def sidb(url: URL, *arguments: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["erase", *arguments], input=given, env={"DATABASE_URL": conninfo(url)})


@pytest.fixture
def dump(pg_bin: Path) -> Dump:
    """``dump(url)`` is the whole database as text."""

    def make(url: URL) -> str:
        command = [pg_bin / "pg_dump", conninfo(url.set(username="postgres"))]
        return subprocess.check_output(command, text=True)

    return make


def fill(url: URL, users: tuple[str, ...] = IDS) -> None:
    """Events of these users in several months and niches, and recommendations for them."""
    for user in users:
        execute(url, ROWS.replace("{user}", user).replace("{events}", str(EVENTS)))


def history(users: tuple[str, ...] = IDS, rows: int = 10) -> list[tuple[str, ...]]:
    """Rows of a file of history, in the columns of HEADER."""
    assert HEADER[4:] == ("user_id", "niche_id", "phrase")
    return [
        ("view", "web", f"2025-05-{1 + n:02}T00:00Z", "{}", user, str(1 + n), "") for user in users for n in range(rows)
    ]


def erase(url: URL, *user_ids: str, file: Path | None = None) -> Certificate:
    return erasing.erase(url, Asked(user_ids), quiet(), Options(deadline=30), file=file)


def again(url: URL, file: Path) -> Certificate:
    return erasing.erase(url, Asked(again=tuple(read(file))), quiet(), Options(deadline=30))


def resume(url: URL) -> Certificate:
    return erasing.erase(url, Asked(), quiet(), Options(deadline=30))


def quiet() -> Console:
    return Console(file=io.StringIO())


def rows(certificate: Certificate) -> dict[str, int]:
    return {each.place: each.rows for each in certificate.places if each.rows}


def of(url: URL, table: str, user: str) -> int:
    """How many rows of a user a table holds."""
    return int(execute(url, f"SELECT count(*) FROM {table} WHERE user_id = '{user}'")[0][0])  # noqa: S608


def staged(engine: Engine, folder: Path, *lines: tuple[str, ...]) -> None:
    """A history of both is loaded and moved, with these lines of which nothing can be made."""
    load_file(engine, write_csv(folder / "history.csv", [*history(), *lines]))
    run_backfill(engine)


def rolled_back(url: URL) -> None:
    """Once more, there and back: an archive more."""
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
