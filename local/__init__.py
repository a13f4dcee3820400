"""The same deployment on one machine."""
