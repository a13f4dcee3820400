"""Looking at files that were handed in, and deleting them in time."""
