"""Jobs that bring usage in."""
