"""Schedule: what runs by itself, and when. The door is `Schedule`."""

from engine.schedule.schedule import Schedule

__all__ = ["Schedule"]
