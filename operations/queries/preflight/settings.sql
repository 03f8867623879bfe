-- The settings of those names as this session has them; where the server has no such setting, no row.
SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY(%(names)s);
