-- Unless it is applied: of a commit, only the answer may be lost. Waits for a session that is still committing it.
UPDATE {bookkeeping}.step SET
    outcome = %(outcome)s,
    finished = clock_timestamp(),
    seconds = extract(epoch FROM clock_timestamp() - started),
    lock_tries = %(lock_tries)s,
    seconds_waited = %(seconds_waited)s,
    message = %(message)s
WHERE step_id = %(step_id)s AND outcome <> 'applied';
