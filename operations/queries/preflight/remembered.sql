-- The settings that were raised and not put back, with what they are now.
SELECT r.name, r.before, r.in_auto_conf, r.raised, current_setting(r.name) AS value
FROM sidb.raised_setting AS r
ORDER BY r.name;
