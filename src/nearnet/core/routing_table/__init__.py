"""The RoutingTableActor (document §2.2, §6, §9, §12): edges, the graph, next hops, and what leaves for the disk."""

from nearnet.compiled import with_compiled

__path__ = with_compiled(__path__, "core/routing_table")
