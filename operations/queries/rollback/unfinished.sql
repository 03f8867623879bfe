-- What an exchange leaves to do: materialized views to fill, which readers wait for, then foreign keys to validate; the
-- relation, what it is called, the statement, and whether a revision has made it. Of what others have, only what stands on
-- a table that has just come back: materialized views that use it, and its foreign keys, but those that were not valid
-- when they were put aside.
WITH RECURSIVE come_back (oid) AS (
    SELECT c.oid
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN sidb.rollback_archived AS s ON s.relation = format('%%s.%%s', n.nspname, c.relname)
    WHERE s.state = 'swapped'
),

using_it (oid) AS (
    SELECT s.oid FROM come_back AS s
    UNION
    SELECT r.ev_class
    FROM using_it AS u
    INNER JOIN pg_depend AS d
        ON d.refclassid = 'pg_class'::regclass AND d.refobjid = u.oid AND d.classid = 'pg_rewrite'::regclass
    INNER JOIN pg_rewrite AS r ON r.oid = d.objid
),

views AS (
    SELECT
        format('%%I.%%I', n.nspname, c.relname) AS relation,
        format('materialized view %%s.%%s', n.nspname, c.relname) AS name,
        c.oid
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relkind = 'm' AND NOT c.relispopulated
),

keys AS (
    SELECT
        format('%%I.%%I', n.nspname, c.relname) AS relation,
        format('constraint %%s.%%s.%%s', n.nspname, c.relname, k.conname) AS name,
        k.conname,
        format('%%s.%%s', n.nspname, c.relname) AS archived,
        c.oid
    FROM pg_constraint AS k
    INNER JOIN pg_class AS c ON c.oid = k.conrelid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        k.contype = 'f'
        AND NOT k.convalidated
        AND (n.nspname = %(schema)s OR c.oid IN (SELECT s.oid FROM come_back AS s))
)

SELECT
    v.relation,
    v.name,
    format('REFRESH MATERIALIZED VIEW %%s', v.relation) AS statement,
    true AS is_view,
    v.name = ANY(%(ours)s) AS is_ours
FROM views AS v
WHERE v.name = ANY(%(ours)s) OR v.oid IN (SELECT u.oid FROM using_it AS u)
UNION ALL
SELECT
    k.relation,
    k.name,
    format('ALTER TABLE %%s VALIDATE CONSTRAINT %%I', k.relation, k.conname),
    false,
    k.name = ANY(%(ours)s)
FROM keys AS k
WHERE
    k.name = ANY(%(ours)s)
    OR (
        k.oid IN (SELECT s.oid FROM come_back AS s)
        AND NOT EXISTS (
            SELECT FROM sidb.rollback_archived AS a
            CROSS JOIN unnest(a.definitions) AS d (statement)
            WHERE
                a.relation = k.archived
                AND starts_with(d.statement, format('ALTER TABLE %%s ADD CONSTRAINT %%I ', k.relation, k.conname))
                AND d.statement ~ ' NOT (VALID|ENFORCED)$'
        )
    )
ORDER BY is_view DESC, relation, statement;
