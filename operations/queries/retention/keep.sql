INSERT INTO sidb.retention AS r (relation, months) VALUES (%(relation)s, %(months)s)
ON CONFLICT (relation) DO UPDATE SET months = excluded.months, set_at = now(), set_by = session_user
WHERE r.months <> excluded.months;
