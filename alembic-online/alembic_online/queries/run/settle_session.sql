-- The settings of a session, but for those that this server does not have or that its role may not make. A shorter
-- deadlock check makes autovacuum yield sooner and is a superuser's to give; transaction_timeout came with PostgreSQL 17.
SELECT set_config(wanted.name, wanted.value, false)
FROM (
    SELECT * FROM unnest(%(names)s::text [], %(values)s::text [])
    UNION ALL
    VALUES ('deadlock_timeout', '50ms'), ('transaction_timeout', '0')
) AS wanted (name, value)
INNER JOIN pg_settings AS known ON known.name = wanted.name
WHERE known.context = 'user' OR has_parameter_privilege(known.name, 'SET');
