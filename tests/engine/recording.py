"""Records what each step changes, in ``alembic/recorded``: ``make recorded``, after a change of a revision.

Each revision is run up and down on every kind of database that it may find: an empty one, both shapes of Phase 1, and
one whose schema analytics holds something of other people's, so that it is not dropped.
"""

import json
import logging

from alembic.script import ScriptDirectory
from alembic_online import validation
from sqlalchemy import URL, create_engine

from operations.embedded import Server, project_server
from operations.scope import SCOPE
from operations.settings import Settings
from tests.fixtures.databases import ROOT, Alembic, Templates
from tests.fixtures.server import throwaway_server

Recorded = dict[str, dict[str, list[list[str]]]]
KINDS = ("empty", "phase1_table", "phase1_matview")


def record(server: Server) -> Recorded:
    """For each revision and direction, the different differences that its step makes. The server must be new."""
    found: Recorded = {}
    templates = Templates(server)
    for kind in (*KINDS, KINDS[-1], KINDS[-1]):
        url = server.url(templates.template(kind))
        for revision, direction, lines in differences(url):
            accepted = found.setdefault(revision, {"upgrade": [], "downgrade": []})[direction]
            if lines not in accepted:
                accepted.append(lines)
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS analytics")
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS analytics.notes (note text)")
        engine.dispose()
    return found


def differences(url: URL) -> list[tuple[str, str, list[str]]]:
    alembic = Alembic(url)
    engine = create_engine(url)
    revisions = [script.revision for script in ScriptDirectory.from_config(alembic.config()).walk_revisions()][::-1]

    def catalog() -> dict[str, str]:
        with engine.begin() as connection:  # open no longer than that: the next step would wait for it
            return validation.catalog(connection, SCOPE)

    made = []
    before = catalog()
    for direction in ("upgrade", "downgrade"):
        for revision in revisions if direction == "upgrade" else reversed(revisions):
            alembic.upgrade("+1") if direction == "upgrade" else alembic.downgrade("-1")
            after = catalog()
            made.append((revision, direction, validation.difference(before, after)))
            before = after
    engine.dispose()
    return made


def main() -> None:
    logging.getLogger("alembic").setLevel(logging.ERROR)
    directory = ROOT / "alembic" / "recorded"
    for old in directory.glob("*.json"):  # none, while they are recorded
        old.unlink()
    with throwaway_server(project_server(Settings.from_environment({}).data_home).binaries) as server:
        recorded = record(server)
    directory.mkdir(exist_ok=True)
    for revision, accepted in recorded.items():
        (directory / f"{revision}.json").write_text(json.dumps(accepted, indent=2) + "\n", encoding="utf-8")
        print(f"{revision}: " + ", ".join(f"{d} {[len(lines) for lines in a]}" for d, a in accepted.items()))


if __name__ == "__main__":
    main()
