-- Of the relations wanted, those that exist: name, kind, owner, and, of a table that may have partitions or children, all
-- of which are locked with it, the statement_timeout that is in force.
SELECT
    wanted.name,
    c.relkind::text,
    pg_get_userbyid(c.relowner) AS owner,
    CASE WHEN c.relhassubclass THEN current_setting('statement_timeout') END AS limit_in_force
FROM unnest(%(relations)s::text []) WITH ORDINALITY AS wanted (name, place)
INNER JOIN pg_class AS c ON c.oid = to_regclass(wanted.name)
ORDER BY wanted.place;
