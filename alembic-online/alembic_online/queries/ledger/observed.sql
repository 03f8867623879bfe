UPDATE {bookkeeping}.step SET
    victims = %(blocked_sessions)s,
    longest_victim_seconds = %(longest_block_seconds)s,
    observed = %(observed)s,
    samples = %(samples)s,
    alerts = %(alerts)s
WHERE step_id = %(step_id)s;
