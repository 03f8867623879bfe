"""Types: enums, domains, ranges, composites, with a schema and without one."""

from tests.engine.catalog.pairs.case import Pair

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
        stops="ALTER TYPE public.mood ADD VALUE",
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
    Pair(
        "domain's default",
        "CREATE DOMAIN shop.code AS text;",
        "ALTER DOMAIN shop.code SET DEFAULT 'x'",
        stops="changed type shop.code",
    ),
    Pair(
        "domain's constraint",
        "CREATE DOMAIN shop.code AS text;",
        "ALTER DOMAIN shop.code ADD CONSTRAINT said CHECK (VALUE <> 'x') NOT VALID",
        stops="changed type shop.code",
    ),
    Pair("composite type", "", "", 'CREATE TYPE shop.pair AS (a integer, "B" text COLLATE "C")'),
    Pair(
        "composite's attribute",
        "",
        "CREATE TYPE shop.pair AS (a integer, b text)",
        "CREATE TYPE shop.pair AS (a integer, b text, c date)",
        stops="changed type shop.pair",
    ),
    Pair("range type", "", "", "CREATE TYPE shop.span AS RANGE (subtype = float8, subtype_diff = float8mi)"),
    Pair(
        "range type changed",
        "",
        "CREATE TYPE shop.span AS RANGE (subtype = float8)",
        "CREATE TYPE shop.span AS RANGE (subtype = float8, subtype_diff = float8mi)",
        stops="changed type shop.span",
    ),
    Pair("domain NOT NULL", "", "", "CREATE DOMAIN shop.code AS text DEFAULT 'x' NOT NULL"),
    Pair("comment on a type", MOOD, "COMMENT ON TYPE shop.mood IS 'how one feels'"),
    Pair("comment on a domain", "CREATE DOMAIN shop.code AS text;", "", "COMMENT ON DOMAIN shop.code IS 'a code'"),
)
