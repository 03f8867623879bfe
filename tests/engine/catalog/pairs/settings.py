"""What is set on tables, columns, views and sequences, by the models or by hand."""

from tests.engine.catalog.pairs.case import Pair

T = "CREATE TABLE shop.notes (id bigint PRIMARY KEY, note text NOT NULL, more jsonb);"
X = "CREATE UNIQUE INDEX notes_id ON shop.notes (id);"
MARKED = "ALTER TABLE shop.notes REPLICA IDENTITY USING INDEX {0}; ALTER TABLE shop.notes CLUSTER ON {0}"
V = "CREATE VIEW shop.seen AS SELECT id, note FROM shop.notes;"
S = T + "CREATE STATISTICS shop.both (ndistinct) ON id, note FROM shop.notes;"
M = "CREATE MATERIALIZED VIEW shop.counted AS SELECT count(*) FROM shop.notes;"
EMPTY = M.replace(";", " WITH NO DATA;")


def either(name: str, both: str, statement: str, oldest: int = 15) -> tuple[Pair, Pair]:
    """By hand in the database, and in the models."""
    return (
        Pair(f"{name}, by hand", both, before=statement, oldest=oldest),
        Pair(f"{name}, in the models", both, after=statement, oldest=oldest),
    )


SETTINGS = (
    *either("storage of a column", T, "ALTER TABLE shop.notes ALTER note SET STORAGE external"),
    *either("compression of a column", T, "ALTER TABLE shop.notes ALTER note SET COMPRESSION pglz"),
    *either("options of a column", T, "ALTER TABLE shop.notes ALTER note SET (n_distinct = 5)"),
    *either("storage options", T, "ALTER TABLE shop.notes SET (fillfactor = 70, autovacuum_enabled = false)"),
    *either("toast options", T, "ALTER TABLE shop.notes SET (toast.autovacuum_enabled = false)"),
    *either("CLUSTER ON", T, "ALTER TABLE shop.notes CLUSTER ON notes_pkey"),
    *either("row security", T, "ALTER TABLE shop.notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"),
    *either("replica identity", T, "ALTER TABLE shop.notes REPLICA IDENTITY FULL"),
    *either("replica identity by an index", T, f"{X} ALTER TABLE shop.notes REPLICA IDENTITY USING INDEX notes_id"),
    *either(
        "replica identity by an index that is dropped",
        T,
        f"{X} ALTER TABLE shop.notes REPLICA IDENTITY USING INDEX notes_id; DROP INDEX shop.notes_id",
    ),
    Pair(
        "index changed that replica identity and CLUSTER ON name",
        T,
        f"{X} {MARKED.format('notes_id')}",
        f"{X.replace('(id)', '(id, note)')} {MARKED.format('notes_id')}",
    ),
    Pair(
        "key changed that CLUSTER ON names",
        T,
        f"ALTER TABLE shop.notes ADD CONSTRAINT one UNIQUE (note); {MARKED.format('one')}",
        "ALTER TABLE shop.notes ADD CONSTRAINT one UNIQUE (note, id); ALTER TABLE shop.notes CLUSTER ON one",
    ),
    *either("NOT NULL renamed", T, "ALTER TABLE shop.notes RENAME CONSTRAINT notes_note_not_null TO filled", 18),
    *either(
        "NOT NULL that no child inherits",
        T,
        "ALTER TABLE shop.notes ALTER CONSTRAINT notes_note_not_null NO INHERIT",
        18,
    ),
    *either("default of a view's column", T + V, "ALTER VIEW shop.seen ALTER note SET DEFAULT 'none'"),
    *either("sequence unlogged", "CREATE SEQUENCE shop.numbers;", "ALTER SEQUENCE shop.numbers SET UNLOGGED"),
    *either(
        "sequence's steps", "CREATE SEQUENCE shop.numbers;", "ALTER SEQUENCE shop.numbers INCREMENT 5 CACHE 9 CYCLE"
    ),
    *either(
        "sequence's owner",
        T + "CREATE SEQUENCE shop.numbers OWNED BY shop.notes.id;",
        "ALTER SEQUENCE shop.numbers OWNED BY shop.notes.more CACHE 5",
    ),
    *either("comment on statistics", S, "COMMENT ON STATISTICS shop.both IS 'both'"),
    *either("sequence", "", "CREATE SEQUENCE shop.numbers START 7"),
    Pair(
        "materialized view emptied",
        T + M,
        "REFRESH MATERIALIZED VIEW shop.counted WITH NO DATA",
        stays="setting shop.counted.emptiness",
    ),
    Pair("materialized view without data in the models", T, after=EMPTY, stops="leave WITH NO DATA out"),
    Pair("materialized view without data in the models, filled", T, M, EMPTY, stops="leave WITH NO DATA out"),
    *either(
        "trigger of a view",
        T + V + "CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';",
        "CREATE TRIGGER instead INSTEAD OF INSERT ON shop.seen FOR EACH ROW EXECUTE FUNCTION shop.f()",
    ),
)
