-- Whether this role may let rows of a table go and move its horizon; NULL: there is no horizon to move so far.
SELECT pg_has_role(c.relowner, 'USAGE') AS is_ours
FROM pg_class AS c
WHERE
    c.oid = to_regclass('analytics.' || quote_ident(%(relation)s))
    AND to_regprocedure('analytics.move_retention_horizon(text, date)') IS NOT NULL;
