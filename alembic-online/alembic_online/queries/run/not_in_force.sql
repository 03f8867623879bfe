-- What of ours is not in force: in our schemas everything but partitions and what extensions have, elsewhere our additions.
WITH RECURSIVE ours AS (
    SELECT c.oid, c.relkind, c.relispopulated, c.oid::regclass::text AS name,
        format('%%s.%%s', n.nspname, c.relname) AS plain_name,
        n.nspname = ANY(%(schemas)s) AS ours_alone,
        format('%%s.%%s', n.nspname, c.relname) = ANY(%(shared)s) AS shared
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        (
            n.nspname = ANY(%(schemas)s)
            OR n.nspname = ANY(%(retained)s)
            OR format('%%s.%%s', n.nspname, c.relname) = ANY(%(shared)s)
        )
        AND NOT c.relispartition
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
),

-- Foreign keys, each with that which somebody declared: partitions have theirs of it.
keys (oid, declared) AS (
    SELECT k.oid, k.oid
    FROM pg_constraint AS k
    WHERE k.contype = 'f' AND k.conparentid = 0
    UNION ALL
    SELECT k.oid, keys.declared
    FROM keys
    INNER JOIN pg_constraint AS k ON k.conparentid = keys.oid
)

SELECT
    format('index %%s on %%s', i.indexrelid::regclass, o.name) AS what,
    'invalid' AS state,
    -- a key's index is the constraint's, under whose name the catalog has it
    format('%%s %%s.%%s', CASE WHEN k.oid IS NULL THEN 'index' ELSE 'constraint' END, o.plain_name, c.relname) AS object,
    format(
        CASE c.relkind
            WHEN 'I' THEN 'ALTER INDEX %%s ATTACH PARTITION …' -- each partition's own
            ELSE 'REINDEX INDEX CONCURRENTLY %%s'
        END,
        i.indexrelid::regclass
    ) AS statement
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN ours AS o ON o.oid = i.indrelid
LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE
    NOT (i.indisvalid AND i.indisready AND i.indislive)
    AND (NOT o.shared OR format('%%s.%%s', o.plain_name, c.relname) = ANY(%(additions)s))
UNION ALL
-- A partition has each index of its table, as an index of its own.
SELECT
    format('index %%s on the partition %%s', i.indexrelid::regclass, i.indrelid::regclass),
    'invalid',
    format('%%s %%s.%%s', CASE WHEN k.oid IS NULL THEN 'index' ELSE 'constraint' END, o.plain_name, a.relname),
    format('REINDEX INDEX CONCURRENTLY %%s', i.indexrelid::regclass)
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid AND c.relispartition AND c.relkind = 'i'
INNER JOIN pg_class AS a ON a.oid = pg_partition_root(c.oid)
INNER JOIN ours AS o ON o.oid = pg_partition_root(i.indrelid)
LEFT JOIN pg_constraint AS k ON k.conindid = a.oid AND k.contype IN ('p', 'u', 'x')
WHERE
    NOT (i.indisvalid AND i.indisready AND i.indislive)
    AND (NOT o.shared OR format('%%s.%%s', o.plain_name, a.relname) = ANY(%(additions)s))
UNION ALL
SELECT
    format('constraint %%s on %%s', quote_ident(k.conname), o.name),
    'not validated',
    format('constraint %%s.%%s (not validated)', o.plain_name, k.conname),
    format('ALTER TABLE %%s VALIDATE CONSTRAINT %%I', o.name, k.conname)
FROM pg_constraint AS k
INNER JOIN ours AS o ON o.oid = k.conrelid
WHERE
    NOT k.convalidated
    AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) -- else it is meant to be none; from PostgreSQL 18 on
    AND k.conparentid = 0 -- before PostgreSQL 18 a foreign key's to one partition is not validated with that to the table
    AND (NOT o.shared OR format('%%s.%%s', o.plain_name, k.conname) = ANY(%(additions)s))
UNION ALL
SELECT
    format('trigger %%I on %%s', g.tgname, o.name),
    'disabled',
    format('trigger %%s.%%s (disabled)', o.plain_name, g.tgname),
    format('ALTER TABLE %%s ENABLE TRIGGER %%I', o.name, g.tgname)
