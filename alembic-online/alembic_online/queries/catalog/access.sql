-- Of relations and routines, relations by schema and name, routines as PostgreSQL prints them: whose they are, whether this role may drop them and make
-- them anew for their owner, and who may do what with them, in an order in which it can be granted again. Roles are
-- quoted. One row without a privilege where nobody may do anything.
WITH objects AS (
    SELECT
        named.name,
        'TABLE' AS word,
        c.oid::regclass::text AS called,
        c.relnamespace AS schema,
        c.relowner AS owner,
        c.relacl AS acl,
        acldefault('r', c.relowner) AS usual,
        'r'::"char" AS kind,
        c.oid
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN unnest(CAST(:relations AS text [])) AS named (name) ON named.name = format('%s.%s', n.nspname, c.relname)
    WHERE c.relkind <> 'i'
    UNION ALL
    SELECT
        named.name, 'ROUTINE', p.oid::regprocedure::text, p.pronamespace, p.proowner, p.proacl,
        acldefault('f', p.proowner), 'f', NULL
    FROM pg_proc AS p
    INNER JOIN unnest(CAST(:routines AS text [])) AS named (name) ON named.name = p.oid::regprocedure::text
),

lists AS (
    SELECT
        o.name, o.word, o.called, o.schema, o.owner, o.kind, o.usual, '' AS column_name, 0 AS attnum,
        coalesce(o.acl, o.usual) AS acl
    FROM objects AS o
    UNION ALL
    SELECT o.name, o.word, o.called, o.schema, o.owner, o.kind, o.usual, a.attname, a.attnum, a.attacl
    FROM objects AS o
    INNER JOIN pg_attribute AS a ON a.attrelid = o.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
)

SELECT
    l.name,
    l.word,
    l.called,
    quote_ident(pg_get_userbyid(l.owner)) AS owner,
    pg_has_role(l.owner, 'USAGE') AS ours,
    has_schema_privilege(l.owner, l.schema, 'CREATE')
    OR (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) AS creatable,
    l.column_name,
    CASE WHEN l.attnum > 0 THEN format(' (%I)', l.column_name) ELSE '' END AS column_list,
    quote_ident(pg_get_userbyid(g.grantor)) AS grantor,
    CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS grantee,
    g.privilege_type AS privilege,
    g.is_grantable,
    pg_has_role(g.grantor, 'MEMBER') AS grantable,
    -- what everybody and the owner may do with a new one
    (
        SELECT
            array_agg(
                CASE d.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(d.grantee)) END
                || ' ' || d.privilege_type
            )
        FROM aclexplode(l.usual) AS d
    ) AS usual,
    -- to whom default privileges give something of a new one
    (
        SELECT array_agg(DISTINCT CASE d.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(d.grantee)) END)
        FROM pg_default_acl AS a
        CROSS JOIN LATERAL aclexplode(a.defaclacl) AS d
        WHERE a.defaclobjtype = l.kind AND d.grantee <> l.owner
    ) AS by_default
FROM lists AS l
LEFT JOIN LATERAL aclexplode(l.acl) WITH ORDINALITY
    AS g (grantor, grantee, privilege_type, is_grantable, place) ON TRUE
ORDER BY l.name, l.attnum, g.place
