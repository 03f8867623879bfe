"""The rollout: reaching the database, guarding migrations, verifying, rolling back and watching them."""
