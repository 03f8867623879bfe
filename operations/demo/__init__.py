"""The demo: a sample of Phase 1, migrated and backfilled in the embedded server."""
