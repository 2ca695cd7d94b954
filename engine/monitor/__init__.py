"""Live meters: what the devices do, what the program takes of them, how fast runs go and what fails in them."""

from engine.monitor.model import Device, Processes, Reading, RunPace
from engine.monitor.monitor import Monitor
from engine.monitor.pace import Pace

__all__ = ["Device", "Monitor", "Pace", "Processes", "Reading", "RunPace"]
