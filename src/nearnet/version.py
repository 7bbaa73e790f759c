"""The version, in one place that costs no import (`pyproject.toml` holds the same; a test compares them)."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
