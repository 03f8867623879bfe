-- What this role may not do that an erasure does: a statement for each. Asked before the first row goes, by names in the
-- catalog, since a role without USAGE on a schema may name nothing in it.
WITH meant AS (
    SELECT c.oid, format('%%I.%%I', n.nspname, c.relname) AS relation, x.privilege
    FROM (VALUES (%(deleted)s::text [], 'DELETE'), (%(updated)s::text [], 'UPDATE')) AS x (names, privilege)
    INNER JOIN pg_namespace AS n ON TRUE
    INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND format('%%I.%%I', n.nspname, c.relname) = ANY(x.names)
)

SELECT format('GRANT SELECT, %%s ON %%s TO %%I', m.privilege, m.relation, current_user) AS statement
FROM meant AS m
WHERE NOT (has_table_privilege(m.oid, 'SELECT') AND has_table_privilege(m.oid, m.privilege))
UNION ALL
SELECT format('GRANT USAGE ON SCHEMA %%I TO %%I', n.nspname, current_user)
FROM pg_namespace AS n
WHERE n.nspname = ANY(%(schemas)s) AND NOT has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT DISTINCT format('ALTER ROLE %%I BYPASSRLS', current_user)
FROM meant AS m
WHERE row_security_active(m.oid) OR EXISTS (
    SELECT FROM pg_class AS c
    INNER JOIN pg_roles AS r ON r.rolname = current_user
    WHERE
        c.oid = m.oid AND c.relrowsecurity AND NOT (r.rolsuper OR r.rolbypassrls)
        AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))
)
UNION ALL
SELECT format('GRANT CREATE ON DATABASE %%I TO %%I', current_database(), current_user)
WHERE to_regnamespace('sidb') IS NULL AND NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT format('GRANT %%I TO %%I', pg_get_userbyid(n.nspowner), current_user)
FROM pg_namespace AS n
WHERE n.nspname = 'sidb' AND NOT pg_has_role(n.nspowner, 'USAGE')
ORDER BY 1;
