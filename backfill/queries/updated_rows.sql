-- Rows of a table that this session has updated. Names in full: the path is the application's.
SELECT pg_catalog.pg_stat_get_xact_tuples_updated(pg_catalog.to_regclass(:relation))
