"""Changes that are generated so that nobody waits while rows are read or written, or that stop."""

from tests.engine.catalog.pairs.case import Pair

T = "CREATE TABLE shop.items (id bigint PRIMARY KEY, code varchar(10), price numeric(5,4), place text);"
P = "CREATE TABLE shop.places (place text PRIMARY KEY);"
REFERRING = (
    "CREATE TABLE shop.codes (code varchar(10) PRIMARY KEY);"
    "CREATE TABLE shop.items (id bigint, code varchar(10), CONSTRAINT coded FOREIGN KEY (code) REFERENCES shop.codes);"
)
OVER_IT = (
    "CREATE VIEW shop.seen AS SELECT code FROM shop.items; CREATE VIEW shop.seen_again AS TABLE shop.seen;"
    "CREATE MATERIALIZED VIEW shop.kept AS SELECT code, count(*) AS n FROM shop.items GROUP BY code;"
    "CREATE UNIQUE INDEX kept_code ON shop.kept (code); COMMENT ON VIEW shop.seen IS 'seen';"
    "CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    "CREATE TRIGGER coded BEFORE UPDATE OF code ON shop.items FOR EACH ROW WHEN (new.code <> old.code)"
    " EXECUTE FUNCTION shop.f(); CREATE POLICY own ON shop.items USING (code <> '')"
)
CHECKED = (
    ", n int, CONSTRAINT filled CHECK (code <> ''), CONSTRAINT both_filled CHECK (code <> 'x' AND n > 1));"
    "COMMENT ON CONSTRAINT filled ON shop.items IS 'filled'"
)

