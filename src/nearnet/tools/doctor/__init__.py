"""Why have I no peers: checks in order, each with what was seen and what to do (`cli.md`, `nearnet doctor`)."""

from nearnet.tools.doctor.doctor import CHECKS, Doctor
from nearnet.tools.doctor.finding import Finding, Verdict

__all__ = ["CHECKS", "Doctor", "Finding", "Verdict"]
