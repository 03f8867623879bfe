-- The indexes of a partition but for its key's, and those of another table that hold the same: NULL where it has none.
SELECT
    x.relname::text AS wanted,
    substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*') AS definition,
    (
        SELECT ax.relname::text
        FROM pg_index AS a
        INNER JOIN pg_class AS ax ON ax.oid = a.indexrelid
        WHERE
            a.indrelid = to_regclass(%(archived)s)
            AND a.indisvalid
            AND NOT a.indisunique
            AND substring(pg_get_indexdef(a.indexrelid) FROM ' USING .*') = substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*')
        ORDER BY ax.relname
        LIMIT 1
    ) AS there
FROM pg_index AS i
INNER JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE i.indrelid = to_regclass(%(partition)s) AND NOT i.indisprimary
ORDER BY x.relname;
