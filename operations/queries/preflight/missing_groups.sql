-- Group roles that the migration would create, are not there, and that this role may not create.
SELECT wanted.name
FROM (VALUES ('analytics_reader'), ('analytics_writer')) AS wanted (name)
WHERE
    NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name)
    AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole))
ORDER BY 1;
