-- The partitions of our tables: which differ from their table in what each has of its own, with the statement that makes
-- it equal; and what others have put on a single one. The catalog compares none of them.
WITH partitions AS (
    SELECT c.oid, c.oid::regclass::text AS name, c.relpersistence
    FROM pg_class AS c
    INNER JOIN pg_class AS root ON root.oid = pg_partition_root(c.oid)
    INNER JOIN pg_namespace AS n ON n.oid = root.relnamespace
    WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND n.nspname IN ('analytics', 'analytics_partitions')
)

SELECT
    (SELECT count(*) FROM partitions) AS partitions,
    ARRAY(
        SELECT format(
            '%%s is unlogged: a crash empties it, and no replica can read it: ALTER TABLE %%s SET LOGGED', p.name, p.name
        )
        FROM partitions AS p
        WHERE p.relpersistence <> 'p'
        ORDER BY p.name
    ) AS wrong,
    ARRAY(
        SELECT format('trigger %%I on %%s', g.tgname, p.name)
        FROM partitions AS p
        INNER JOIN pg_trigger AS g ON g.tgrelid = p.oid
        WHERE NOT g.tgisinternal AND g.tgparentid = 0
        UNION ALL
        SELECT format('rule %%I on %%s', r.rulename, p.name)
        FROM partitions AS p
        INNER JOIN pg_rewrite AS r ON r.ev_class = p.oid
        UNION ALL
        SELECT format('constraint %%I on %%s', k.conname, p.name)
        FROM partitions AS p
        INNER JOIN pg_constraint AS k ON k.conrelid = p.oid
        WHERE k.contype = 'c' AND k.coninhcount = 0
        ORDER BY 1
    ) AS found;
