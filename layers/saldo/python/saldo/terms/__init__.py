"""Credit terms that customers ask for, and what became of it."""
