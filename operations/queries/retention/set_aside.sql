-- Tables that an expiry has set aside, and is still to export or drop.
SELECT n.nspname || '.' || c.relname
FROM sidb.expiry AS e
INNER JOIN pg_class AS c ON c.oid = to_regclass(e.aside)
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE e.finished_at IS NULL AND NOT c.relispartition
ORDER BY e.expiry_id;
