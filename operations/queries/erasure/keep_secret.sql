DO $$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END
        FROM pg_class AS c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS g
        WHERE c.oid = 'sidb.erasure_key'::regclass AND g.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON sidb.erasure_key FROM %s CASCADE', grantee);
    END LOOP;
END
$$;
