"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Verdict", "fine", "unknown", "wrong"]


class Verdict(StrEnum):
    """UNKNOWN is no fault: there was nothing to see, and `seen` says why."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: the check's name, what was seen and, unless all is well, what to do."""

    check: str
    verdict: Verdict
    seen: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For machines."""
        return {"check": self.check, "verdict": str(self.verdict), "seen": self.seen, "advice": self.advice}


def fine(check: str, seen: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, seen)


def wrong(check: str, seen: str, advice: str) -> Finding:
    """Something is to be done."""
    return Finding(check, Verdict.WRONG, seen, advice)


def unknown(check: str, seen: str, advice: str = "") -> Finding:
    """It could not be seen."""
    return Finding(check, Verdict.UNKNOWN, seen, advice)
