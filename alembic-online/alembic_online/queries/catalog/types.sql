-- Types of our schemas, and those elsewhere that a column of ours is of, but for extensions'.
WITH used AS (
    SELECT coalesce(nullif(t.typelem, 0), t.oid) AS oid
    FROM pg_attribute AS a
    INNER JOIN pg_class AS c ON c.oid = a.attrelid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE
        a.attrelid = ANY(:relations)
        AND a.attnum > 0
        AND NOT a.attisdropped
        AND (n.nspname = ANY(:schemas) OR format('%s.%s.%s', n.nspname, c.relname, a.attname) = ANY(:additions))
)

SELECT
    'type' AS kind,
    n.nspname AS schema,
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
            CASE WHEN t.typcollation <> base.typcollation THEN ' COLLATE ' || t.typcollation::regcollation END,
            ' DEFAULT ' || t.typdefault,
            (
                SELECT string_agg(
                    CASE
                        WHEN k.contype = 'n' THEN ' NOT NULL'
                        ELSE format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid))
                    END,
                    '' ORDER BY k.conname
                )
                FROM pg_constraint AS k
                WHERE k.contypid = t.oid
            ),
            -- before PostgreSQL 17 it is no constraint
            CASE
                WHEN t.typnotnull AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'n')
                    THEN ' NOT NULL'
            END
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
FROM pg_type AS t
INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_class AS c ON c.oid = t.typrelid
LEFT JOIN pg_type AS base ON base.oid = t.typbasetype
LEFT JOIN pg_range AS r ON r.rngtypid = t.oid
LEFT JOIN pg_type AS subtype ON subtype.oid = r.rngsubtype
LEFT JOIN pg_opclass AS o ON o.oid = r.rngsubopc
LEFT JOIN pg_namespace AS opclass_schema ON opclass_schema.oid = o.opcnamespace
WHERE
    (n.nspname = ANY(:schemas) OR (t.oid IN (SELECT u.oid FROM used AS u) AND t.oid >= 16384))
    AND (t.typelem = 0 OR t.typsubscript <> 'array_subscript_handler'::regproc)
    AND t.typtype IN ('e', 'd', 'c', 'r', 'b')
    AND (c.oid IS NULL OR c.relkind = 'c')
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
    )
