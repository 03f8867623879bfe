-- What anybody but the owner may do, one row an object and grantee; the right to pass it on is told apart.
WITH objects AS (
    SELECT
        n.nspname AS schema,
        c.relname::text AS name, -- as name, it would cut off what is longer below
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass AS object,
        '' AS column_list,
        coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner)) AS acl,
        c.relowner AS owner
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        c.oid = ANY(:relations)
        OR (c.relkind = 'S' AND n.nspname = ANY(:schemas))
        OR (
            c.relkind = 'S'
            AND EXISTS (
                SELECT FROM pg_depend AS d
                WHERE
                    d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid
                    AND d.refobjid = ANY(:relations)
                    AND d.deptype IN ('a', 'i')
            )
        )
    UNION ALL
    SELECT n.nspname, c.relname, 'TABLE ' || c.oid::regclass, format(' (%I)', a.attname), a.attacl, c.relowner
    FROM pg_attribute AS a
    INNER JOIN pg_class AS c ON c.oid = a.attrelid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE a.attrelid = ANY(:relations) AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT
        n.nspname,
        format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)),
        'ROUTINE ' || p.oid::regprocedure,
        '',
        coalesce(p.proacl, acldefault('f', p.proowner)),
        p.proowner
    FROM pg_proc AS p
    INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY(:schemas)
    UNION ALL
    SELECT n.nspname, '', format('SCHEMA %I', n.nspname), '', coalesce(n.nspacl, acldefault('n', n.nspowner)), n.nspowner
    FROM pg_namespace AS n
    WHERE n.nspname = ANY(:schemas)
),

grants AS (
    SELECT
        o.schema,
        o.name,
        o.object,
        o.column_list,
        acl.is_grantable,
        CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(acl.grantee) END AS grantee,
        CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END AS quoted,
        string_agg(
            DISTINCT acl.privilege_type || o.column_list, ', ' ORDER BY acl.privilege_type || o.column_list
        ) AS privileges
    FROM objects AS o
    CROSS JOIN LATERAL aclexplode(o.acl) AS acl
    WHERE
        acl.grantee <> o.owner
        -- What everybody may do in schema public is the server's choice, and changed with PostgreSQL 15.
        AND NOT (acl.grantee = 0 AND o.schema = 'public' AND o.name = '')
        -- What default privileges give to everybody on tables and sequences belongs to those who set them.
        AND NOT (
            acl.grantee = 0
            AND EXISTS (
                SELECT FROM pg_default_acl AS d
                CROSS JOIN LATERAL aclexplode(d.defaclacl) AS given
                WHERE
                    d.defaclrole = o.owner
                    AND (d.defaclnamespace = 0 OR d.defaclnamespace = to_regnamespace(quote_ident(o.schema)))
                    AND d.defaclobjtype = CASE split_part(o.object, ' ', 1) WHEN 'TABLE' THEN 'r' WHEN 'SEQUENCE' THEN 'S' END
                    AND given.grantee = 0
                    AND given.privilege_type = acl.privilege_type
            )
        )
    GROUP BY o.schema, o.name, o.object, o.column_list, acl.is_grantable, acl.grantee
)

SELECT
    'privilege' AS kind,
    schema,
    name,
    grantee AS part,
    string_agg(
        format('GRANT %s ON %s TO %s', privileges, object, quoted)
        || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
        E';\n' ORDER BY column_list, is_grantable
    ) AS definition,
    format('REVOKE ALL ON %s FROM %s', object, quoted) AS removal,
    0 AS classid,
    0 AS objid,
    0 AS objsubid
FROM grants
GROUP BY schema, name, object, grantee, quoted