ONLINE = (
    Pair(
        "SET NOT NULL",
        T,
        "",
        "ALTER TABLE shop.items ALTER code SET NOT NULL",
        contains=("VALIDATE CONSTRAINT", "autocommit_block"),
    ),
    Pair(
        "SET NOT NULL beside a CHECK that has the name of the one that proves it",
        T + "ALTER TABLE shop.items ADD CONSTRAINT items_code_filled CHECK (code <> '');",
        "",
        "ALTER TABLE shop.items ALTER code SET NOT NULL",
        contains=("DROP CONSTRAINT IF EXISTS items_code_filled_2",),
    ),
    Pair("DROP NOT NULL", T, "ALTER TABLE shop.items ALTER code SET NOT NULL"),
    Pair(
        "unique key",
        T,
        "",
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE NULLS NOT DISTINCT (code, price) INCLUDE (place)"
        " DEFERRABLE INITIALLY DEFERRED",
        contains=("CREATE UNIQUE INDEX CONCURRENTLY", "USING INDEX"),
    ),
    Pair(
        "unique key beside an index and a table that have the name of the one that is built for it",
        T + "CREATE INDEX one_new ON shop.items (place); CREATE TABLE shop.one_new_2 (id bigint);",
        "",
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (code)",
        contains=("INDEX CONCURRENTLY one_new_3",),
    ),
    Pair("unique key taken out", T, "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (code)"),
    Pair(
        "unique key of other columns",
        T,
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (code)",
        "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (place, code)",
    ),
    Pair(
        "primary key of other columns",
        "",
        "CREATE TABLE shop.x (a bigint PRIMARY KEY, b bigint NOT NULL)",
        "CREATE TABLE shop.x (a bigint NOT NULL, b bigint PRIMARY KEY)",
    ),
    Pair(
        "foreign key",
        T + P,
        "",
        "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places ON DELETE SET NULL",
        contains=("NOT VALID", "VALIDATE CONSTRAINT"),
    ),
    Pair(
        "foreign key taken out",
        T + P,
        "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places",
    ),
    Pair(
        "foreign key of other behaviour",
        T + P,
        "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places",
        "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places ON DELETE CASCADE",
    ),
    Pair(
        "foreign key that is not enforced",
        T + P,
        "",
        "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places NOT ENFORCED",
        oldest=18,
    ),
    Pair(
        "foreign key made enforced",
        T + P,
        "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places NOT ENFORCED",
        "ALTER TABLE shop.items ADD CONSTRAINT at FOREIGN KEY (place) REFERENCES shop.places",
        contains=("NOT VALID", "VALIDATE CONSTRAINT"),
        oldest=18,
    ),
    Pair(
        "CHECK made not enforced",
        T,
        "ALTER TABLE shop.items ADD CONSTRAINT dear CHECK (price > 1)",
        "ALTER TABLE shop.items ADD CONSTRAINT dear CHECK (price > 1) NOT ENFORCED",
        oldest=18,
    ),
    Pair(
        "CHECK of other rows",
        T,
        "ALTER TABLE shop.items ADD CONSTRAINT dear CHECK (price > 1)",
        "ALTER TABLE shop.items ADD CONSTRAINT dear CHECK (price > 2)",
    ),
    Pair("CHECK dropped with its column", T, "ALTER TABLE shop.items ADD n bigint CONSTRAINT few CHECK (n < 9)"),
    Pair("constant default", T, "", "ALTER TABLE shop.items ALTER place SET DEFAULT 'here'"),
    Pair("column with a constant default", T, "", "ALTER TABLE shop.items ADD n bigint NOT NULL DEFAULT 5"),
    Pair("column with a stable default", T, "", "ALTER TABLE shop.items ADD n timestamptz NOT NULL DEFAULT now()"),
    Pair(
        "column with a volatile default",
        T,
        "",
        "ALTER TABLE shop.items ADD n uuid DEFAULT gen_random_uuid()",
        stops="UPDATE shop.items",
    ),
    Pair(
        "column with an identity",
        T,
        "",
        "ALTER TABLE shop.items ADD n bigint GENERATED ALWAYS AS IDENTITY",
        stops="rewrites",
    ),
    Pair(
        "expression of a virtual column",
        before="CREATE TABLE shop.x (a bigint, twice bigint GENERATED ALWAYS AS (a + a) VIRTUAL)",
        after="CREATE TABLE shop.x (a bigint, twice bigint GENERATED ALWAYS AS (a * 2) VIRTUAL)",
        contains=("SET EXPRESSION AS (",),
        oldest=18,
    ),
    Pair("volatile default", T, "", "ALTER TABLE shop.items ALTER place SET DEFAULT gen_random_uuid()"),
    Pair(
        "table with a volatile default",
        after="CREATE TABLE shop.keys (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz DEFAULT"
        " clock_timestamp())",
    ),
    Pair("type that needs no rewriting", T, "", "ALTER TABLE shop.items ALTER code TYPE varchar(20)"),
    Pair(
        "type under views, a trigger and a policy",
        before="CREATE TABLE shop.items (code varchar(10));" + OVER_IT,
        after="CREATE TABLE shop.items (code varchar(20));" + OVER_IT,
    ),
    Pair(
        "type that rewrites",
        T,
        "",
        "ALTER TABLE shop.items ALTER price TYPE numeric(6,5)",
        stops="ALTER TABLE shop.items ADD COLUMN price_new numeric(6,5)",
    ),
    Pair(
        "type of a column that refers to another",
        REFERRING,
        "",
        "ALTER TABLE shop.items ALTER code TYPE text",
        contains=("'shop.codes': 'AccessExclusiveLock'", "'shop.items': 'AccessExclusiveLock'"),
    ),
    Pair(
        "type of a column with a CHECK that is referred to",
        REFERRING + "ALTER TABLE shop.codes ADD CONSTRAINT filled CHECK (code <> '');",
        "",
        "ALTER TABLE shop.codes ALTER code TYPE varchar(20)",
        contains=("'shop.codes': 'AccessExclusiveLock'", "'shop.items': 'AccessExclusiveLock'"),
    ),
    Pair(
        "type that a foreign key compares otherwise",
        REFERRING + "CREATE DOMAIN shop.code AS text;",
        "",
        "ALTER TABLE shop.items ALTER code TYPE shop.code",
        stops="may check every row against constraint shop.items.coded again while everybody waits",
    ),
    Pair("type without a cast", T, "", "ALTER TABLE shop.items ALTER place TYPE bigint USING 1", stops="USING"),
    Pair(
        "type of a column with a CHECK",
        T + "ALTER TABLE shop.items ADD CONSTRAINT filled CHECK (code <> '');",
        "",
        "ALTER TABLE shop.items ALTER code TYPE varchar(20)",
        contains=("NOT VALID", "VALIDATE CONSTRAINT filled", "autocommit_block"),
    ),
    Pair(
        "type of a column with CHECKs, with a comment and a default",
        before="CREATE TABLE shop.items (code varchar(10) DEFAULT 'c'" + CHECKED,
        after="CREATE TABLE shop.items (code text DEFAULT 'd'" + CHECKED,
    ),
    Pair(
        "type of a column whose CHECK goes",
        before="CREATE TABLE shop.items (code varchar(10), CONSTRAINT filled CHECK (code <> ''))",
        after="CREATE TABLE shop.items (code varchar(20))",
        contains=("ALTER COLUMN code TYPE", "autocommit_block"),
    ),
    Pair(
        "type of a column whose CHECKs change, have another name, and come",
        before="CREATE TABLE shop.items (code varchar(10), CONSTRAINT one CHECK (code <> ''), CONSTRAINT two CHECK"
        " (code <> 'x')); COMMENT ON CONSTRAINT one ON shop.items IS 'one'",
        after="CREATE TABLE shop.items (code varchar(20), CONSTRAINT one CHECK (code <> 'y'), CONSTRAINT other CHECK"
        " (code <> 'x'), CONSTRAINT three CHECK (code <> 'z')); COMMENT ON CONSTRAINT one ON shop.items IS 'first'",
        contains=("RENAME CONSTRAINT two TO other", "VALIDATE CONSTRAINT other"),
    ),
)
