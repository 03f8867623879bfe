SELECT
    'policy' AS kind,
    n.nspname AS schema,
    c.relname AS name,
    p.polname AS part,
    concat(
        format('CREATE POLICY %I ON %s', p.polname, c.oid::regclass),
        CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
        CASE p.polcmd
            WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE' WHEN 'd' THEN ' FOR DELETE'
        END,
        (
            SELECT ' TO ' || string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY r)
            FROM unnest(p.polroles) AS r
        ),
        ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
        ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
    ) AS definition,
    format('DROP POLICY %I ON %s', p.polname, c.oid::regclass) AS removal,
    'pg_policy'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid
FROM pg_policy AS p
INNER JOIN pg_class AS c ON c.oid = p.polrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.polrelid = ANY(:relations)
