-- The rows that this transaction deleted, by table.
SELECT format('%%I.%%I', schemaname, relname), n_tup_del::bigint
FROM pg_stat_xact_user_tables
WHERE n_tup_del > 0 AND schemaname <> %(bookkeeping)s AND relname <> %(version_table)s
ORDER BY 1;
