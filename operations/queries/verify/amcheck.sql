-- amcheck's function, where it is installed, and whether this role may call it.
SELECT
    format('%%I.bt_index_check', n.nspname) AS function,
    has_function_privilege(p.oid, 'EXECUTE') AS callable,
    format('GRANT EXECUTE ON FUNCTION %%s TO %%I', p.oid::regprocedure, current_user) AS statement
FROM pg_extension AS e
INNER JOIN pg_namespace AS n ON n.oid = e.extnamespace
INNER JOIN pg_proc AS p
    ON p.pronamespace = n.oid AND p.proname = 'bt_index_check' AND oidvectortypes(p.proargtypes) = 'regclass, boolean'
WHERE e.extname = 'amcheck'
LIMIT 1;
