-- Of the objects named, those that exist: relations by their kind, functions (f) by their signature, schemas (n); whose
-- they are, and whether this role may act as the owner.
WITH named AS (
    SELECT
        each.relation,
        each.place,
        strpos(each.relation, '(') > 0 AS is_function,
        strpos(each.relation, '.') = 0 AS is_schema
    FROM unnest(%(relations)s::text []) WITH ORDINALITY AS each (relation, place)
),

found AS (
    SELECT n.relation, n.place, c.relkind::text AS kind, c.relowner AS owner
    FROM named AS n
    INNER JOIN pg_class AS c
        ON c.oid = CASE WHEN NOT n.is_function AND NOT n.is_schema THEN to_regclass(n.relation) END
    UNION ALL
    SELECT n.relation, n.place, 'f', p.proowner
    FROM named AS n
    INNER JOIN pg_proc AS p ON p.oid = CASE WHEN n.is_function THEN to_regprocedure(n.relation) END
    UNION ALL
    SELECT n.relation, n.place, 'n', s.nspowner
    FROM named AS n
    INNER JOIN pg_namespace AS s ON s.oid = CASE WHEN n.is_schema THEN to_regnamespace(n.relation) END
)

SELECT f.relation, f.kind, pg_get_userbyid(f.owner)::text AS owner, pg_has_role(f.owner, 'USAGE') AS ours
FROM found AS f
ORDER BY f.place;
