"""Schedule: what runs by itself, and when. The door is `Schedule`."""

from engine.schedule.jobs import standard_jobs
from engine.schedule.model import Job, JobRun, JobStatus
from engine.schedule.schedule import Schedule

__all__ = ["Job", "JobRun", "JobStatus", "Schedule", "standard_jobs"]
