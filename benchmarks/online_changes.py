"""What the application notices of each change that is generated: python -m benchmarks.online_changes [--rounds 3]

Phase 1's features with a million niches, under Phase 1's traffic: four writers, a reader, and a session that holds a
transaction open on it for a second at a time. For each change a revision is generated from the models and run up,
then down, but for types that become narrower there. A wait is that of one statement of the application for a lock on
a table, as the server logs it: which only the migration can make it wait for. Beside the longest, what the longest
statement of the writers and the reader took in all, and what it took in the seconds before, when nothing was
migrated.
"""

import re
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from alembic import command
from alembic_online import Scope
from sqlalchemy import Connection, MetaData, NullPool, create_engine

from benchmarks.harness import benchmark_server, new_database, report, spread
from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.small_project import SmallProject, execute
from tests.fixtures.traffic import traffic

BEFORE = 1.5  # seconds of traffic before each way
HOLD = 1.0
TEMPLATE = "million"
CLIENTS = ("[unknown]", "report")
"""What the server's log calls the application's sessions: most give themselves no name."""
LOGGED = {"log_lock_waits": "on", "deadlock_timeout": "1ms", "log_line_prefix": "%a|"}
"""Have the server log each wait for a lock that takes a millisecond."""

ALWAYS = """
    CREATE TABLE notes (niche_id bigint NOT NULL, note varchar(20), more text);
    CREATE FUNCTION cleaned(words text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(words)';
    ALTER TABLE features ADD code varchar(20) DEFAULT 'none', ADD spare integer;
"""
ROWS = "INSERT INTO notes SELECT niche_id, 'note', NULL FROM features; UPDATE features SET spare = niche_id % 100"
FOREIGN_KEY = "ALTER TABLE notes ADD CONSTRAINT of FOREIGN KEY (niche_id) REFERENCES features"
CHECK = "ALTER TABLE features ADD CONSTRAINT small CHECK (spare < {})"
UNDER = "CREATE INDEX features_cleaned ON features (cleaned(phrase))"
UNDER_CHECK = "ALTER TABLE features ADD CONSTRAINT said CHECK (cleaned(phrase) <> '')"
OTHER_BODY = (
    "CREATE OR REPLACE FUNCTION cleaned(words text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(words)'"
)
VIEW = "CREATE VIEW coded AS SELECT niche_id, code FROM features"
TRIGGER = (
    "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    "CREATE TRIGGER nothing BEFORE UPDATE ON features FOR EACH ROW EXECUTE FUNCTION nothing()"
)

PARTITIONED = """
    ALTER TABLE features RENAME TO whole;
    CREATE TABLE features (LIKE whole INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (niche_id);
    CREATE TABLE features_1 PARTITION OF features FOR VALUES FROM (MINVALUE) TO (250000);
    CREATE TABLE features_2 PARTITION OF features FOR VALUES FROM (250000) TO (500000);
    CREATE TABLE features_3 PARTITION OF features FOR VALUES FROM (500000) TO (750000);
    CREATE TABLE features_4 PARTITION OF features DEFAULT;
    INSERT INTO features OVERRIDING SYSTEM VALUE SELECT * FROM whole;
    ALTER SEQUENCE features_niche_id_seq OWNED BY features.niche_id;
    DROP TABLE whole;
    CREATE TABLE spares (spare integer PRIMARY KEY);
    INSERT INTO spares SELECT generate_series(0, 99);
    ALTER TABLE features ALTER code SET NOT NULL;
"""
"""Four partitions, to which all writers write."""
PARTITIONED_KEY = "ALTER TABLE features ADD PRIMARY KEY ({});"
PARTITIONED_BY_KEY = PARTITIONED + PARTITIONED_KEY.format("niche_id")


@dataclass(frozen=True)
class Change:
    """What stands in the database and in the models, in the database besides, and what the models mean besides; `back`:
    whether the way down is online, too."""

    name: str
    before: str = ""
    after: str = ""
    back: bool = True
    both: str = ""


CHANGES = (
    Change("index", after="CREATE INDEX features_spare ON features (spare)"),
    Change(
        "index changed",
        "CREATE INDEX features_spare ON features (spare)",
        "CREATE INDEX features_spare ON features (spare, code)",
    ),
    Change("column made NOT NULL", after="ALTER TABLE features ALTER code SET NOT NULL"),
    Change("CHECK", after=CHECK.format(100)),
    Change("CHECK changed", CHECK.format(100), CHECK.format(200)),
    Change("unique key", after="ALTER TABLE features ADD CONSTRAINT one UNIQUE (niche_id, code)"),
    Change(
        "unique key of other columns",
        "ALTER TABLE features ADD CONSTRAINT one UNIQUE (niche_id, code)",
        "ALTER TABLE features ADD CONSTRAINT one UNIQUE (niche_id, spare)",
    ),
    Change("foreign key to it", after=FOREIGN_KEY),
    Change("foreign key's behaviour", FOREIGN_KEY, f"{FOREIGN_KEY} ON DELETE CASCADE"),
    Change("constraint renamed", CHECK.format(100), CHECK.format(100).replace("small", "smaller")),
    Change("default", after="ALTER TABLE features ALTER spare SET DEFAULT 7"),
    Change("column with a constant default", after="ALTER TABLE features ADD more bigint NOT NULL DEFAULT 5"),
    Change("column with a stable default", after="ALTER TABLE features ADD more timestamptz NOT NULL DEFAULT now()"),
    Change("column dropped", "ALTER TABLE features ADD more bigint"),
    Change("type that needs no rewriting", after="ALTER TABLE features ALTER code TYPE text", back=False),
    Change("type under a view", VIEW, f"ALTER TABLE features ALTER code TYPE text; {VIEW}", back=False),
    Change("view changed", VIEW, f"{VIEW} WHERE spare > 1"),
    Change("function under an index", UNDER, f"{OTHER_BODY}; {UNDER}"),
    Change("function under a CHECK", UNDER_CHECK, f"{OTHER_BODY}; {UNDER_CHECK}"),
    Change("trigger", after=TRIGGER),
    Change("storage parameters", after="ALTER TABLE features SET (fillfactor = 90)"),
    Change("storage of a column", after="ALTER TABLE features ALTER phrase SET STORAGE external"),
    Change(
        "index of a partitioned table",
        after="CREATE INDEX features_spare ON features (spare)",
        both=PARTITIONED_BY_KEY,
    ),
    Change(
        "unique key of a partitioned table",
        after="ALTER TABLE features ADD CONSTRAINT one UNIQUE (niche_id, code)",
        both=PARTITIONED_BY_KEY,
    ),
    Change(
        "primary key of a partitioned table, of other columns",
        PARTITIONED_KEY.format("niche_id"),
        PARTITIONED_KEY.format("niche_id, code"),
        both=PARTITIONED + "CREATE INDEX features_niche_id ON features (niche_id);",
    ),
    Change(
        "foreign key of a partitioned table",
        after="ALTER TABLE features ADD CONSTRAINT spared FOREIGN KEY (spare) REFERENCES spares",
        both=PARTITIONED_BY_KEY,
    ),
    Change("comment", after="COMMENT ON COLUMN features.spare IS 'spare'"),
)


