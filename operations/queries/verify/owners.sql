-- What lies in schema analytics, or is a partition of what does, and belongs to another role than the rest of it; an
-- extension's and others' partitions apart. A partition keeps its owner when its table gets another one.
WITH objects AS (
    SELECT
        CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
        c.oid::regclass::text AS name,
        c.relowner AS owner,
        c.relispartition AS of_partitions,
        false AS runs_as_owner
    FROM pg_class AS c
    INNER JOIN pg_class AS whole ON whole.oid = CASE WHEN c.relispartition THEN pg_partition_root(c.oid) ELSE c.oid END
    INNER JOIN pg_namespace AS n ON n.oid = whole.relnamespace
    WHERE
        n.nspname = 'analytics'
        AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE
                d.classid = 'pg_class'::regclass
                AND d.objid = c.oid
                AND (
                    d.deptype = 'e'
                    -- a sequence belongs to whom its column's table does
                    OR (c.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
                )
        )
    UNION ALL
    SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner, false, p.prosecdef
    FROM pg_proc AS p
    INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE
        n.nspname = 'analytics'
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        )
    UNION ALL
    SELECT 'SCHEMA', quote_ident(n.nspname), n.nspowner, n.nspname <> 'analytics', false
    FROM pg_namespace AS n
    WHERE n.nspname IN ('analytics', 'analytics_partitions')
),

usual AS (
    SELECT mode() WITHIN GROUP (ORDER BY o.owner) FILTER (WHERE NOT o.of_partitions) AS owner, count(*) AS objects
    FROM objects AS o
)

SELECT
    u.objects,
    pg_get_userbyid(u.owner)::text AS usual,
    ARRAY(
        SELECT
            format(
                '%%s %%s belongs to %%I%%s, the rest of it to %%I: ALTER %%s %%s OWNER TO %%I',
                lower(o.kind),
                o.name,
                pg_get_userbyid(o.owner),
                CASE WHEN o.runs_as_owner THEN ' and runs with the rights of that role' END,
                pg_get_userbyid(u.owner),
                o.kind,
                o.name,
                pg_get_userbyid(u.owner)
            )
        FROM objects AS o
        WHERE o.owner <> u.owner
        ORDER BY o.kind, o.name
    ) AS wrong
FROM usual AS u
WHERE u.owner IS NOT NULL;
