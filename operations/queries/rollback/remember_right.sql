INSERT INTO sidb.rollback_right (
    rollback_id, place, relation, column_name, grantor, grantee, privilege, is_grantable
)
VALUES (
    %(rollback_id)s, %(place)s, %(relation)s, %(column_name)s, %(grantor)s, %(grantee)s, %(privilege)s, %(is_grantable)s
);
