-- Group roles that are there and may not even use the schema: they were missing when it was made.
SELECT r.rolname FROM pg_roles AS r
WHERE
    r.rolname = ANY(%(roles)s::text [])
    AND to_regnamespace(%(schema)s) IS NOT NULL
    AND NOT has_schema_privilege(r.oid, to_regnamespace(%(schema)s), 'USAGE')
ORDER BY 1;
