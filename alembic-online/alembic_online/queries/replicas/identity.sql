-- Which cluster and database this is, and whether it follows another server. A standby has its primary's identifier, and
-- its databases' oids.
SELECT
    (SELECT s.system_identifier::text FROM pg_control_system() AS s) AS cluster,
    pg_is_in_recovery() AS standby,
    current_database()::text AS name,
    (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()) AS database;
