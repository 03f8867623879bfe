-- The functions of schema analytics that can be called, and those that serve triggers.
SELECT
    p.oid::regprocedure::text AS name,
    pg_get_function_result(p.oid) AS result,
    p.prosecdef AS definer,
    obj_description(p.oid, 'pg_proc') AS meaning
FROM pg_proc AS p
WHERE p.pronamespace = %(schema)s::regnamespace
ORDER BY p.proname
