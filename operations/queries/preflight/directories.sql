-- Where the server writes: what is written there, and the directory as the server knows it; NULL where this role may
-- not see it. The tables' own directory holds their tablespace.
WITH server (directory) AS (
    SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END
),

database (tablespace) AS (
    SELECT dattablespace FROM pg_database WHERE datname = current_database()
),

temporary (tablespace) AS (
    SELECT t.oid
    FROM unnest(string_to_array(current_setting('temp_tablespaces'), ',')) AS given (name)
    INNER JOIN pg_tablespace AS t ON t.spcname = btrim(given.name, ' "')
)

SELECT 'tables' AS what, coalesce(nullif(pg_tablespace_location(d.tablespace), ''), s.directory) AS directory
FROM server AS s CROSS JOIN database AS d
UNION ALL
SELECT 'sorts' AS what, coalesce(nullif(pg_tablespace_location(t.tablespace), ''), s.directory) AS directory
FROM server AS s
CROSS JOIN (
    SELECT tablespace FROM temporary
    UNION
    SELECT tablespace FROM database WHERE NOT EXISTS (SELECT FROM temporary)
) AS t
UNION ALL
SELECT 'WAL' AS what, directory || '/pg_wal' AS directory FROM server;
