"""The report of a rollout: what the team signs, from the records, the checks and the sizes; a page and JSON."""
