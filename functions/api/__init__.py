"""The JSON API for a seller's own systems."""
