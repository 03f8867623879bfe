-- Who may do what with Phase 1's relations: the owner of each, and every privilege of others. Of the schema only USAGE.
WITH relations AS (
    SELECT c.oid, format('public.%I', c.relname) AS relation, c.relkind, c.relowner, c.relacl
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        n.nspname = 'public'
        AND (
            (c.relname IN ('features', 'hot_niches_today') AND c.relkind IN ('r', 'm'))
            OR (
                c.relkind = 'S'
                AND (
                    EXISTS (
                        SELECT FROM pg_depend AS d
                        INNER JOIN pg_class AS t ON t.oid = d.refobjid
                        WHERE
                            d.classid = 'pg_class'::regclass
                            AND d.objid = c.oid
                            AND d.deptype IN ('a', 'i')
                            AND t.relnamespace = c.relnamespace
                            AND t.relname = 'features'
                    )
                    OR EXISTS ( -- not owned by the column that it gives values to
                        SELECT FROM pg_depend AS d
                        INNER JOIN pg_attrdef AS e ON e.oid = d.objid
                        INNER JOIN pg_class AS t ON t.oid = e.adrelid
                        WHERE
                            d.classid = 'pg_attrdef'::regclass
                            AND d.refclassid = 'pg_class'::regclass
                            AND d.refobjid = c.oid
                            AND t.relnamespace = c.relnamespace
                            AND t.relname = 'features'
                    )
                )
            )
        )
),

lists AS (
    SELECT r.relation, '' AS column_name, r.relowner AS owner, r.relacl AS acl FROM relations AS r
    UNION ALL
    SELECT r.relation, a.attname::text, r.relowner, a.attacl
    FROM relations AS r
    INNER JOIN pg_attribute AS a ON a.attrelid = r.oid AND NOT a.attisdropped
    UNION ALL
    SELECT 'public', '', n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.nspname = 'public'
)

SELECT r.relation, '' AS column_name, pg_get_userbyid(r.relowner)::text AS grantee, 'OWNER' AS privilege, false AS is_grantable
FROM relations AS r
WHERE r.relkind <> 'S'
UNION ALL
SELECT
    l.relation,
    l.column_name,
    CASE WHEN g.grantee = 0 THEN '' ELSE pg_get_userbyid(g.grantee)::text END,
    g.privilege_type,
    bool_or(g.is_grantable)
FROM lists AS l
CROSS JOIN LATERAL aclexplode(l.acl) AS g
WHERE g.grantee <> l.owner AND (l.relation <> 'public' OR g.privilege_type = 'USAGE')
GROUP BY 1, 2, 3, 4
