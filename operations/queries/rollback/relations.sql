-- Of the relations named, those that exist: kind, owner, and whether this role may act as the owner.
SELECT named.relation, c.relkind::text AS kind, pg_get_userbyid(c.relowner)::text AS owner,
    pg_has_role(c.relowner, 'USAGE') AS ours
FROM unnest(%(relations)s::text []) WITH ORDINALITY AS named (relation, place)
INNER JOIN pg_class AS c ON c.oid = to_regclass(named.relation)
ORDER BY named.place;
