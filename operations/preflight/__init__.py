"""Before a rollout: is the database fit for it, is there a backup, may logs and WAL be kept for longer meanwhile?

The plan's Preparation. A file a subject, ending with its `QUESTIONS`; `run` asks all. The SQL is in queries/preflight.
"""
