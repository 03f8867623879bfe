-- The relations whose rows are verified: those of our schemas but for an extension's and others' partitions, and Phase
-- 1's two. Of our own partitioned tables, the partitions as well.
SELECT c.oid::bigint AS oid
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind IN ('r', 'p', 'm')
    AND (n.nspname IN ('analytics', 'analytics_partitions') OR (n.nspname = 'public' AND c.relname IN ('features', 'hot_niches_today')))
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
    AND NOT EXISTS (
        SELECT FROM pg_partition_ancestors(c.oid) AS a (relid)
        INNER JOIN pg_class AS root ON root.oid = a.relid
        INNER JOIN pg_namespace AS rn ON rn.oid = root.relnamespace
        WHERE rn.nspname NOT IN ('analytics', 'analytics_partitions')
    );
