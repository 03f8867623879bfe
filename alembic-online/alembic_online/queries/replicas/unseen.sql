-- Standbys that follow this server, and that this role may not see more of than that they are there.
SELECT count(*) FROM pg_stat_replication AS r WHERE r.state IS NULL;
