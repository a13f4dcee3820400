"""Pages of the seller's people."""
