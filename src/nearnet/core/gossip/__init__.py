"""What is told and learned (document §8, §12.2): edges, our own edges, announcements, account data, snapshot hosts."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core/gossip")
