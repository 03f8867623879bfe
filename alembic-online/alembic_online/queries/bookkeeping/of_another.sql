-- This role's own tables in a schema that belongs to another one, which it may give them to; and to whom.
SELECT c.oid::regclass::text AS name, pg_get_userbyid(n.nspowner) AS owner
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    n.nspname = %(schema)s
    AND c.relkind IN ('r', 'p')
    AND pg_get_userbyid(c.relowner) = current_user
    AND n.nspowner <> c.relowner
    AND pg_has_role(n.nspowner, 'USAGE') -- or it could not use them itself any more
    AND pg_has_role(
        n.nspowner,
        CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END
    );
