"""What waits for a seller's people, counted."""
