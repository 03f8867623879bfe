SELECT relation, column_name, grantor, grantee, privilege, is_grantable
FROM sidb.rollback_right
WHERE rollback_id = %(rollback_id)s
ORDER BY place;
