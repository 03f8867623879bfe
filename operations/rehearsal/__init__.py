"""The rehearsal: the whole rollout run on a production-like database, under traffic, with a report."""
