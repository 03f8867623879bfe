-- A deletion that was interrupted goes on, up to today's horizon.
UPDATE sidb.expiry AS e
SET kept_from = %(kept_from)s
WHERE e.relation = %(relation)s AND e.aside IS NULL AND e.finished_at IS NULL
RETURNING e.expiry_id;
