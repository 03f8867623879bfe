-- What anybody but the owner may do to these objects, in an order in which it can be granted again: whoever passed a
-- right on had it granted before, and column privileges come after those of the whole relation.
WITH named AS (
    SELECT
        each.relation,
        each.place,
        strpos(each.relation, '(') > 0 AS is_function,
        strpos(each.relation, '.') = 0 AS is_schema
    FROM unnest(%(relations)s::text []) WITH ORDINALITY AS each (relation, place)
),

relations AS (
    SELECT n.relation, n.place, c.oid, c.relacl, c.relowner
    FROM named AS n
    INNER JOIN pg_class AS c
        ON c.oid = CASE WHEN NOT n.is_function AND NOT n.is_schema THEN to_regclass(n.relation) END
),

lists AS (
    SELECT r.relation, r.place, r.relowner AS owner, 0 AS attnum, '' AS column_name, r.relacl AS acl
    FROM relations AS r
    UNION ALL
    SELECT r.relation, r.place, r.relowner, a.attnum, a.attname, a.attacl
    FROM relations AS r
    INNER JOIN pg_attribute AS a ON a.attrelid = r.oid AND NOT a.attisdropped
    UNION ALL
    SELECT n.relation, n.place, p.proowner, 0, '', p.proacl
    FROM named AS n
    INNER JOIN pg_proc AS p ON p.oid = CASE WHEN n.is_function THEN to_regprocedure(n.relation) END
    UNION ALL
    SELECT n.relation, n.place, s.nspowner, 0, '', s.nspacl
    FROM named AS n
    INNER JOIN pg_namespace AS s ON s.oid = CASE WHEN n.is_schema THEN to_regnamespace(n.relation) END
)

SELECT
    l.relation,
    l.column_name,
    pg_get_userbyid(g.grantor)::text AS grantor,
    CASE WHEN g.grantee = 0 THEN '' ELSE pg_get_userbyid(g.grantee)::text END AS grantee,
    g.privilege_type AS privilege,
    g.is_grantable
FROM lists AS l
CROSS JOIN LATERAL aclexplode(l.acl) WITH ORDINALITY
    AS g (grantor, grantee, privilege_type, is_grantable, position)
WHERE g.grantee <> l.owner
ORDER BY l.place, l.attnum, g.position;
