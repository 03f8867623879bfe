-- Connections in use, when they are more than such a share of those that applications may have. Reserved are those of
-- superusers and, since PostgreSQL 16, of pg_use_reserved_connections. Of another role's session its kind may be hidden.
-- parameters: share
SELECT used.connections || ' of ' || free.connections || ' connections are used' AS detail
FROM (
    SELECT count(*) AS connections
    FROM pg_stat_activity AS a
    WHERE a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
) AS used
CROSS JOIN (
    SELECT
        CAST(current_setting('max_connections') AS integer)
        - CAST(current_setting('superuser_reserved_connections') AS integer)
        - CAST(coalesce(current_setting('reserved_connections', true), '0') AS integer) AS connections
) AS free
WHERE used.connections > CAST(:share AS numeric) * free.connections;
