"""`sidb status`: where the rollout stands, what is amiss, and the one next command."""
