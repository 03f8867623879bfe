-- What is set on relations, columns and sequences beyond what creates them; one row each, absent where it is as
-- PostgreSQL makes it. The removal sets that again.
WITH relations AS (
    SELECT
        n.nspname AS schema, c.relname AS name, c.oid, c.oid::regclass AS called, c.relkind, c.reltoastrelid, c.relpersistence,
        c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispopulated, c.reloptions,
        CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = ANY(:relations)
),

columns AS (
    SELECT
        r.schema, r.name, r.oid, r.called, r.relkind, r.kind, a.attnum, a.attname, a.attstorage, a.attcompression,
        a.attoptions, a.atthasdef, t.typstorage,
        format('ALTER %s %s ALTER COLUMN %I', r.kind, r.called, a.attname) AS altering
    FROM relations AS r
    INNER JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    INNER JOIN pg_type AS t ON t.oid = a.atttypid
),

-- with an array: by the names of its options
options AS (
    SELECT
        o.schema, o.name, o.part,
        format('%s SET (%s%s)', o.altering, o.prefix, array_to_string(o.given, ', ' || o.prefix)) AS definition,
        format(
            '%s RESET (%s)',
            o.altering,
            (SELECT string_agg(o.prefix || split_part(g, '=', 1), ', ') FROM unnest(o.given) AS g)
        ) AS removal
    FROM (
        SELECT r.schema, r.name, 'storage parameters', format('ALTER %s %s', r.kind, r.called), '', r.reloptions
        FROM relations AS r
        WHERE r.relkind IN ('r', 'p')
        UNION ALL
        SELECT r.schema, r.name, 'storage parameters of TOAST', format('ALTER %s %s', r.kind, r.called), 'toast.', t.reloptions
        FROM relations AS r
        INNER JOIN pg_class AS t ON t.oid = r.reltoastrelid
        UNION ALL
        SELECT c.schema, c.name, 'options of column ' || c.attname, c.altering, '', c.attoptions
        FROM columns AS c
    ) AS o (schema, name, part, altering, prefix, given)
    WHERE o.given IS NOT NULL
),

settings AS (
    SELECT o.schema, o.name, o.part, o.definition, o.removal
    FROM options AS o
    UNION ALL
    SELECT r.schema, r.name, 'row security', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', r.called),
        format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', r.called)
    FROM relations AS r
    WHERE r.relrowsecurity
    UNION ALL
    SELECT r.schema, r.name, 'row security of the owner', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', r.called),
        format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', r.called)
    FROM relations AS r
    WHERE r.relforcerowsecurity
    UNION ALL
    SELECT r.schema, r.name, 'replica identity',
        format(
            'ALTER TABLE %s REPLICA IDENTITY %s',
            r.called,
            CASE
                WHEN r.relreplident = 'f' THEN 'FULL'
                WHEN r.relreplident = 'n' OR x.relname IS NULL THEN 'NOTHING' -- as where its index is dropped
                ELSE format('USING INDEX %I', x.relname)
            END
        ),
        format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', r.called)
    FROM relations AS r
    LEFT JOIN pg_index AS i ON i.indrelid = r.oid AND i.indisreplident
    LEFT JOIN pg_class AS x ON x.oid = i.indexrelid
    WHERE r.relreplident <> 'd' AND r.relkind IN ('r', 'p', 'm')
    UNION ALL
    SELECT r.schema, r.name, 'cluster', format('ALTER %s %s CLUSTER ON %I', r.kind, r.called, x.relname),
        format('ALTER %s %s SET WITHOUT CLUSTER', r.kind, r.called)
    FROM relations AS r
    INNER JOIN pg_index AS i ON i.indrelid = r.oid AND i.indisclustered
    INNER JOIN pg_class AS x ON x.oid = i.indexrelid
    UNION ALL
    SELECT r.schema, r.name, 'emptiness', format('REFRESH MATERIALIZED VIEW %s WITH NO DATA', r.called),
        format('REFRESH MATERIALIZED VIEW %s', r.called)
    FROM relations AS r
    WHERE r.relkind = 'm' AND NOT r.relispopulated
    UNION ALL
    SELECT c.schema, c.name, 'storage of column ' || c.attname, format('%s SET STORAGE %s', c.altering, storage.word),
        format('%s SET STORAGE %s', c.altering, usual.word)
    FROM columns AS c
    INNER JOIN (VALUES ('p'::"char", 'PLAIN'), ('e', 'EXTERNAL'), ('m', 'MAIN'), ('x', 'EXTENDED')) AS storage (letter, word)
        ON storage.letter = c.attstorage
    INNER JOIN (VALUES ('p'::"char", 'PLAIN'), ('e', 'EXTERNAL'), ('m', 'MAIN'), ('x', 'EXTENDED')) AS usual (letter, word)
        ON usual.letter = c.typstorage
    WHERE c.attstorage <> c.typstorage
    UNION ALL
    SELECT c.schema, c.name, 'compression of column ' || c.attname,
        format('%s SET COMPRESSION %s', c.altering, CASE c.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),
        format('%s SET COMPRESSION DEFAULT', c.altering)
    FROM columns AS c
    WHERE c.attcompression <> ''
    UNION ALL
    SELECT c.schema, c.name, 'default of column ' || c.attname,
        format('%s SET DEFAULT %s', c.altering, pg_get_expr(d.adbin, d.adrelid)), format('%s DROP DEFAULT', c.altering)
    FROM columns AS c
    INNER JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = c.attnum
    WHERE c.relkind = 'v'
    UNION ALL
    -- NOT NULL has a name from PostgreSQL 18 on.
    SELECT c.schema, c.name, 'name of NOT NULL of column ' || c.attname,
        format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', c.called, usual.name, k.conname),
        format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', c.called, k.conname, usual.name)
    FROM columns AS c
    INNER JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'n' AND k.conkey[1] = c.attnum
    CROSS JOIN LATERAL (SELECT format('%s_%s_not_null', c.name, c.attname) AS name) AS usual
    WHERE k.conname <> usual.name AND length(usual.name) < 64 AND k.conislocal
    UNION ALL
    SELECT c.schema, c.name, 'no inheritance of NOT NULL of column ' || c.attname,
        format('ALTER TABLE %s ALTER CONSTRAINT %I NO INHERIT', c.called, k.conname),
        format('ALTER TABLE %s ALTER CONSTRAINT %I INHERIT', c.called, k.conname)
    FROM columns AS c
    INNER JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'n' AND k.conkey[1] = c.attnum
    WHERE k.connoinherit
    UNION ALL
    SELECT n.nspname, c.relname, 'persistence of the sequence', format('ALTER SEQUENCE %s SET UNLOGGED', c.oid::regclass),
        format('ALTER SEQUENCE %s SET LOGGED', c.oid::regclass)
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        c.relkind = 'S'
        AND c.relpersistence = 'u'
        AND n.nspname = ANY(:schemas)
        -- one that an UNLOGGED table owns is so with its table
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            INNER JOIN pg_class AS owner ON owner.oid = d.refobjid AND owner.relpersistence = 'u'
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
        )
)

SELECT
    'setting' AS kind,
    s.schema,
    s.name,
    s.part,
    s.definition,
    s.removal,
    0 AS classid,
    0 AS objid,
    0 AS objsubid
FROM settings AS s
