UPDATE {bookkeeping}.step SET
    outcome = %(outcome)s,
    finished = clock_timestamp(),
    seconds = extract(epoch FROM clock_timestamp() - started),
    lock_tries = %(lock_tries)s,
    seconds_waited = %(seconds_waited)s,
    message = %(message)s
WHERE step_id = %(step_id)s;
