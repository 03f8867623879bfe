-- The rows that this transaction inserted, updated and deleted so far.
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_xact_user_tables
WHERE schemaname <> %(bookkeeping)s AND relname <> 'alembic_version';
