UPDATE {bookkeeping}.step SET
    victims = %(victims)s,
    longest_victim_seconds = %(longest_victim_seconds)s,
    observed = %(observed)s,
    samples = %(samples)s,
    alerts = %(alerts)s
WHERE step_id = %(step_id)s;
