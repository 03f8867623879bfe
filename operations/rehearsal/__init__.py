"""The rehearsal: the whole rollout played through on a production-like database, under traffic, with a report."""
