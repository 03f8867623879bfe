"""Functions, aggregates and operators."""

from tests.engine.catalog.pairs.case import Pair

F = "CREATE FUNCTION shop.f(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT {}($1)';"
F_USED = "ALTER TABLE shop.words ALTER word SET DEFAULT shop.f('X')"
T = "CREATE TABLE shop.words (word text);"
MORE = "ALTER TABLE shop.words ADD more text;"
ATOMIC = "CREATE FUNCTION shop.a() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT {} FROM shop.words; END;"
UNBOUND = "CREATE FUNCTION shop.u() RETURNS text LANGUAGE sql AS 'SELECT {} FROM shop.words';"
SUM = "CREATE AGGREGATE shop.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '{}');"
OPERATOR = (
    "CREATE FUNCTION shop.near(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT abs($1 - $2) < 2';"
    "CREATE OPERATOR shop.~~~ (FUNCTION = shop.near, LEFTARG = integer, RIGHTARG = integer,"
    " COMMUTATOR = OPERATOR(shop.~~~){});"
)
NEAR = "CREATE TABLE shop.x (a bigint, CONSTRAINT near CHECK (a::integer OPERATOR(shop.~~~) 3))"
CHAIN = (
    "CREATE FUNCTION shop.g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT 1::bigint; END;"
    "CREATE FUNCTION shop.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT shop.g(); END;"
    "CREATE TABLE shop.x (id bigint DEFAULT shop.f())"
)
NAMED = (
    "CREATE VIEW shop.v AS SELECT word FROM shop.words;"
    "CREATE FUNCTION shop.b() RETURNS text LANGUAGE sql AS 'SELECT min(word) FROM shop.v';"
    "CREATE FUNCTION shop.a() RETURNS text LANGUAGE sql AS 'SELECT shop.b()'"
)

ROUTINES = (
    Pair(
        "immutable function under an index",
        T,
        F.format("lower") + "CREATE INDEX words_f ON shop.words (shop.f(word))",
        F.format("upper") + "CREATE INDEX words_f ON shop.words (shop.f(word))",
        contains=("REINDEX INDEX CONCURRENTLY shop.words_f",),
    ),
    Pair(
        "immutable function under a CHECK",
        T,
        F.format("lower") + "ALTER TABLE shop.words ADD CONSTRAINT said CHECK (shop.f(word) <> '')",
        F.format("upper") + "ALTER TABLE shop.words ADD CONSTRAINT said CHECK (shop.f(word) <> '')",
        contains=("CREATE OR REPLACE FUNCTION", "VALIDATE CONSTRAINT said"),
    ),
    Pair(
        "immutable function under a default",
        T,
        F.format("lower") + F_USED,
        F.format("upper") + F_USED,
    ),
    Pair(
        "immutable function under a generated column",
        "",
        F.format("lower") + "CREATE TABLE shop.words (word text, said text GENERATED ALWAYS AS (shop.f(word)) STORED)",
        F.format("upper") + "CREATE TABLE shop.words (word text, said text GENERATED ALWAYS AS (shop.f(word)) STORED)",
        stops="rows were checked or computed by the old body",
    ),
    Pair(
        "function that uses a column which goes",
        T,
        MORE + ATOMIC.format("more"),
        ATOMIC.format("word") + "COMMENT ON FUNCTION shop.a() IS 'a'",
    ),
    Pair("function that uses a column which comes", T, ATOMIC.format("word"), MORE + ATOMIC.format("more")),
    Pair(
        "function that uses a column of another type",
        "",
        "CREATE TABLE shop.words (word varchar(5));" + ATOMIC.format("word"),
        "CREATE TABLE shop.words (word varchar(9));" + ATOMIC.format("word"),
    ),
    Pair("aggregate", "", "", SUM.format(0)),
    Pair("aggregate dropped", "", SUM.format(0)),
    Pair("aggregate changed", "", SUM.format(0), SUM.format(1)),
    Pair(
        "aggregate of everything",
        after="CREATE AGGREGATE shop.best(integer, VARIADIC text[]) (SFUNC = shop.pick, STYPE = bigint, SSPACE = 8,"
        " FINALFUNC = shop.done, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE)",
        both="CREATE FUNCTION shop.pick(bigint, integer, VARIADIC text[]) RETURNS bigint LANGUAGE sql AS 'SELECT $1';"
        "CREATE FUNCTION shop.done(bigint) RETURNS text LANGUAGE sql AS 'SELECT $1::text';",
    ),
    Pair("operator", "", "", OPERATOR.format("")),
    Pair("operator changed", "", OPERATOR.format(""), OPERATOR.format(", RESTRICT = contsel")),
    Pair("functions whose bodies name what comes after them", T, after=NAMED, contains=("function_bodies = off",)),
    Pair("functions whose bodies name what comes after them, dropped", T, before=NAMED),
    Pair(
        "function whose body names a column that goes",
        "",
        T + MORE + UNBOUND.format("more"),
        T + UNBOUND.format("word"),
    ),
    Pair("functions that a table's default uses, added", after=CHAIN),
    Pair("functions that a table's default uses, dropped", before=CHAIN),
    Pair("operator that a table's CHECK uses, added", after=OPERATOR.format("") + NEAR),
    Pair("operator that a table's CHECK uses, dropped", before=OPERATOR.format("") + NEAR),
)
