"""Keys that something else uses, or whose name an index has."""

from tests.engine.catalog.pairs.case import Pair

T = "CREATE TABLE shop.items (id bigint{}, a bigint, code varchar(10));"
KEYED = T.format(" PRIMARY KEY")
WIDER = T.format("") + "ALTER TABLE shop.items ADD PRIMARY KEY (id) INCLUDE (a);"
GROUPED = "CREATE VIEW shop.v AS SELECT id, code, count(*) AS n FROM shop.items GROUP BY id"
SINGLE = "CREATE VIEW shop.v AS SELECT id, code, 1::bigint AS n FROM shop.items"
THEIRS = "CREATE TABLE public.theirs (code varchar(10));"
REFERENCE = "ALTER TABLE public.theirs ADD CONSTRAINT theirs FOREIGN KEY (code) REFERENCES shop.items (code)"
CHILD = "CREATE TABLE shop.parts (code varchar(10) CONSTRAINT of REFERENCES shop.items (code))"
ONE = "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (code){};"
INDEX = "CREATE UNIQUE INDEX one ON shop.items (code); COMMENT ON INDEX shop.one IS 'one';"

KEYS = (
    Pair("primary key changed under a view", "", KEYED + GROUPED, WIDER + GROUPED, stops="view shop.v uses it"),
    Pair(
        "primary key changed under a view that no longer uses it",
        "",
        KEYED + GROUPED,
        WIDER + SINGLE,
    ),
    Pair(
        "unique key changed that a foreign key of others refers to",
        KEYED + THEIRS,
        ONE.format("") + REFERENCE,
        ONE.format(" INCLUDE (a)"),
        stops="constraint shop.items.one cannot be changed: constraint theirs on table public.theirs uses it",
    ),
    Pair(
        "unique key changed beside a foreign key of others that refers to another one",
        KEYED + THEIRS + "ALTER TABLE shop.items ADD CONSTRAINT other UNIQUE (code);",
        ONE.format("").replace("(code)", "(a)") + REFERENCE,
        ONE.format("").replace("(code)", "(a, id)"),
    ),
    Pair(
        "unique key renamed that a foreign key refers to",
        KEYED,
        ONE.format("") + CHILD,
        ONE.format("").replace("one", "other") + CHILD,
        contains=("RENAME CONSTRAINT one TO other",),
    ),
    Pair(
        "unique index made a unique key of its name",
        KEYED,
        INDEX,
        ONE.format(" DEFERRABLE") + "COMMENT ON CONSTRAINT one ON shop.items IS 'one'",
        contains=("ADD CONSTRAINT one UNIQUE USING INDEX one DEFERRABLE",),
    ),
    Pair("unique index made a unique key of its name, of other columns", KEYED, INDEX, ONE.format(" INCLUDE (a)")),
    Pair("unique key made a unique index of its name", KEYED, ONE.format(""), INDEX),
)
