-- Whether this role may grant in the schema: it has the owner's rights.
SELECT pg_has_role(n.nspowner, 'USAGE') FROM pg_namespace AS n WHERE n.nspname = %(schema)s;
