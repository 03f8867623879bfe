-- The settings of those names as this session has them, which sets none of them itself.
SELECT p.name, current_setting(p.name) AS value FROM pg_settings AS p WHERE p.name = ANY(%(names)s);
