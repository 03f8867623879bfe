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
    format('index %%s on %%s is invalid', i.indexrelid::regclass, o.name) AS finding,
    -- a key's index is the constraint's, under whose name the catalog has it
    format('%%s %%s.%%s', CASE WHEN k.oid IS NULL THEN 'index' ELSE 'constraint' END, o.plain_name, c.relname) AS object
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN ours AS o ON o.oid = i.indrelid
LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE
    NOT (i.indisvalid AND i.indisready AND i.indislive)
    AND (NOT o.shared OR format('%%s.%%s', o.plain_name, c.relname) = ANY(%(additions)s))
UNION ALL
SELECT
    format('constraint %%s on %%s is not validated', quote_ident(k.conname), o.name),
    format('constraint %%s.%%s (not validated)', o.plain_name, k.conname)
FROM pg_constraint AS k
INNER JOIN ours AS o ON o.oid = k.conrelid
WHERE
    NOT k.convalidated
    AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) -- else it is meant to be none; from PostgreSQL 18 on
    AND k.conparentid = 0 -- before PostgreSQL 18 a foreign key's to one partition is not validated with that to the table
    AND (NOT o.shared OR format('%%s.%%s', o.plain_name, k.conname) = ANY(%(additions)s))
UNION ALL
SELECT DISTINCT
    CASE
        WHEN t.tgisinternal THEN format('constraint %%s on %%s has its triggers disabled', quote_ident(k.conname), o.name)
        ELSE format('trigger %%s on %%s is disabled', quote_ident(t.tgname), o.name)
    END,
    format(
        '%%s %%s.%%s (disabled)',
        CASE WHEN t.tgisinternal THEN 'constraint' ELSE 'trigger' END,
        o.plain_name,
        CASE WHEN t.tgisinternal THEN k.conname ELSE t.tgname END
    )
FROM pg_trigger AS t
INNER JOIN ours AS o ON o.oid = t.tgrelid
LEFT JOIN pg_constraint AS k ON k.oid = t.tgconstraint
WHERE
    t.tgenabled IN ('D', 'R')
    AND (
        NOT o.shared
        OR format('%%s.%%s', o.plain_name, CASE WHEN t.tgisinternal THEN k.conname ELSE t.tgname END) = ANY(%(additions)s)
    )
UNION ALL
SELECT
    format('materialized view %%s is not populated', o.name),
    format('materialized view %%s', o.plain_name)
FROM ours AS o
WHERE o.relkind = 'm' AND NOT o.relispopulated AND o.ours_alone
ORDER BY 1;
