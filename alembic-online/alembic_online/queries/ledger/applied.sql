-- In the step's own transaction: it is applied if, and only if, this row says so.
UPDATE {bookkeeping}.step SET
    outcome = 'applied',
    finished = clock_timestamp(),
    seconds = extract(epoch FROM clock_timestamp() - started),
    lock_tries = %(lock_tries)s,
    seconds_waited = %(seconds_waited)s,
    rows_changed = %(rows_changed)s,
    locks = %(locks)s
WHERE step_id = %(step_id)s;
