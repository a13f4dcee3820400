"""News of payments: from the gateway's queue, and asked for when it does not come."""
