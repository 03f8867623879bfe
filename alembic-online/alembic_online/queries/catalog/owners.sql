-- What in our schemas belongs to another role than most of it.
WITH objects AS (
    SELECT format('%s %s', CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'relation' END, c.oid::regclass) AS name, c.relowner AS owner
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        (
            c.oid = ANY(:relations)
            OR (
                c.relkind = 'S'
                -- those of others' tables and partitions are theirs
                AND NOT EXISTS (
                    SELECT FROM pg_depend AS d
                    WHERE
                        d.classid = 'pg_class'::regclass
                        AND d.objid = c.oid
                        AND d.refclassid = 'pg_class'::regclass
                        AND d.deptype IN ('a', 'i')
                        AND d.refobjid <> ALL(:relations)
                )
            )
        )
        AND n.nspname = ANY(:schemas)
        AND c.relname <> :version_table
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
    UNION ALL
    SELECT format('function %s', p.oid::regprocedure), p.proowner
    FROM pg_proc AS p
    INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE
        n.nspname = ANY(:schemas)
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        )
    UNION ALL
    SELECT format('type %s', t.oid::regtype), t.typowner
    FROM pg_type AS t
    INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE
        n.nspname = ANY(:schemas)
        AND t.typtype IN ('e', 'd', 'r')
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
        )
),

most AS (
    SELECT o.owner
    FROM objects AS o
    GROUP BY o.owner
    ORDER BY count(*) DESC, o.owner
    LIMIT 1
)

SELECT
    format('%s belongs to %I, most of what is ours to %I', o.name, pg_get_userbyid(o.owner), pg_get_userbyid(m.owner))
FROM objects AS o
INNER JOIN most AS m ON m.owner <> o.owner
ORDER BY 1
