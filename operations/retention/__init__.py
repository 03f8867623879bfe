"""Retention: which rows go when their time is over, and how. Off until `sidb retention --keep` switches it on."""
