-- Roles that are not there, and that this one may not create.
SELECT quote_ident(wanted.name)
FROM unnest(CAST(:roles AS text [])) AS wanted (name)
WHERE
    NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name)
    AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole))
ORDER BY 1
