-- The number by which a cluster and its base backups are known as one.
SELECT system_identifier::text AS identifier FROM pg_control_system();
