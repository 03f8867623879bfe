-- What anybody but the owner may do to these relations, in an order in which it can be granted again: whoever passed a
-- right on had it granted before, and column privileges come after those of the whole relation.
WITH wanted AS (
    SELECT c.oid, c.relacl, c.relowner, named.relation, named.place
    FROM unnest(%(relations)s::text []) WITH ORDINALITY AS named (relation, place)
    INNER JOIN pg_class AS c ON c.oid = to_regclass(named.relation)
),

granted AS (
    SELECT w.relation, w.place, w.relowner, 0 AS attnum, '' AS column_name, acl.*
    FROM wanted AS w
    CROSS JOIN LATERAL aclexplode(w.relacl) WITH ORDINALITY
        AS acl (grantor, grantee, privilege_type, is_grantable, position)
    UNION ALL
    SELECT w.relation, w.place, w.relowner, a.attnum, a.attname, acl.*
    FROM wanted AS w
    INNER JOIN pg_attribute AS a ON a.attrelid = w.oid AND NOT a.attisdropped
    CROSS JOIN LATERAL aclexplode(a.attacl) WITH ORDINALITY
        AS acl (grantor, grantee, privilege_type, is_grantable, position)
)

SELECT
    g.relation,
    g.column_name,
    pg_get_userbyid(g.grantor)::text AS grantor,
    CASE WHEN g.grantee = 0 THEN '' ELSE pg_get_userbyid(g.grantee)::text END AS grantee,
    g.privilege_type AS privilege,
    g.is_grantable
FROM granted AS g
WHERE g.grantee <> g.relowner
ORDER BY g.place, g.attnum, g.position;
