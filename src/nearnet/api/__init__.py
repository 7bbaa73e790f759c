"""HTTP, JSON-RPC, metrics and the dashboard of a running node."""
