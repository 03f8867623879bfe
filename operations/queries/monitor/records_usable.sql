-- What this role may do with the records in schema sidb: read and add samples of sizes, make their table, read the ledger.
SELECT
    samples.oid IS NOT NULL AS kept,
    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(samples.oid, 'SELECT'), false) AS readable,
    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(samples.oid, 'INSERT'), false) AS writable,
    coalesce(has_schema_privilege(n.oid, 'CREATE'), has_database_privilege(current_database(), 'CREATE')) AS creatable,
    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(ledger.oid, 'SELECT'), false) AS ledger
FROM (SELECT 1) AS one
LEFT JOIN pg_namespace AS n ON n.nspname = 'sidb'
LEFT JOIN pg_class AS samples ON samples.relnamespace = n.oid AND samples.relname = 'size_sample'
LEFT JOIN pg_class AS ledger ON ledger.relnamespace = n.oid AND ledger.relname = 'step';
