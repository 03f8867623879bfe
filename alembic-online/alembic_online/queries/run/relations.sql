-- The relations of users that exist now, children apart, which are locked along with their parents: oid, kind, name as
-- revisions declare it, quoted where it is no plain word.
SELECT
    c.oid::bigint,
    c.relkind::text,
    concat(
        c.relnamespace::regnamespace,
        '.',
        CASE WHEN c.relname ~ '^[a-z_][a-z0-9_]*$' THEN c.relname ELSE quote_ident(c.relname) END
    ) AS name
FROM pg_class AS c
WHERE
    c.relkind IN ('r', 'p', 'm', 'v')
    AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid)
    AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace);
