-- Make the settings that this server has, or will have once a library is loaded; the rows are those that this role may
-- not make, where they are otherwise. A superuser's can be given to others: GRANT SET ON PARAMETER.
WITH wanted AS MATERIALIZED (
    SELECT
        w.name,
        w.value,
        s.setting,
        coalesce(s.context = 'user' OR has_parameter_privilege(s.name, 'SET'), true) AS may
    FROM unnest(%(names)s::text [], %(values)s::text []) AS w (name, value)
    LEFT JOIN pg_catalog.pg_settings AS s ON s.name = w.name
    WHERE s.name IS NOT NULL OR strpos(w.name, '.') > 0
),

made AS MATERIALIZED (
    SELECT set_config(w.name, w.value, false) FROM wanted AS w WHERE w.may
)

SELECT w.name, w.value, w.setting
FROM wanted AS w
WHERE NOT w.may AND w.setting IS DISTINCT FROM w.value AND (SELECT count(*) FROM made) >= 0;
