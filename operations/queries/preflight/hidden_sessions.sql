-- Sessions of other roles in this database, of which this role may see little more than that they are there.
SELECT count(*) FROM pg_stat_activity
WHERE
    datname = current_database()
    AND NOT pg_has_role(usesysid, 'USAGE')
    AND NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE');
