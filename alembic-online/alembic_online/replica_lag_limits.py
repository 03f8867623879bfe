"""How far a replica may be behind: the limits of alerts, checks, metrics and work in bulk, all taken from here."""

LAG = 5.0
"""Seconds behind that the readers of a replica stand: beyond it is an alert."""
LAG_WARNING = 1.5
"""Seconds behind from which it is worth a look, and bulk work holds back."""
