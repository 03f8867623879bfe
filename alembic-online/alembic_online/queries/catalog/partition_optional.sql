-- DROP NOT NULL on a table and then on those of its partitions that have it by themselves, too: from PostgreSQL 18 on they
-- keep theirs. One in a primary key of the partition's own stays.
SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', t.relid::regclass, a.attname) AS statement
FROM pg_partition_tree(CAST(:table AS regclass)) AS t
INNER JOIN pg_attribute AS a ON a.attrelid = t.relid AND a.attname = CAST(:column AS text)
WHERE
    a.attnotnull
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS k
        WHERE k.conrelid = t.relid AND k.contype = 'p' AND a.attnum = ANY(k.conkey)
    )
ORDER BY t.level, t.relid
