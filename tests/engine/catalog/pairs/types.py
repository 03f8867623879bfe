"""Types: enums, domains, ranges, composites, with a schema and without one."""

from tests.engine.catalog.pairs.case import Pair

HELD = "CREATE TABLE shop.held (it {}{});"
USED = "CREATE FUNCTION shop.used({}) RETURNS bigint LANGUAGE sql AS 'SELECT 1';"
CODE = "CREATE DOMAIN shop.code AS text;"
SAID = "CREATE DOMAIN shop.code AS text CONSTRAINT said CHECK (VALUE <> '');"
ORDERS = "CREATE TABLE shop.orders (id bigint PRIMARY KEY);"
MOOD = "CREATE TYPE shop.mood AS ENUM ('sad', 'it''s glad');"
PUBLIC_MOOD = "CREATE TYPE public.mood AS ENUM ('sad', 'glad');"

TYPES = (
    Pair("enum for a new column", ORDERS, "", f"{MOOD} ALTER TABLE shop.orders ADD mood shop.mood"),
    Pair(
        "enum for a new table", "", "", f"{MOOD} CREATE TABLE shop.moods (mood shop.mood PRIMARY KEY, more shop.mood[])"
    ),
    Pair("enum dropped with its column", ORDERS, f"{MOOD} ALTER TABLE shop.orders ADD mood shop.mood"),
    Pair(
        "enum without a schema for a new column",
        ORDERS,
        "",
        f"{PUBLIC_MOOD} ALTER TABLE shop.orders ADD mood public.mood",
    ),
    Pair(
        "enum without a schema, for a new table, with a default",
        "",
        "",
        f"{PUBLIC_MOOD} CREATE TABLE shop.moods (id bigint PRIMARY KEY, mood public.mood NOT NULL DEFAULT 'sad')",
    ),
    Pair(
        "enum's label added",
        before="CREATE TYPE public.mood AS ENUM ('sad', 'glad'); CREATE TABLE shop.moods (mood public.mood)",
        after="CREATE TYPE public.mood AS ENUM ('sad', 'so-so', 'glad'); CREATE TABLE shop.moods (mood public.mood)",
        contains=("ALTER TYPE public.mood ADD VALUE IF NOT EXISTS 'so-so' AFTER 'sad'", "autocommit_block"),
        stays="type public.mood",
    ),
    Pair(
        "enum's labels added before and after, with another change",
        before="CREATE TYPE shop.mood AS ENUM ('it''s b', 'e');" + HELD.format("shop.mood[]", ""),
        after="CREATE TYPE shop.mood AS ENUM (E'a\\\\', 'it''s b', 'c', 'd', 'e', 'f');"
        + HELD.format("shop.mood[]", ", more text"),
        stays="type shop.mood",
    ),
    Pair(
        "enum's label added and used at once",
        before="CREATE TYPE shop.mood AS ENUM ('sad');" + HELD.format("shop.mood", " DEFAULT 'sad'"),
        after="CREATE TYPE shop.mood AS ENUM ('sad', 'glad');" + HELD.format("shop.mood", " DEFAULT 'glad'"),
        contains=("SET DEFAULT 'glad'", "ADD VALUE IF NOT EXISTS 'glad' AFTER 'sad'"),
        stays="type shop.mood",
    ),
    Pair(
        "enum's label removed, of which no table is",
        before="CREATE TYPE shop.mood AS ENUM ('sad', 'glad'); COMMENT ON TYPE shop.mood IS 'm';"
        + USED.format("shop.mood"),
        after="CREATE TYPE shop.mood AS ENUM ('sad'); COMMENT ON TYPE shop.mood IS 'n';" + USED.format("shop.mood"),
    ),
    Pair(
        "enum's label removed",
        before="CREATE TYPE public.mood AS ENUM ('sad', 'so-so', 'glad'); CREATE TABLE shop.moods (mood public.mood)",
        after="CREATE TYPE public.mood AS ENUM ('sad', 'glad'); CREATE TABLE shop.moods (mood public.mood)",
        stops="changed type public.mood",
    ),
    Pair(
        "domain for a new column",
        ORDERS,
        "",
        "CREATE DOMAIN shop.code AS varchar(10) COLLATE \"C\" CONSTRAINT code_check CHECK (VALUE <> '');"
        " CREATE TABLE shop.codes (id bigint PRIMARY KEY, code shop.code)",
    ),
    Pair(
        "domain without a schema for a new table",
        "",
        "",
        "CREATE DOMAIN public.code AS text; CREATE TABLE shop.codes (id bigint PRIMARY KEY, code public.code)",
    ),
    Pair("domain's default", CODE + HELD.format("shop.code", ""), "ALTER DOMAIN shop.code SET DEFAULT 'x'"),
    Pair(
        "domain's default, another one",
        HELD.format("text", ""),
        "CREATE DOMAIN shop.code AS text DEFAULT 'x'",
        "CREATE DOMAIN shop.code AS text DEFAULT 'y'",
    ),
    Pair(
        "domain's constraint, not validated",
        CODE + HELD.format("shop.code", ""),
        "ALTER DOMAIN shop.code ADD CONSTRAINT said CHECK (VALUE <> 'x') NOT VALID",
    ),
    Pair(
        "domain's constraint, of which no table is",
        CODE,
        "ALTER DOMAIN shop.code ADD CONSTRAINT \"It's\" CHECK (VALUE <> 'x')",
        "ALTER DOMAIN shop.code ADD CONSTRAINT \"It's\" CHECK (VALUE <> 'y'); ALTER DOMAIN shop.code SET NOT NULL",
    ),
    Pair(
        "domain's constraint",
        CODE + HELD.format("shop.code", ""),
        "",
        "ALTER DOMAIN shop.code ADD CONSTRAINT said CHECK (VALUE <> 'x'); ALTER DOMAIN shop.code SET NOT NULL",
        stops="whose writers wait",
    ),
    Pair(
        "domain dropped, with all that is set on it",
        "",
        "CREATE DOMAIN shop.code AS text DEFAULT 'x' NOT NULL CHECK (VALUE <> ''); COMMENT ON DOMAIN shop.code IS 'c'",
    ),
    Pair(
        "domain of another type",
        USED.format("text"),
        "CREATE DOMAIN shop.code AS text CHECK (VALUE <> ''); CREATE TYPE shop.pair AS (a shop.code)",
        "CREATE DOMAIN shop.code AS varchar(9) CHECK (VALUE <> ''); CREATE TYPE shop.pair AS (a shop.code)",
    ),
    Pair(
        "NOT NULL of a domain by name",
        "",
        "CREATE DOMAIN shop.code AS text NOT NULL",
        "CREATE DOMAIN shop.code AS text CONSTRAINT filled NOT NULL",
        oldest=17,
    ),
    Pair("composite type", "", "", 'CREATE TYPE shop.pair AS (a integer, "B" text COLLATE "C")'),
    Pair(
        "composite's attribute",
        "",
        "CREATE TYPE shop.pair AS (a integer, b text)",
        "CREATE TYPE shop.pair AS (a integer, b text, c date)",
    ),
    Pair(
        "composite's attribute, under a function and a view",
        "",
        "CREATE TYPE shop.pair AS (a integer, b text);"
        + USED.format("shop.pair")
        + "CREATE VIEW shop.seen AS SELECT shop.used(NULL) AS n",
        "CREATE TYPE shop.pair AS (b text, a integer);"
        + USED.format("shop.pair")
        + "CREATE VIEW shop.seen AS SELECT shop.used(NULL) AS n",
    ),
    Pair(
        "composite's attribute, in a table",
        before="CREATE TYPE shop.pair AS (a integer, b text);" + HELD.format("shop.pair", ""),
        after="CREATE TYPE shop.pair AS (a integer);" + HELD.format("shop.pair", ""),
        stops="ALTER TYPE shop.pair ADD ATTRIBUTE",
    ),
    Pair("range type", "", "", "CREATE TYPE shop.span AS RANGE (subtype = float8, subtype_diff = float8mi)"),
    Pair(
        "range type changed",
        "",
        "CREATE TYPE shop.span AS RANGE (subtype = float8)",
        "CREATE TYPE shop.span AS RANGE (subtype = float8, subtype_diff = float8mi)",
    ),
    Pair(
        "column of a composite type dropped",
        "CREATE TYPE shop.pair AS (a integer, b text); CREATE TABLE shop.held (id bigint);",
        "ALTER TABLE shop.held ADD it shop.pair; COMMENT ON COLUMN shop.held.it IS 'a pair'",
    ),
    Pair(
        "range type changed, in a table as a multirange",
        before="CREATE TYPE shop.span AS RANGE (subtype = float8);" + HELD.format("shop.span_multirange", ""),
        after="CREATE TYPE shop.span AS RANGE (subtype = float4, multirange_type_name = shop.span_multirange);"
        + HELD.format("shop.span_multirange", ""),
        stops="changed type shop.span",
    ),
    Pair("domain NOT NULL", "", "", "CREATE DOMAIN shop.code AS text DEFAULT 'x' NOT NULL"),
    Pair("comment on a type", MOOD, "COMMENT ON TYPE shop.mood IS 'how one feels'"),
    Pair(
        "comment on a composite's attribute",
        "CREATE TYPE shop.pair AS (a integer);",
        "COMMENT ON COLUMN shop.pair.a IS 'a'",
    ),
    Pair("comment on a domain's constraint", SAID, "", "COMMENT ON CONSTRAINT said ON DOMAIN shop.code IS 'said'"),
    Pair("comment on a domain", "CREATE DOMAIN shop.code AS text;", "", "COMMENT ON DOMAIN shop.code IS 'a code'"),
)
