-- Of a table that is partitioned, the partition that holds all before a bound, and that bound; whether the archived table
-- is plain. No row where there is none.
SELECT
    p.oid::regclass::text AS partition,
    substring(pg_get_expr(p.relpartbound, p.oid) FROM 'TO \(''([^'']+)''\)') AS bound
FROM pg_class AS c
INNER JOIN pg_inherits AS i ON i.inhparent = c.oid
INNER JOIN pg_class AS p ON p.oid = i.inhrelid
INNER JOIN pg_class AS a ON a.oid = to_regclass(%(archived)s) AND a.relkind = 'r'
WHERE
    c.oid = to_regclass(%(relation)s)
    AND c.relkind = 'p'
    AND pg_get_expr(p.relpartbound, p.oid) LIKE 'FOR VALUES FROM (MINVALUE)%%';
