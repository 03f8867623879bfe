-- What of ours is not in force: in our schemas everything but partitions and what extensions have, elsewhere our additions.
WITH ours AS (
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
SELECT DISTINCT
    format('%%s %%I on %%s', t.kind, t.name, o.name),
    'disabled',
    format('%%s %%s.%%s (disabled)', t.kind, o.plain_name, t.name),
    format('ALTER TABLE %%s ENABLE TRIGGER %%s', o.name, CASE t.kind WHEN 'trigger' THEN quote_ident(t.name) ELSE 'ALL' END)
FROM (
    SELECT g.tgrelid, 'trigger' AS kind, g.tgname AS name
    FROM pg_trigger AS g
    WHERE g.tgenabled IN ('D', 'R') AND NOT g.tgisinternal
    UNION ALL
    -- A foreign key is enforced by triggers of the server's own.
    SELECT g.tgrelid, 'constraint', k.conname
    FROM pg_trigger AS g
    LEFT JOIN pg_constraint AS k ON k.oid = g.tgconstraint
    WHERE g.tgenabled IN ('D', 'R') AND g.tgisinternal
) AS t
INNER JOIN ours AS o ON o.oid = t.tgrelid
WHERE NOT o.shared OR format('%%s.%%s', o.plain_name, t.name) = ANY(%(additions)s)
UNION ALL
SELECT
    format('materialized view %%s', o.name),
    'not populated',
    format('materialized view %%s', o.plain_name),
    format('REFRESH MATERIALIZED VIEW %%s', o.name)
FROM ours AS o
WHERE o.relkind = 'm' AND NOT o.relispopulated AND o.ours_alone
ORDER BY 1;
