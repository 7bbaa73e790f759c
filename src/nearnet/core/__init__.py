"""Decisions, without clock, chance or socket; `peer_manager/manager.py` is the way in."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core")
