"""Routed messages (document §11): forwarding, the way back, delivery to the client."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core/routed")
