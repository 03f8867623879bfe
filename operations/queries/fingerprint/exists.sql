-- Whether there is the table for it: by its name, since a role without rights on the schema may not ask for it otherwise.
SELECT EXISTS (
    SELECT FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'sidb' AND c.relname = 'fingerprint'
);
