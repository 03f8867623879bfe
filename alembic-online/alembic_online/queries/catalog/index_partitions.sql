WITH parts AS (
    SELECT t.relid, t.parentrelid, t.level, t.isleaf, own.indexrelid AS attached, r.indisunique AS is_unique,
        coalesce(own.indexrelid::regclass::text, format('%I.%I', n.nspname, named.name)) AS index_name, named.name
    FROM pg_index AS r
    INNER JOIN pg_class AS x ON x.oid = r.indexrelid
    CROSS JOIN LATERAL pg_partition_tree(r.indrelid) AS t
    INNER JOIN pg_class AS c ON c.oid = t.relid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (
        SELECT i.indexrelid
        FROM pg_partition_tree(r.indexrelid) AS a
        INNER JOIN pg_index AS i ON i.indexrelid = a.relid
        WHERE i.indrelid = t.relid
    ) AS own ON true
    CROSS JOIN LATERAL (SELECT concat_ws('_', c.relname, x.relname) AS whole) AS long
    CROSS JOIN LATERAL (
        SELECT CASE WHEN octet_length(long.whole) < 64 THEN long.whole ELSE 'idx_' || md5(long.whole) END AS name
    ) AS named
    WHERE r.indexrelid = CAST(:index AS regclass)
)

SELECT todo.statement
FROM parts AS p
INNER JOIN parts AS above ON above.relid = p.parentrelid
LEFT JOIN pg_index AS i ON i.indexrelid = to_regclass(p.index_name)
CROSS JOIN LATERAL (
    VALUES
    (1, CASE WHEN p.isleaf AND NOT i.indisvalid THEN 'DROP INDEX CONCURRENTLY IF EXISTS ' || p.index_name END),
    (2, concat(
        CASE WHEN p.is_unique THEN 'CREATE UNIQUE INDEX' ELSE 'CREATE INDEX' END,
        CASE WHEN p.isleaf THEN ' CONCURRENTLY' END,
        format(' IF NOT EXISTS %I ON ', p.name),
        CASE WHEN NOT p.isleaf THEN 'ONLY ' END,
        p.relid::regclass,
        CAST(:definition AS text)
    )),
    (3, format('ALTER INDEX %s ATTACH PARTITION %s', above.index_name, p.index_name))
) AS todo (number, statement)
WHERE p.attached IS NULL AND todo.statement IS NOT NULL
ORDER BY p.level, p.relid, todo.number
