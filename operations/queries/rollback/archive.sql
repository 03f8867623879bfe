INSERT INTO sidb.rollback_archived (rollback_id, relation, kept_columns, definitions)
VALUES (%(rollback_id)s, %(relation)s, %(kept_columns)s, %(definitions)s)
ON CONFLICT (rollback_id, relation) DO NOTHING;
