"""A terminal view of a running node. `view` needs textual (`nearnet[top]`) and is imported by whoever shows it."""

from nearnet.tools.top.snapshot import Snapshot

__all__ = ["Snapshot"]
