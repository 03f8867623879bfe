-- What was written down and is no longer so, with the statement that makes it so again. Left out is what cannot be: of roles
-- and columns that are gone, and what a role has as the owner.
SELECT
    m.relation,
    m.column_name,
    m.grantee,
    m.privilege,
    o.grantee AS owner,
    CASE
        WHEN m.privilege = 'OWNER'
            THEN format(
                'ALTER %s %s OWNER TO %I', CASE WHEN c.relkind = 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, m.relation, m.grantee
            )
        ELSE format(
            'GRANT %s%s ON %s %s TO %s%s',
            m.privilege,
            CASE WHEN m.column_name <> '' THEN format(' (%I)', m.column_name) END,
            CASE WHEN m.relation = 'public' THEN 'SCHEMA' WHEN c.relkind = 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
            m.relation,
            CASE WHEN m.grantee = '' THEN 'PUBLIC' ELSE quote_ident(m.grantee) END,
            CASE WHEN m.is_grantable THEN ' WITH GRANT OPTION' END
        )
    END AS statement
FROM sidb.phase1_right AS m
LEFT JOIN held AS o ON o.relation = m.relation AND o.privilege = 'OWNER'
LEFT JOIN pg_class AS c ON c.oid = CASE WHEN m.relation <> 'public' THEN to_regclass(m.relation) END
WHERE
    NOT EXISTS (
        SELECT FROM held AS h
        WHERE
            h.relation = m.relation
            AND h.column_name = m.column_name
            AND h.grantee = m.grantee
            AND h.privilege = m.privilege
            AND h.is_grantable >= m.is_grantable
    )
    AND (m.grantee = '' OR EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = m.grantee))
    AND (m.privilege = 'OWNER' OR m.grantee IS DISTINCT FROM o.grantee)
    AND (m.relation = 'public' OR c.oid IS NOT NULL)
    AND (
        m.column_name = ''
        OR EXISTS (
            SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = m.column_name AND NOT a.attisdropped
        )
    )
ORDER BY m.relation, m.column_name, m.grantee, m.privilege