FROM pg_trigger AS g
INNER JOIN ours AS o ON o.oid = g.tgrelid
WHERE
    g.tgenabled IN ('D', 'R')
    AND NOT g.tgisinternal
    AND (NOT o.shared OR format('%%s.%%s', o.plain_name, g.tgname) = ANY(%(additions)s))
UNION ALL
-- A partition has each row trigger of its table, and it can be disabled there alone. Where it is disabled on the table,
-- enabling it there enables these.
SELECT
    format('trigger %%I on the partition %%s', g.tgname, g.tgrelid::regclass),
    'disabled',
    format('trigger %%s.%%s (disabled)', o.plain_name, g.tgname),
    format('ALTER TABLE %%s ENABLE TRIGGER %%I', g.tgrelid::regclass, g.tgname)
FROM pg_trigger AS g
INNER JOIN pg_trigger AS a ON a.oid = g.tgparentid
INNER JOIN ours AS o ON o.oid = pg_partition_root(g.tgrelid)
WHERE
    g.tgenabled IN ('D', 'R')
    AND a.tgenabled NOT IN ('D', 'R')
    AND NOT g.tgisinternal
    AND (NOT o.shared OR format('%%s.%%s', o.plain_name, g.tgname) = ANY(%(additions)s))
UNION ALL
-- A foreign key is enforced by triggers of the server's own on both of its tables. They are enabled by their names: ALL
-- would enable what others have disabled there.
-- Each partition has its own, too, which can be disabled there alone.
SELECT
    format(
        'constraint %%I on %%s%%s%%s',
        CASE WHEN k.conrelid = d.conrelid THEN d.conname ELSE k.conname END,
        CASE WHEN k.conrelid <> d.conrelid THEN 'the partition ' END,
        k.conrelid::regclass,
        CASE WHEN k.confrelid <> d.confrelid THEN concat(', where it refers to the partition ', k.confrelid::regclass, ',') END
    ),
    'disabled',
    format('constraint %%s.%%s.%%s (disabled)', n.nspname, c.relname, d.conname),
    string_agg(half.statement, '; ' ORDER BY half.tgrelid <> k.conrelid)
FROM (
    SELECT
        g.tgconstraint,
        g.tgrelid,
        format(
            'ALTER TABLE %%s %%s',
            g.tgrelid::regclass,
            string_agg(format('ENABLE TRIGGER %%I', g.tgname), ', ' ORDER BY g.tgname)
        ) AS statement
    FROM pg_trigger AS g
    LEFT JOIN pg_trigger AS a ON a.oid = g.tgparentid
    WHERE
        g.tgenabled IN ('D', 'R')
        AND g.tgisinternal
        AND coalesce(a.tgenabled NOT IN ('D', 'R'), true) -- else enabling that one enables it
    GROUP BY g.tgconstraint, g.tgrelid
) AS half
INNER JOIN pg_constraint AS k ON k.oid = half.tgconstraint
INNER JOIN keys ON keys.oid = k.oid
INNER JOIN pg_constraint AS d ON d.oid = keys.declared
INNER JOIN pg_class AS c ON c.oid = d.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN ours AS o ON o.oid = d.conrelid
LEFT JOIN ours AS t ON t.oid = d.confrelid AND half.tgrelid = k.confrelid AND NOT t.shared
WHERE
    (o.oid IS NOT NULL AND (NOT o.shared OR format('%%s.%%s', o.plain_name, d.conname) = ANY(%(additions)s)))
    OR t.oid IS NOT NULL -- of others, on a table of ours
GROUP BY k.oid, d.oid, n.nspname, c.relname
UNION ALL
SELECT
    format('materialized view %%s', o.name),
    'not populated',
    format('materialized view %%s', o.plain_name),
    format('REFRESH MATERIALIZED VIEW %%s', o.name)
FROM ours AS o
WHERE o.relkind = 'm' AND NOT o.relispopulated AND o.ours_alone
ORDER BY 1;
