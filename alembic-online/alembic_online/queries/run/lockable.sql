-- Of the relations wanted, those that exist: name, kind, and owner.
SELECT wanted.name, c.relkind::text, pg_get_userbyid(c.relowner) AS owner
FROM unnest(%(relations)s::text []) WITH ORDINALITY AS wanted (name, place)
INNER JOIN pg_class AS c ON c.oid = to_regclass(wanted.name)
ORDER BY wanted.place;
