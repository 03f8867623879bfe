SELECT pg_get_userbyid(c.relowner) AS owner, pg_get_userbyid(c.relowner) = current_user AS is_own
FROM pg_class AS c
WHERE c.oid = to_regclass(%(relation)s);
