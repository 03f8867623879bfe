-- Whether one of these relations and columns, called as in "column public.orders.total", is there and may be ours.
WITH relations AS (
    SELECT
        c.oid,
        format('%s.%s', n.nspname, c.relname) AS name,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (n.nspname = ANY(:schemas) OR format('%s.%s', n.nspname, c.relname) = ANY(:shared))
)

SELECT
    EXISTS (SELECT FROM relations AS r WHERE format('%s %s', r.kind, r.name) = ANY(:names))
    OR EXISTS (
        SELECT FROM relations AS r
        INNER JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE format('column %s.%s', r.name, a.attname) = ANY(:names)
    )
