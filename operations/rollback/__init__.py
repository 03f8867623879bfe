"""The way back that keeps what Phase 2 collected: rollback phase by phase, its archive, and how that comes back."""
