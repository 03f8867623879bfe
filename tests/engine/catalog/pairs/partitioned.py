"""What stands on a partitioned table: each partition has it by itself first, so that nobody waits."""

from sqlalchemy import BigInteger, Column, Date, Integer, MetaData, Table, Text

from tests.engine.catalog.pairs.case import Pair

P = "CREATE TABLE shop.places (place text PRIMARY KEY); INSERT INTO shop.places VALUES ('here');"
T = """
    CREATE TABLE shop.items (id bigint, day date, code text, place text, n int) PARTITION BY RANGE (day);
    CREATE TABLE shop.items_old PARTITION OF shop.items FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
    CREATE TABLE shop.items_new PARTITION OF shop.items DEFAULT PARTITION BY LIST (place);
    CREATE TABLE shop."Items: here" PARTITION OF shop.items_new DEFAULT;
    INSERT INTO shop.items SELECT n, '2024-12-01'::date + n, 'code ' || n, 'here', n FROM generate_series(1, 99) AS n;
"""
KEY = "ALTER TABLE shop.items ADD PRIMARY KEY (id, day, place);"
REFERENCE = "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places"
INDEX = "CREATE INDEX items_code ON shop.items (code);"


def items() -> MetaData:
    """The table with a key of its own, which SQLAlchemy cannot read back: its partitions refer to each other."""
    keys = [Column("id", BigInteger, primary_key=True), Column("day", Date, primary_key=True)]
    more = [
        Column("code", Text),
        Column("place", Text, primary_key=True),
        Column("n", Integer),
        Column("of", BigInteger),
    ]
    metadata = MetaData()
    Table("items", metadata, *keys, *more, schema="shop")
    return metadata


PARTITIONED = (
    Pair(
        "index of partitions",
        T,
        "",
        "CREATE INDEX \"Items: code\" ON shop.items (code, (place || ':word %')) WHERE place <> ' ON ONLY a.b USING x';"
        "COMMENT ON INDEX shop.\"Items: code\" IS 'by code'",
        contains=('IF NOT EXISTS "Items: code" ON ONLY shop.items', "ATTACH PARTITION", "autocommit_block"),
    ),
    Pair(
        "unique index of partitions",
        T,
        "",
        "CREATE UNIQUE INDEX items_id ON shop.items (id, day, place) NULLS NOT DISTINCT",
    ),
    Pair("index of partitions taken out", T, INDEX),
    Pair("index of partitions changed", T, INDEX, "CREATE INDEX items_code ON shop.items (code DESC)"),
    Pair(
        "CHECK of partitions",
        T,
        "",
        "ALTER TABLE shop.items ADD CONSTRAINT few CHECK (n < 100)",
        contains=("NOT VALID", "VALIDATE CONSTRAINT few"),
    ),
    Pair(
        "unique key of partitions",
        T,
        "",
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (id, day, place)",
        contains=("CREATE UNIQUE INDEX CONCURRENTLY", "USING INDEX", "autocommit_block"),
    ),
    Pair("unique key of partitions taken out", T, "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (id, day, place)"),
    Pair(
        "unique key of partitions with everything",
        T,
        "",
        'ALTER TABLE shop.items ADD CONSTRAINT "One: %" UNIQUE NULLS NOT DISTINCT (id, day, place) INCLUDE (n)'
        " WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED;"
        "COMMENT ON CONSTRAINT \"One: %\" ON shop.items IS 'one'",
    ),
    Pair(
        "unique key of partitions, of other columns",
        T,
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (id, day, place)",
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (day, place, id) WITH (fillfactor = 70)",
    ),
    Pair(
        "unique key that not every partition has",
        T,
        "ALTER TABLE ONLY shop.items ADD CONSTRAINT one UNIQUE (id, day, place)",
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (id, day, place)",
        stays="constraint shop.items.one",
    ),
    Pair("primary key of partitions", T, "", KEY),
    Pair("primary key of partitions taken out", T, KEY),
    Pair(
        "primary key of partitions, of other columns",
        T,
        KEY + "ALTER TABLE shop.items ALTER n SET NOT NULL",
        "ALTER TABLE shop.items ADD PRIMARY KEY (n, day, place), ALTER id SET NOT NULL",
    ),
    Pair(
        "unique key of partitions under another name",
        T,
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (id, day, place)",
        "ALTER TABLE shop.items ADD CONSTRAINT other UNIQUE (id, day, place)",
        contains=("RENAME CONSTRAINT one TO other",),
    ),
    Pair(
        "foreign key of partitions",
        T + P,
        "",
        f"{REFERENCE}; COMMENT ON CONSTRAINT at ON shop.items IS 'where'",
        contains=("NOT VALID", "VALIDATE CONSTRAINT", "autocommit_block"),
    ),
    Pair("foreign key of partitions taken out", T + P, REFERENCE),
    Pair(
        "foreign key of partitions, of other behaviour", T + P, REFERENCE, f"{REFERENCE} ON DELETE CASCADE DEFERRABLE"
    ),
    Pair(
        "foreign key of partitions, disabled",
        T + P,
        f"{REFERENCE}; ALTER TABLE shop.items DISABLE TRIGGER ALL",
        REFERENCE,
        stays="constraint shop.items.at",
    ),
    Pair(
        "foreign key of partitions to themselves",
        T + KEY + "ALTER TABLE shop.items ADD of bigint;",
        "",
        'ALTER TABLE shop.items ADD CONSTRAINT "Of %" FOREIGN KEY (of, day, place) REFERENCES shop.items',
        metadata=items,
    ),
    Pair(
        "foreign key to partitions",
        T + KEY + "CREATE TABLE shop.x (id bigint, day date, place text);",
        "",
        "ALTER TABLE shop.x ADD CONSTRAINT of FOREIGN KEY (id, day, place) REFERENCES shop.items",
        contains=("NOT VALID", "VALIDATE CONSTRAINT of"),
    ),
)
