INSERT INTO {bookkeeping}.step (revision, direction, client, code_version, before)
VALUES (%(revision)s, %(direction)s, %(client)s, %(code_version)s, %(before)s)
RETURNING step_id;
