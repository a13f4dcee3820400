"""Making documents."""
