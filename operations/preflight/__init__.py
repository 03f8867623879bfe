"""Before a rollout: is the database fit for it, is there a backup, may logs and WAL be kept for longer meanwhile?

The plan's Preparation. `run.CHECKS` is every question asked; the SQL is in queries/preflight.
"""
