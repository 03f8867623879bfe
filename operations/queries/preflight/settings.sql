-- The settings of those names as sessions begin with them; where the server has no such setting, no row.
SELECT name, reset_val AS value FROM pg_settings WHERE name = ANY(%(names)s);
