-- The relations of users that exist now, children apart, which are locked along with their parents: oid, kind, name.
SELECT c.oid::bigint, c.relkind::text, format('%s.%s', c.relnamespace::regnamespace, quote_ident(c.relname)) AS name
FROM pg_class AS c
WHERE
    c.relkind IN ('r', 'p', 'm', 'v')
    AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid)
    AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace);
