SELECT s.name, s.raised, s.before FROM sidb.raised_setting AS s ORDER BY s.name;
