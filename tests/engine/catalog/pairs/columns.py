"""Columns that come or go: with what SQLAlchemy takes for a parameter, with a sequence, under keys and grants."""

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text, text

from tests.engine.catalog.pairs.case import Pair

T = "CREATE TABLE shop.items (id bigint PRIMARY KEY, a bigint, code varchar(10));"
ODD_DEFAULTS = "ALTER TABLE shop.items ADD y text DEFAULT '50%', ADD z text DEFAULT 'at :noon';"


def items(*columns: Column[object]) -> MetaData:
    metadata = MetaData()
    first = (Column("id", BigInteger, primary_key=True), Column("a", BigInteger), Column("code", String(10)))
    Table("items", metadata, *first, *columns, schema="shop")
    return metadata


def with_odd_defaults() -> MetaData:
    half, noon = text("'50%'"), text("'at \\:noon'")
    return items(Column("y", Text, server_default=half), Column("z", Text, server_default=noon))


def with_odd_index() -> MetaData:
    metadata = items()
    filled = Index("new_n", "n", postgresql_where=text("n <> '50%'"))
    Table("new", metadata, Column("n", Text), filled, schema="shop")
    return metadata


def with_b(*parts: str) -> str:
    """The table with one column more, which is before or after these parts, of which all statements can be run."""
    return f"{T[:-2]}, b bigint{''.join(f', {part}' for part in parts)});"


BOTH = ("CONSTRAINT positive CHECK (a > 0 AND b > 0)", "CONSTRAINT one UNIQUE (a, b)")
ALONE = "ALTER TABLE shop.items ADD CONSTRAINT positive CHECK (a > 0), ADD CONSTRAINT one UNIQUE (a);"
UNPROVED = "ALTER TABLE shop.items ADD CONSTRAINT {} NOT NULL a NOT VALID"
MARKED = "ALTER TABLE shop.items CLUSTER ON ab"

COLUMNS = (
    Pair(
        "columns with % and :word in their defaults, added",
        T,
        after=ODD_DEFAULTS,
        contains=("ADD COLUMN y text DEFAULT '50%'",),
        metadata=with_odd_defaults,
    ),
    Pair("columns with % and :word in their defaults, dropped", T, before=ODD_DEFAULTS),
    Pair(
        "column with % in its default, and a comment, in the place of another one",
        T,
        before="ALTER TABLE shop.items ADD n text",
        after="ALTER TABLE shop.items ADD y text DEFAULT '50%'; COMMENT ON COLUMN shop.items.y IS 'half'",
        contains=("TODO choose: n is dropped with its values, y is added",),
    ),
    Pair(
        "column with a cast in its default, added",
        T,
        after="ALTER TABLE shop.items ADD y text DEFAULT 'half'::varchar",
        contains=("op.add_column",),
    ),
    Pair(
        "new table's index with % in its predicate",
        T,
        after="CREATE TABLE shop.new (n text); CREATE INDEX new_n ON shop.new (n) WHERE n <> '50%'",
        contains=("WHERE (n <> '50%'",),
        metadata=with_odd_index,
    ),
    Pair(
        "column dropped that a CHECK, a key and an index used, which stay",
        before=f"{with_b(*BOTH)} CREATE INDEX ab ON shop.items (a, b); COMMENT ON INDEX shop.ab IS 'ab'; {MARKED}",
        after=f"{T} {ALONE} CREATE INDEX ab ON shop.items (a); {MARKED}",
        contains=("CREATE UNIQUE INDEX CONCURRENTLY one_new", "VALIDATE CONSTRAINT positive", "INDEX CONCURRENTLY ab"),
    ),
    Pair(
        "column dropped with a CHECK, a key and an index over it and another one",
        before=f"{with_b(*BOTH)} CREATE UNIQUE INDEX ab ON shop.items (a, b)",
        after=T,
    ),
    Pair(
        "column dropped that an index used, which is to use one that is added",
        before=f"{with_b()} CREATE INDEX ab ON shop.items (a, b)",
        after=f"{T} ALTER TABLE shop.items ADD c bigint; CREATE INDEX ab ON shop.items (a, c)",
        stops="make two changes of it",
    ),
    Pair(
        "function dropped that a CHECK called, which stays",
        T,
        before="CREATE FUNCTION shop.f(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';"
        "ALTER TABLE shop.items ADD CONSTRAINT positive CHECK (shop.f(a))",
        after="ALTER TABLE shop.items ADD CONSTRAINT positive CHECK (a > 0)",
        contains=("VALIDATE CONSTRAINT positive",),
    ),
    Pair("serial column that is no key, dropped", T, before="ALTER TABLE shop.items ADD n bigserial"),
    Pair(
        "column with an identity that has a sequence of another name, dropped",
        T,
        before="ALTER TABLE shop.items ADD n bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME shop.odd START 5);"
        "COMMENT ON SEQUENCE shop.odd IS 'odd'; COMMENT ON COLUMN shop.items.n IS 'n'",
    ),
    Pair(
        "serial column dropped whose sequence stays",
        T,
        before="ALTER TABLE shop.items ADD n bigserial",
        after="CREATE SEQUENCE shop.items_n_seq",
        stops="OWNED BY NONE",
    ),
    Pair(
        "column dropped that a privilege names",
        T,
        before="ALTER TABLE shop.items ADD n bigint; GRANT SELECT (a, n) ON shop.items TO PUBLIC",
        after="GRANT SELECT (a) ON shop.items TO PUBLIC",
    ),
    Pair(
        "column added that a privilege names",
        T,
        before="GRANT SELECT (a) ON shop.items TO PUBLIC",
        after="ALTER TABLE shop.items ADD n bigint; GRANT SELECT (a, n) ON shop.items TO PUBLIC",
    ),
    Pair(
        "NOT NULL that is not validated, by hand",
        T,
        before=UNPROVED.format("items_a_not_null"),
        after="ALTER TABLE shop.items ALTER a SET NOT NULL",
        contains=("VALIDATE CONSTRAINT items_a_not_null",),
        oldest=18,
    ),
    Pair(
        "NOT NULL that is not validated, and has another name",
        T,
        before=UNPROVED.format("filled"),
        after="ALTER TABLE shop.items ALTER a SET NOT NULL",
        contains=("VALIDATE CONSTRAINT items_a_not_null",),
        oldest=18,
    ),
    Pair("NOT NULL that is not validated, taken out", T, before=UNPROVED.format("items_a_not_null"), oldest=18),
    Pair(
        "NOT NULL that is not validated, in the models",
        T,
        before="ALTER TABLE shop.items ALTER a SET NOT NULL",
        after=UNPROVED.format("items_a_not_null"),
        oldest=18,
    ),
    Pair(
        "column whose NOT NULL is not validated, added",
        T,
        after="ALTER TABLE shop.items ADD b bigint; ALTER TABLE shop.items ADD CONSTRAINT b NOT NULL b NOT VALID",
        stops="ADD CONSTRAINT b NOT NULL b NOT VALID",
        oldest=18,
    ),
)
