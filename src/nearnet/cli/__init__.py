"""The command line (`cli.md`): parses, calls, prints; no logic. `app.py` says how a verb is added."""

from __future__ import annotations

from nearnet.cli.app import main

__all__ = ["main"]
