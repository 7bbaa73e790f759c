"""Routed messages (document §11): forwarding, the way back, delivery to the client."""
