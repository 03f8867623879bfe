"""After the migration: a look at the new tables, their use and their growth; it suggests, and never acts by itself."""

from operations.monitor.exporting import alert_rules
from operations.monitor.look import Monitoring, look
from operations.monitor.screen import screen
from operations.monitor.thresholds import CHECKS

__all__ = ["CHECKS", "Monitoring", "alert_rules", "look", "screen"]
