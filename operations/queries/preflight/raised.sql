-- The settings that a rollout raises: what they are, whether that is enough, where it was set, and whether this role may
-- change it for the whole server. `in_auto_conf` is NULL where the role may not see which file a value comes from.
SELECT
    p.name,
    current_setting(p.name) AS value,
    wanted.value AS wanted,
    CASE
        WHEN p.unit IS NULL THEN p.setting = wanted.value
        ELSE p.setting = '-1' OR pg_size_bytes(current_setting(p.name)) >= pg_size_bytes(wanted.value)
    END AS enough,
    CASE
        WHEN p.source <> 'configuration file' THEN false
        ELSE p.sourcefile LIKE '%%/postgresql.auto.conf'
    END AS in_auto_conf,
    CASE
        WHEN NOT has_parameter_privilege(p.name, 'ALTER SYSTEM')
            OR NOT has_function_privilege('pg_reload_conf()', 'EXECUTE') THEN 'this role may not change it'
        WHEN coalesce(current_setting('allow_alter_system', true), 'on') = 'off' THEN 'allow_alter_system is off'
        WHEN p.source IN ('command line', 'environment variable') THEN 'it was given when the server was started'
    END AS obstacle
FROM unnest(%(names)s::text [], %(values)s::text []) WITH ORDINALITY AS wanted (name, value, place)
INNER JOIN pg_settings AS p ON p.name = wanted.name
ORDER BY wanted.place;
