"""Jobs that watch the others."""
