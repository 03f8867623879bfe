-- Whoever may do something with {source} may do the same with {target}, and nobody else may.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT acl.grantee
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
        WHERE c.oid = to_regclass('{target}') AND acl.grantee <> c.relowner
        UNION
        SELECT acl.grantee
        FROM pg_attribute AS a
        CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
        WHERE a.attrelid = to_regclass('{target}') AND NOT a.attisdropped
    LOOP
        EXECUTE format(
            'REVOKE ALL ON {kind} {target} FROM %s',
            CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END
        );
    END LOOP;

    FOR granted IN
        SELECT acl.grantee, acl.is_grantable, acl.privilege_type, '' AS column_list
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
        WHERE c.oid = to_regclass('{source}') AND to_regclass('{target}') IS NOT NULL AND acl.grantee <> c.relowner
        UNION ALL
        SELECT acl.grantee, acl.is_grantable, acl.privilege_type, format(' (%I)', a.attname)
        FROM pg_attribute AS a
        CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
        WHERE a.attrelid = to_regclass('{source}') AND to_regclass('{target}') IS NOT NULL AND NOT a.attisdropped
    LOOP
        EXECUTE format(
            'GRANT %s%s ON {kind} {target} TO %s%s',
            granted.privilege_type,
            granted.column_list,
            CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END,
            CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        );
    END LOOP;
END
$$;