@dataclass(frozen=True)
class Measured:
    """On one way, the application's longest wait for a lock and its longest statement, that of the time before, all in
    ms; the seconds of the way, and the application's errors."""

    wait: float
    longest: float
    before: float
    seconds: float
    errors: int


def template(server: Server, niches: int) -> None:
    """The tables with all their rows, once: each change has a copy."""
    engine = create_engine(new_database(server, TEMPLATE), poolclass=NullPool)
    with engine.begin() as connection:
        phase1.create(connection, Shape.TABLE)
        execute(connection, ALWAYS)
        phase1.sample(connection, niches)
        execute(connection, ROWS)
        phase1.refresh(connection, Shape.TABLE)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        execute(connection, "VACUUM FULL ANALYZE")


def models(server: Server, change: Change) -> Scope:
    """The target of a change, its tables read back from where they were built."""

    def build(connection: Connection, _variant: Hashable) -> None:
        phase1.create(connection, Shape.TABLE)
        execute(connection, ALWAYS + change.both + change.after)

    metadata = MetaData()
    with create_engine(new_database(server, "target"), poolclass=NullPool).connect() as connection:
        build(connection, None)
        metadata.reflect(connection)
        connection.rollback()
    return Scope(metadata=metadata, schemas=("public",), name="million", build=build)


def measured(server: Server, change: Change, directory: Path) -> dict[str, Measured]:
    """By direction."""
    engine = create_engine(new_database(server, "under_load", TEMPLATE), poolclass=NullPool)
    with engine.begin() as connection:
        execute(connection, change.both + change.before)
    project = SmallProject(engine, models(server, change), directory)
    project.revise(change.name)
    found = {}
    log = server.data / "server.log"
    for direction, revision in (("upgrade", "head"), ("downgrade", "base"))[: 2 if change.back else 1]:
        with traffic(engine.url, hold=HOLD) as running:
            start = time.time()
            time.sleep(BEFORE)
            began, there = time.time(), log.stat().st_size
            project.run(getattr(command, direction), revision)
            ended = time.time()
            seen = running.report()
        wait = max(waits(log.read_bytes()[there:].decode(errors="replace")), default=0.0)
        times = (seen.longest(began, ended) * 1000, seen.longest(start, began) * 1000)
        found[direction] = Measured(wait, *times, ended - began, len(seen.errors))
    return found


def waits(log: str) -> Iterator[float]:
    """How long statements of the application waited for a lock on a table, in ms."""
    for name, ms in re.findall(r"^([\w\[\]]*)\|.* acquired \w+ on relation \d+ .* after ([\d.]+) ms", log, re.M):
        if name in CLIENTS:
            yield float(ms)


def row(change: Change, direction: str, every: list[Measured]) -> list[str]:
    return [
        f"{change.name}, {direction}",
        spread([one.wait for one in every], ",.0f"),
        spread([one.longest for one in every], ",.0f"),
        spread([one.before for one in every], ",.0f"),
        spread([one.seconds for one in every], ".1f"),
        str(sum(one.errors for one in every)),
    ]


@click.command()
@click.option("--niches", default=1_000_000, show_default=True)
@click.option("--rounds", default=1, show_default=True)
@click.option("--only", default="", help="Changes whose name holds this.")
def main(niches: int, rounds: int, only: str) -> None:
    changes = [change for change in CHANGES if only in change.name]
    results: dict[tuple[Change, str], list[Measured]] = {}
    with benchmark_server(**LOGGED) as server:
        template(server, niches)
        for _ in range(rounds):
            for change in changes:
                with TemporaryDirectory() as directory:
                    for direction, one in measured(server, change, Path(directory)).items():
                        results.setdefault((change, direction), []).append(one)
    report(
        f"Generated changes, {niches:,} niches",
        ["change", "longest wait, ms", "longest statement, ms", "before, ms", "seconds", "errors"],
        [row(change, direction, ones) for (change, direction), ones in results.items()],
        f"median (min to max), rounds: {rounds}; a report holds a transaction open for {HOLD:.0f} s at a time",
    )


if __name__ == "__main__":
    main()
