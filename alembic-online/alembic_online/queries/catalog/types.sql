-- Types of our schemas, and those elsewhere that a column of ours is of, but for extensions'; what is set on a domain
-- apart from it, a row each.
WITH used AS (
    SELECT coalesce(span.rngtypid, nullif(t.typelem, 0), t.oid) AS oid
    FROM pg_attribute AS a
    INNER JOIN pg_class AS c ON c.oid = a.attrelid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_range AS span ON span.rngmultitypid = coalesce(nullif(t.typelem, 0), t.oid)
    WHERE
        a.attrelid = ANY(:relations)
        AND a.attnum > 0
        AND NOT a.attisdropped
        AND (n.nspname = ANY(:schemas) OR format('%s.%s.%s', n.nspname, c.relname, a.attname) = ANY(:additions))
),

types AS (
    SELECT t.*, n.nspname
    FROM pg_type AS t
    INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
    LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    WHERE
        (n.nspname = ANY(:schemas) OR (t.oid IN (SELECT u.oid FROM used AS u) AND t.oid >= 16384))
        AND (t.typelem = 0 OR t.typsubscript <> 'array_subscript_handler'::regproc)
        AND t.typtype IN ('e', 'd', 'c', 'r', 'b')
        AND (c.oid IS NULL OR c.relkind = 'c')
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
        )
),

set_on_domains (nspname, typname, part, definition, removal) AS (
    SELECT t.nspname, t.typname, 'default of the domain', format('ALTER DOMAIN %s SET DEFAULT %s', t.oid::regtype, t.typdefault),
        format('ALTER DOMAIN %s DROP DEFAULT', t.oid::regtype)
    FROM types AS t
    WHERE t.typtype = 'd' AND t.typdefault IS NOT NULL
    UNION ALL
    SELECT t.nspname, t.typname, 'NOT NULL of the domain',
        -- from PostgreSQL 17 on it has a name
        concat(format('ALTER DOMAIN %s ', t.oid::regtype), coalesce('ADD CONSTRAINT ' || quote_ident(k.conname) || ' NOT NULL', 'SET NOT NULL')),
        format('ALTER DOMAIN %s DROP NOT NULL', t.oid::regtype)
    FROM types AS t
    LEFT JOIN pg_constraint AS k ON k.contypid = t.oid AND k.contype = 'n' AND k.conname <> t.typname || '_not_null'
    WHERE t.typtype = 'd' AND t.typnotnull
    UNION ALL
    SELECT t.nspname, t.typname, format('constraint %s of the domain', k.conname),
        format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', t.oid::regtype, k.conname, pg_get_constraintdef(k.oid)),
        format('ALTER DOMAIN %s DROP CONSTRAINT %I', t.oid::regtype, k.conname)
    FROM types AS t
    INNER JOIN pg_constraint AS k ON k.contypid = t.oid AND k.contype = 'c'
)

SELECT
    'type' AS kind,
    t.nspname AS schema,
    t.typname AS name,
    '' AS part,
    CASE t.typtype
        WHEN 'e' THEN format(
            'CREATE TYPE %s AS ENUM (%s)',
            t.oid::regtype,
            (
                SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                FROM pg_enum AS e
                WHERE e.enumtypid = t.oid
            )
        )
        WHEN 'd' THEN concat(
            format('CREATE DOMAIN %s AS %s', t.oid::regtype, format_type(t.typbasetype, t.typtypmod)),
            CASE WHEN t.typcollation <> base.typcollation THEN ' COLLATE ' || t.typcollation::regcollation END
        )
        WHEN 'c' THEN format(
            'CREATE TYPE %s AS (%s)',
            t.oid::regtype,
            (
                SELECT string_agg(
                    format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
                    || CASE WHEN a.attcollation <> own.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END,
                    ', ' ORDER BY a.attnum
                )
                FROM pg_attribute AS a
                INNER JOIN pg_type AS own ON own.oid = a.atttypid
                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            )
        )
        WHEN 'r' THEN concat(
            format('CREATE TYPE %s AS RANGE (SUBTYPE = %s', t.oid::regtype, format_type(r.rngsubtype, NULL)),
            format(', SUBTYPE_OPCLASS = %I.%I', opclass_schema.nspname, o.opcname),
            CASE WHEN r.rngcollation <> subtype.typcollation THEN ', COLLATION = ' || r.rngcollation::regcollation END,
            CASE WHEN r.rngcanonical <> 0 THEN ', CANONICAL = ' || r.rngcanonical::regproc END,
            CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc END,
            format(', MULTIRANGE_TYPE_NAME = %s)', r.rngmultitypid::regtype)
        )
        ELSE format(
            'CREATE TYPE %s (INPUT = %s, OUTPUT = %s, INTERNALLENGTH = %s, ALIGNMENT = %s, STORAGE = %s, CATEGORY = %L)',
            t.oid::regtype, t.typinput, t.typoutput, t.typlen, t.typalign, t.typstorage, t.typcategory
        )
    END AS definition,
    format('DROP %s %s', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype) AS removal,
    'pg_type'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid
FROM types AS t
LEFT JOIN pg_type AS base ON base.oid = t.typbasetype
LEFT JOIN pg_range AS r ON r.rngtypid = t.oid
LEFT JOIN pg_type AS subtype ON subtype.oid = r.rngsubtype
LEFT JOIN pg_opclass AS o ON o.oid = r.rngsubopc
LEFT JOIN pg_namespace AS opclass_schema ON opclass_schema.oid = o.opcnamespace
UNION ALL
SELECT
    'setting',
    s.nspname,
    s.typname,
    s.part,
    s.definition,
    s.removal,
    0,
    0,
    0
FROM set_on_domains AS s
